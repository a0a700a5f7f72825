"""`biosig delineate`: fit and measure a delineator on annotated ECG, or let one draw the waves of a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosig.whole import expect_writable, whole_file, whole_folder, write_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from finetune.delineation.waves import Lead


def delineate(
    source: Annotated[
        Path,
        typer.Argument(help="Annotated ECG: a store or a folder of LUDB. With --model: a recording of any format."),
    ],
    *,
    model: Annotated[Path | None, typer.Option(help="Folder of a delineator: draw the waves of one recording.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what is made. Without --model it gets the delineator itself.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, max=20, help="Of the cross-validation, by person.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions of the cross-validation.")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Of each training, at most.")] = 240,
) -> None:
    """Where P, QRS and T begin, peak and end in every lead. Not a medical device.

    Without --model a network is trained and tested over folds of people, beside neurokit2 on the same records; the
    delineator, result.json and table.md are left in OUT. With --model the waves and intervals of one recording are
    printed; OUT gets waves.csv and a picture.

    Example: `biosig delineate ludb --out delineator`, then
    `biosig delineate 00001_hr.hea --model delineator --out waves`
    """
    if model is None:
        _measure(source, out or Path("delineator"), folds=folds, seeds=seeds, steps=steps)
    else:
        _apply(source, model, out)


def _measure(source: Path, out: Path, *, folds: int, seeds: int, steps: int) -> None:
    from rich.console import Console

    from biosig.errors import BiosigError
    from finetune.delineation.crossval import RESULT, Plan, cross_validate, read_annotated
    from finetune.delineation.table import as_table, markdown
    from finetune.delineation.training import Budget

    if out.exists():
        raise BiosigError(f"{out}: exists already; give another folder")
    expect_writable(out)
    console, notices = Console(), Console(stderr=True)
    with notices.status("reading recordings") as status:
        corpus, recordings = read_annotated(source)
        plan = Plan(folds, tuple(range(seeds)), Budget(steps=steps))
        result, delineator = cross_validate(corpus, recordings, plan, say=status.update)
    with whole_folder(out) as place:
        delineator.save_pretrained(place)
        write_text(place / "table.md", markdown(result) + "\n")
        write_text(place / RESULT, result.model_dump_json(indent=1))
    console.print(as_table(result))
    console.print(f"{out}: biosig delineate RECORDING --model {out}", markup=False, highlight=False, soft_wrap=True)


def _apply(source: Path, model: Path, out: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    import biosig
    from finetune.delineation.delineator import Delineator
    from finetune.delineation.intervals import common, intervals
    from finetune.delineation.waves import WAVES

    console = Console()
    recording = biosig.read(source)
    leads = Delineator.from_pretrained(model).delineate(recording)
    measured = intervals(leads)
    table = Table("heart rate, /min", "PR, ms", "QRS, ms", "QT, ms", "QTc, ms", box=None, padding=(0, 2, 0, 0))
    table.add_row(*("–" if value is None else f"{value:.0f}" for value in measured.values()))
    console.print(f"{source}  {len(leads)} leads, {recording.duration:.1f} s", markup=False, highlight=False)
    console.print(table)
    waves = Table("wave", "onset, s", "peak, s", "offset, s", box=None, padding=(0, 2, 0, 0))
    found = [(wave.value, *row) for wave in WAVES for row in common(leads, wave).tolist()]
    for name, *times in sorted(found, key=lambda row: row[2]):
        waves.add_row(name, *(f"{time:.3f}" for time in times))
    console.print("\nseen in at least half of the leads:", waves)
    if out is not None:
        from biosig.plot import save
        from finetune.delineation.figure import wave_figure

        out.mkdir(parents=True, exist_ok=True)
        _write(leads, out / "waves.csv")
        save(wave_figure(recording, leads, measured), out / f"{source.stem}.png")
        console.print(str(out), style="bold", markup=False, highlight=False)


def _write(leads: Mapping[str, Lead], path: Path) -> None:
    """One line a wave and lead; seconds, empty where the recording cuts a wave off."""
    import csv
    import math

    with whole_file(path) as place, place.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["lead", "wave", "onset", "peak", "offset"])
        for lead, waves in leads.items():
            for wave, rows in waves.items():
                for row in rows.tolist():
                    lines.writerow([lead, wave.value, *("" if math.isnan(time) else f"{time:.4f}" for time in row)])
