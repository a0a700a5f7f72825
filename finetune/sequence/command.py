"""`biosig stages`: fit and measure a stager of sleep on scored nights, or let one stage a night."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosig.whole import expect_writable, whole_file

if TYPE_CHECKING:
    import numpy as np

    from finetune.sequence.network import Context


def stages(
    source: Annotated[
        Path,
        typer.Argument(help="Scored nights: a store, or a folder of Sleep-EDF. With --model: a night of any format."),
    ],
    *,
    model: Annotated[Path | None, typer.Option(help="Folder of a stager: stage one night.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what is made. Without --model it gets the stager itself.")
    ] = None,
    scored: Annotated[
        Path | None, typer.Option(help="EDF+ file of a scorer's stages of the same night, to be compared with.")
    ] = None,
    channels: Annotated[
        str | None, typer.Option(help="Names, separated by commas. [default: EEG and EOG of the first night]")
    ] = None,
    causal: Annotated[
        bool, typer.Option("--causal", help="Look at no epoch after the one that is staged, as at the bedside.")
    ] = False,
    alone: Annotated[bool, typer.Option("--alone", help="Look at no other epoch at all.")] = False,
    folds: Annotated[int, typer.Option(min=3, max=100, help="Of the cross-validation, by person.")] = 5,
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions of the network's trainings.")] = 1,
    steps: Annotated[int, typer.Option(min=1, help="Of each training, at most.")] = 200,
) -> None:
    """Stages of sleep by the AASM in epochs of 30 s: W, N1, N2, N3, R. Not a medical device.

    Without --model a network is trained and tested over folds of people, beside band powers with a logistic regression
    and the most common stage; the stager, result.json and table.md are left in OUT. With --model one night is staged;
    OUT gets stages.csv and hypnogram.png.

    Example: `biosig stages sleep-edf --out stager`, then
    `biosig stages SC4001E0-PSG.edf --model stager --scored SC4001EC-Hypnogram.edf --out night`
    """
    from biosig.errors import BiosigError
    from finetune.sequence.network import Context

    if model is not None:
        _apply(source, model, out, scored)
        return
    if scored is not None:
        raise BiosigError("--scored: expected --model as well; without it nights bring their own stages")
    if causal and alone:
        raise BiosigError("--causal and --alone: expected one of them")
    context = Context.PAST if causal else Context.NONE if alone else Context.BOTH
    names = tuple(name.strip() for name in channels.split(",")) if channels else None
    _measure(source, out or Path("stager"), names, context, folds=folds, seeds=seeds, steps=steps)


def _measure(
    source: Path, out: Path, channels: tuple[str, ...] | None, context: Context, *, folds: int, seeds: int, steps: int
) -> None:
    from rich.console import Console

    from biosig.errors import BiosigError
    from finetune.sequence.crossval import RESULT, Plan, cross_validate
    from finetune.sequence.nights import read_nights
    from finetune.sequence.table import as_table, markdown
    from finetune.sequence.training import Budget
    from pretrain.saving import save_bytes

    if out.exists():
        raise BiosigError(f"{out}: exists already; give another folder")
    expect_writable(out)
    console, notices = Console(), Console(stderr=True)
    with notices.status("reading nights") as status:
        nights = read_nights(source, channels, say=status.update)
        plan = Plan(context, folds, tuple(range(seeds)), Budget(steps=steps))
        result, stager = cross_validate(nights, plan, say=status.update)
    stager.save_pretrained(out)
    save_bytes((markdown(result) + "\n").encode(), out / "table.md")
    save_bytes(result.model_dump_json(indent=1).encode(), out / RESULT)
    console.print(as_table(result, width=console.width))
    console.print(f"{out}: biosig stages RECORDING --model {out}", markup=False, highlight=False, soft_wrap=True)


def _apply(source: Path, model: Path, out: Path | None, scored_by: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    import biosig
    from biosig.readers.edf import read_edf
    from finetune.sequence.hypnogram import hypnogram, summary
    from finetune.sequence.nights import STAGES, UNKNOWN, stages_of
    from finetune.sequence.scores import confusions, scores
    from finetune.sequence.stager import Stager

    console, notices = Console(), Console(stderr=True)
    with notices.status("reading the night"):
        recording = biosig.read(source) if scored_by is None else read_edf(source, annotations=(scored_by,))
        probabilities = Stager.from_pretrained(model).stage(recording)
    said = probabilities.argmax(1)
    found = summary(said)
    console.print(f"{source}  {len(said):,} epochs of 30 s", markup=False, highlight=False, soft_wrap=True)
    table = Table(*(f"{name}, min" for name in STAGES), "asleep, min", "efficiency, %", "sleep latency, min",
                  "REM latency, min", box=None, padding=(0, 2, 0, 0))  # fmt: skip
    latencies = ("–" if one is None else f"{one:.1f}" for one in (found.sleep_latency, found.rem_latency))
    minutes = (f"{one:.1f}" for one in found.minutes.values())
    table.add_row(*minutes, f"{found.asleep:.1f}", f"{100 * found.efficiency:.0f}", *latencies)
    console.print(table)
    scored = stages_of(recording.events, len(said))
    if (scored != UNKNOWN).any():
        _, counts = confusions([""], [scored], [said])
        agreed = scores(counts)
        console.print(
            f"against the scorer: kappa {agreed['kappa'][0]:.3f}, accuracy {agreed['accuracy'][0]:.3f} over "
            f"{int(counts.sum()):,} epochs",
            highlight=False,
        )
    if out is not None:
        from biosig.plot import save

        out.mkdir(parents=True, exist_ok=True)
        _write(probabilities, out / "stages.csv")
        save(hypnogram(probabilities, title=source.name, scored=scored), out / "hypnogram.png")
        console.print(str(out), style="bold", markup=False, highlight=False)


def _write(probabilities: np.ndarray, path: Path) -> None:
    """One line an epoch: seconds, the most probable stage, and the probability of each."""
    import csv

    from finetune.sequence.nights import EPOCH, STAGES

    with whole_file(path) as place, place.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["onset", "duration", "stage", *STAGES])
        for epoch, one in enumerate(probabilities):
            chances = (f"{chance:.4f}" for chance in one.tolist())
            lines.writerow([f"{epoch * EPOCH:g}", f"{EPOCH:g}", STAGES[int(one.argmax())], *chances])
