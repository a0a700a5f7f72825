"""`biosig emotion`: tell states of people whom the model has not met, beside every honest rival."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from biosig.whole import expect_writable, write_text


class Held(StrEnum):
    """`finetune.emotion.protocols.Protocol`, without what it imports."""

    LOSO = "loso"
    KFOLD = "kfold"
    FEW_SHOT = "few-shot"
    UNSEEN_STIMULUS = "unseen-stimulus"
    UNSEEN_STIMULUS_SEEN_SUBJECT = "unseen-stimulus-seen-subject"


class Which(StrEnum):
    """The variants that are wanted."""

    CAUSAL = "causal"
    TRANSDUCTIVE = "transductive"
    BOTH = "both"


class Smooth(StrEnum):
    """`finetune.emotion.features.Smoothing`, without what it imports."""

    NONE = "none"
    MOVING_AVERAGE = "moving-average"
    LDS = "lds"


def emotion(
    store: Annotated[Path, typer.Argument(help="A store of EEG, as `biosig prepare` makes it.")],
    *,
    target: Annotated[
        str, typer.Option(help="What to tell: a system of codes (dasps-2-class), a rating (valence>5), or event.")
    ],
    protocol: Annotated[Held, typer.Option(help="What is held out.")] = Held.LOSO,
    access: Annotated[
        Which, typer.Option(help="causal: nothing after the trial; transductive: the whole unlabelled test stream.")
    ] = Which.BOTH,
    rows: Annotated[str, typer.Option(help="Rows of the table, separated by commas. [default: all]")] = "",
    seeds: Annotated[int, typer.Option(min=1, help="Repetitions.")] = 3,
    out: Annotated[Path, typer.Option(help="Where result.json and report.html go; run again to continue.")] = Path(
        "emotion"
    ),
    smoothing: Annotated[Smooth, typer.Option(help="Of features, within a trial.")] = Smooth.LDS,
    k: Annotated[int, typer.Option(min=2, help="Groups of subjects: kfold, unseen-stimulus.")] = 5,
    stimulus_groups: Annotated[int, typer.Option(min=2, help="Groups of stimuli: unseen-stimulus.")] = 3,
    shots: Annotated[int, typer.Option(min=1, help="Calibration trials: few-shot.")] = 4,
    pretrain_steps: Annotated[
        int, typer.Option(min=0, help="Of a pretraining without labels in a fold; 0: as its recipe says.")
    ] = 120,
    supervised_steps: Annotated[int, typer.Option(min=1, help="At most, of the supervised network.")] = 120,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws over subjects.")] = 1000,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes. [default: one a core]")] = None,
) -> None:
    """Emotion, workload or another state across subjects, with 95 % intervals over subjects.

    Rows: chance, majority, de-linear, de-running, covariance, de-adversarial, random, clisa, clisa-synchronous, ta2cl,
    coherent, supervised. The encoders are pretrained without labels on the training subjects of each fold. Finished
    folds are kept in OUT; the same command goes on where it was broken off.

    Example: `biosig emotion dasps.store --target dasps-2-class --out report`
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import TimeRemainingColumn as Left

    from finetune.emotion.bench import Budget, Experiment
    from finetune.emotion.experiment import examine
    from finetune.emotion.features import Smoothing
    from finetune.emotion.protocols import Access, Plan, Protocol
    from finetune.emotion.report import write_report
    from finetune.emotion.table import as_table
    from finetune.emotion.targets import Target

    expect_writable(out)
    experiment = Experiment(
        store=store,
        target=Target.parse(target),
        plan=Plan(Protocol(protocol.value), k=k, stimulus_groups=stimulus_groups, shots=shots),
        smoothing=Smoothing(smoothing.value),
        budget=Budget(pretrain_steps=pretrain_steps or None, supervised_steps=supervised_steps),
    )
    console, notices = Console(), Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), Left(), console=notices, transient=True) as progress:
        task = progress.add_task("folds", total=None)
        result = examine(
            experiment,
            out,
            rows=[row.strip() for row in rows.split(",") if row.strip()],
            seeds=seeds,
            access=tuple(Access) if access is Which.BOTH else (Access(access.value),),
            workers=workers,
            draws=draws,
            begin=lambda done, total: progress.update(task, completed=done, total=total),
            advance=lambda row: progress.update(task, advance=1, description=row),
        )
    write_text(out / "result.json", result.model_dump_json(indent=1))
    write_report(result, out / "report.html")
    console.print(as_table(result, width=console.width))
    console.print(str(out / "report.html"), style="bold", markup=False, highlight=False)
