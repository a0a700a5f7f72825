"""`biosig beats`: fit and measure a labeller of beats on MIT-BIH, or let one label a recording."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosig.whole import expect_writable, whole_file, whole_folder, write_text

# Without torch or pandas: the choices of an option are known before anything heavy is imported.
from finetune.beats.choices import Context

if TYPE_CHECKING:
    from rich.console import RenderableType

    from biosig.recording import Recording
    from finetune.beats.labeller import Labelled


def beats(
    source: Annotated[
        Path,
        typer.Argument(help="MIT-BIH: its folder or a store of it. With --model: a recording of any format."),
    ],
    *,
    model: Annotated[Path | None, typer.Option(help="Folder of a labeller: label the beats of one recording.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what is made. Without --model it gets the labeller itself.")
    ] = None,
    context: Annotated[
        Context, typer.Option(help="Whether a beat is compared with beats on both sides, or with the past alone.")
    ] = Context.BOTH,
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions of every network.")] = 3,
    steps: Annotated[int, typer.Option(min=1, help="Of each training, at most.")] = 600,
    delineator: Annotated[
        Path | None,
        typer.Option(help="Folder that `biosig delineate` made: its QRS complexes are the beats, not neurokit2's."),
    ] = None,
    start: Annotated[
        float | None, typer.Option(min=0, help="First second of the strip that is drawn; the liveliest by default.")
    ] = None,
) -> None:
    """What every beat is (AAMI: N, S, V, F), and where atrial fibrillation or flutter is. Not a medical device.

    Without --model networks are trained on DS1 of MIT-BIH and tested on DS2, other people; the labeller, result.json
    and table.md are left in OUT. With --model the beats of one recording are counted; OUT gets beats.csv,
    episodes.csv and two pictures. Where annotations lie beside the recording, what is said is compared with them.

    Example: `biosig beats mitdb --out labeller`, then `biosig beats 100.hea --model labeller --out beats`
    """
    if model is None:
        _measure(source, out or Path("beats"), context=context, seeds=seeds, steps=steps)
    else:
        _apply(source, model, out, delineator, start)


def _measure(source: Path, out: Path, *, context: Context, seeds: int, steps: int) -> None:
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from biosig.errors import BiosigError
    from finetune.beats.cases import read_cases
    from finetune.beats.experiment import RESULT, Plan, experiment
    from finetune.beats.network import BeatSpec
    from finetune.beats.table import as_table, markdown
    from finetune.beats.training import Budget

    if out.exists():
        raise BiosigError(f"{out}: exists already; give another folder")
    expect_writable(out)
    budget = replace(Budget(), steps=steps, spec=BeatSpec(context=context))
    plan = Plan(seeds=tuple(range(seeds)), budget=budget)
    console, notices = Console(), Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=notices, transient=True) as progress:
        reading = progress.add_task("reading", total=None)
        cases = read_cases(source, context, say=lambda name: progress.update(reading, description=f"reading {name}"))
        progress.remove_task(reading)
        # Of each split the trees, and in the end the rhythms, are told too.
        bar = progress.add_task("training", total=plan.trainings + len(plan.splits) + 1)
        result, labeller = experiment(cases, plan, say=lambda what: progress.update(bar, description=what, advance=1))
    with whole_folder(out) as place:
        labeller.save_pretrained(place)
        write_text(place / "table.md", markdown(result) + "\n")
        write_text(place / RESULT, result.model_dump_json(indent=1))
    console.print(as_table(result))
    console.print(f"{out}: biosig beats RECORDING --model {out}", markup=False, highlight=False, soft_wrap=True)


def _apply(source: Path, model: Path, out: Path | None, delineator: Path | None, start: float | None) -> None:
    from rich.console import Console

    from finetune.beats.labeller import BeatLabeller
    from finetune.beats.reading import qrs_peaks, read_with_annotations

    console, notices = Console(), Console(stderr=True)
    with notices.status("labelling beats"):
        labeller = BeatLabeller.from_pretrained(model)
        recording = read_with_annotations(source)
        labelled = labeller.label(recording, None if delineator is None else qrs_peaks(delineator, recording))
    leads = ", ".join(recording.channels)
    console.print(f"{source}  {leads}, {recording.duration:.1f} s", markup=False, highlight=False)
    console.print(_counts(labelled))
    for one in labelled.episodes:
        console.print(f"AF or flutter from {one.begin:.1f} to {one.end:.1f} s", highlight=False)
    compared = _compared(recording, labelled)
    if compared is not None:
        console.print("\nannotated beats (lines) by what is said (columns):", compared)
    if out is not None:
        with notices.status("drawing"):
            _write(recording, labelled, out, source.stem, start)
        console.print(str(out), style="bold", markup=False, highlight=False)


def _counts(labelled: Labelled) -> RenderableType:
    from rich.table import Table

    from finetune.beats.aami import WORDS

    table = Table("class", "beats", "", box=None, padding=(0, 2, 0, 0))
    for beat, count in labelled.counts().items():
        if count:
            table.add_row(beat.value, f"{count:,}", WORDS[beat])
    return table


def _compared(recording: Recording, labelled: Labelled) -> RenderableType | None:
    """A confusion matrix where beats are annotated."""
    import numpy as np
    from rich.table import Table

    from finetune.beats.aami import BEATS
    from finetune.beats.cases import at_found
    from finetune.beats.intake import annotated_classes

    peaks, labels = annotated_classes(recording)
    if not len(peaks):
        return None
    said = np.array([BEATS.index(beat) for beat in labelled.classes], dtype=np.int64)
    counts = at_found(peaks, labels, labelled.peaks, said)
    table = Table("", *(beat.value for beat in BEATS), "not found", box=None, padding=(0, 2, 0, 0))
    for name, line in zip((*(beat.value for beat in BEATS), "no beat"), counts.tolist(), strict=True):
        if sum(line):
            table.add_row(name, *(f"{count:,}" for count in line))
    return table


def _write(recording: Recording, labelled: Labelled, out: Path, name: str, start: float | None) -> None:
    """Files of beats and of episodes, and the pictures."""
    import csv
    import math

    from biosig.plot import save
    from finetune.beats.aami import SAID
    from finetune.beats.figure import liveliest, rhythm_figure, strip_figure
    from finetune.beats.rhythm import annotated_stretches

    out.mkdir(parents=True, exist_ok=True)
    with whole_file(out / "beats.csv") as place, place.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["peak", "class", *(f"probability_{beat.value}" for beat in SAID), "probability_af"])
        for peak, beat, p, af in zip(
            labelled.peaks, labelled.classes, labelled.probabilities, labelled.fibrillation, strict=True
        ):
            numbers = [f"{value:.4f}" for value in p]
            lines.writerow([f"{peak:.4f}", beat.value, *numbers, "" if math.isnan(af) else f"{af:.4f}"])
    with whole_file(out / "episodes.csv") as place, place.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["begin", "end"])
        lines.writerows([f"{one.begin:.3f}", f"{one.end:.3f}"] for one in labelled.episodes)
    seconds = min(10.0, recording.duration)
    begin = liveliest(labelled, recording.duration, seconds) if start is None else start
    save(strip_figure(recording, labelled, start=begin), out / f"{name}-strip.png")
    annotated = annotated_stretches(recording)
    save(
        rhythm_figure(labelled, recording.duration, recording.record_id or name, annotated), out / f"{name}-rhythm.png"
    )
