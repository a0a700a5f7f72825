"""`biosig finetune`: from a pretrained model and a labelled store to a diagnoser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosig.whole import expect_writable, whole_folder
from finetune.diagnosis.choices import Adaptation, Imbalance, Loss, Upward
from finetune.trust.choices import Remember

if TYPE_CHECKING:
    from rich.console import Console

    from finetune.adaptation.fit import Tuned

# Of `finetune.adaptation.fit.finetune`, when weights of the encoder move.
_STAGES = 7


def finetune(
    model: Annotated[Path, typer.Argument(help="Model folder, as `biosig pretrain` leaves it in RUN/model.")],
    store: Annotated[Path, typer.Argument(help="Labelled recordings, made by `biosig prepare`.")],
    *,
    out: Annotated[Path, typer.Option(help="Folder of the diagnoser; must not be there yet.")],
    adapt: Annotated[
        Adaptation,
        typer.Option(help="What moves besides the head: nothing, low-rank additions, the last blocks, or everything."),
    ] = Adaptation.PROBE,
    head: Annotated[
        str,
        typer.Option(
            metavar="linear|mlp|attention|prototypes",
            help="What turns features, or for attention tokens, into findings.",
        ),
    ] = "linear",
    task: Annotated[
        str, typer.Option(metavar="diagnosis|chagas|quality", help="What is asked of a recording.")
    ] = "diagnosis",
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE[,VALUE]", help="Only some records of STORE, as sub_corpus=georgia."),
    ] = None,
    loss: Annotated[
        Loss, typer.Option(help="Each finding on its own, or its records against the others of a batch (ntce, nonl).")
    ] = Loss.BCE,
    imbalance: Annotated[
        Imbalance, typer.Option(help="For rare findings: count positives more often, or learn beyond their frequency.")
    ] = Imbalance.NONE,
    upward: Annotated[
        Upward | None,
        typer.Option(help="Let what is said of a finding reach what it is a kind of. [default: each on its own]"),
    ] = None,
    fraction: Annotated[float, typer.Option(help="Share of the training labels, by subject.")] = 1.0,
    seed: Annotated[int, typer.Option(min=0, help="Of the labels' draw and the order of records.")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="At most; validation stops earlier.")] = 120,
    min_positives: Annotated[int, typer.Option(min=1, help="Positive and negative test subjects a concept needs.")] = 5,
    remember: Annotated[
        Remember,
        typer.Option(
            help="Keep vectors, names and findings of the training records, for `predict` to name the nearest. "
            "[default: if the corpus has an open licence]"
        ),
    ] = Remember.AUTO,
    allow_leakage: Annotated[
        bool, typer.Option("--allow-leakage", help="Go on although the model has met the test side.")
    ] = False,
) -> None:
    """Fine-tune a model on the diagnoses of a store: a head, its calibration, and what it is worth on the test side.

    Thresholds, scales of probabilities and prediction sets come from validation; test is looked at once.

    Example: `biosig finetune run/model ptb-xl.store --adapt lora --out diagnoser`, then
    `biosig predict diagnoser 00001_hr.hea`
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from biosig.errors import BiosigError
    from biosig.store import Store
    from finetune.adaptation.fit import Tuning
    from finetune.adaptation.fit import finetune as run
    from finetune.card.document import write_card
    from finetune.card.measure import measure
    from finetune.diagnosis.questions import QUESTIONS
    from finetune.diagnosis.scratch import Budget
    from finetune.diagnosis.selection import Where
    from finetune.heads import HEADS
    from pretrain.specs.execution import Device, Precision
    from pretrain.training.precision import resolve_precision

    if out.exists():
        raise BiosigError(f"{out}: exists already; give another folder")
    expect_writable(out)
    HEADS[head], QUESTIONS[task]  # named before anything is read
    half = resolve_precision(Precision.AUTO, Device.AUTO) is Precision.BF16
    budget = Budget(steps=steps, learning_rate=3e-4, half=half)
    tuning = Tuning(
        adaptation=adapt,
        head=head,
        loss=loss,
        imbalance=imbalance,
        upward=upward,
        fraction=fraction,
        seed=seed,
        budget=budget,
        min_positives=min_positives,
        remember=remember,
        question=task,
        where=Where.parse(where or ()),
    )
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("finetune", total=_STAGES)
        tuned = run(
            model,
            Store(store),
            tuning,
            allow_leakage=allow_leakage,
            say=lambda what: progress.update(bar, description=what, advance=1),
        )
        with whole_folder(out) as place:
            tuned.diagnoser.save_pretrained(place)
            progress.update(bar, description="card", advance=1)
            write_card(measure(tuned.made, least=min_positives, draws=tuning.draws), place)
    _show(tuned, Console())
    Console().print(f"{out}: biosig predict {out} RECORDING", markup=False, highlight=False)


def _show(tuned: Tuned, console: Console) -> None:
    from rich.table import Table

    from finetune.report.page import bracket, decimal

    for finding in tuned.findings:
        console.print(f"{finding.severity.value}: {finding.text}", style="yellow", markup=False, highlight=False)
    weights = Table("part", "parameters", "trained", "rate", box=None, padding=(0, 2, 0, 0))
    for block in tuned.blocks:
        rate = f"{block.rate:.3g}" if block.trained else ""
        weights.add_row(block.name, f"{block.parameters:,}", f"{block.trained:,}", rate)
    console.print(weights)
    config = tuned.diagnoser.config
    scores = Table("finding", "AUROC on test", "", "validation records with it", box=None, padding=(0, 2, 0, 0))
    for one in config.concepts:
        scores.add_row(one.term, decimal(one.auroc.value), f"[dim]\\{bracket(one.auroc)}[/]", f"{one.positives:,}")
    console.print()
    console.print(scores)
    total = config.macro_auroc
    console.print(
        f"\nmacro AUROC {decimal(total.value)} {bracket(total)}, 95 % over subjects", highlight=False, markup=False
    )
