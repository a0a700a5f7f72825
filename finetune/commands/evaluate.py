"""`biosig evaluate`: a model on a store, with rivals and intervals, as a table, `result.json` and `report.html`."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosig.errors import BiosigError
from biosig.whole import expect_writable, write_text
from finetune.diagnosis.choices import Adaptation

if TYPE_CHECKING:
    from rich.progress import Progress


class Which(StrEnum):
    """What to score."""

    ZERO_SHOT = "zero-shot"
    PROBE = "probe"
    ALL = "all"
    EXTERNAL = "external"


def evaluate(
    model: Annotated[Path, typer.Argument(help="Model folder, as `biosig pretrain` leaves it in RUN/model.")],
    store: Annotated[list[Path], typer.Argument(help="Stores; with several, each gets a folder of its own in OUT.")],
    *,
    protocol: Annotated[
        Which,
        typer.Option(
            help="zero-shot uses no label; probe adds training from scratch on the same labels; external is all of "
            "them, taught on STORE and tested on --test-store."
        ),
    ] = Which.ALL,
    task: Annotated[
        str, typer.Option(metavar="diagnosis|chagas|quality", help="What is asked of a recording.")
    ] = "diagnosis",
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN=VALUE[,VALUE]", help="Only some records of STORE, as sub_corpus=georgia."),
    ] = None,
    test_store: Annotated[
        Path | None, typer.Option(help="Test on all records of this store: an external validation.")
    ] = None,
    test_where: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN=VALUE[,VALUE]", help="Only some records of --test-store.")
    ] = None,
    adapt: Annotated[
        str, typer.Option(help="Rows of adapted encoders as well: lora, last, full, separated by commas.")
    ] = "",
    against: Annotated[
        Path | None, typer.Option(help="A second model folder: its rows, and what the first gains over it, paired.")
    ] = None,
    fractions: Annotated[str, typer.Option(help="Shares of the training labels, nested, by subject.")] = "0.01,0.1,1",
    seeds: Annotated[int, typer.Option(min=1, help="Label draws, random encoders, trainings from scratch.")] = 3,
    out: Annotated[Path, typer.Option(help="Where result.json and report.html go.")] = Path("report"),
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws over test subjects.")] = 1000,
    min_positives: Annotated[int, typer.Option(min=1, help="Positive and negative test subjects a concept needs.")] = 5,
    scratch_steps: Annotated[
        int, typer.Option(min=1, help="Most steps of adapting, and of training from scratch.")
    ] = 120,
    weights: Annotated[
        Path | None, typer.Option(help="weights.csv of the CinC 2021 challenge. [default: an approximation]")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes for the rivals. [default: one a core]")] = None,
    allow_leakage: Annotated[
        bool, typer.Option("--allow-leakage", help="Score although the audit refuses, and say so on the report.")
    ] = False,
) -> None:
    """Evaluate a model: zero-shot and linear probes at several label fractions, with 95 % intervals.

    Every table has a randomly initialised encoder and one trained from scratch beside the pretrained one. The store's
    own folds are the sides; the model's record of whom it was trained on is checked first.

    Example: `biosig evaluate run/model ptb-xl.store --out report`

    Example: `biosig evaluate run/model ptb-xl.store --adapt lora,full --against other/model`

    Example: `biosig evaluate run/model cinc2021.store --where sub_corpus=cpsc_2018 --protocol external --test-store
    cinc2021.store --test-where sub_corpus=georgia`
    """
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from biosig.store import Store
    from finetune.diagnosis.bench import Options
    from finetune.diagnosis.evaluate import Asked
    from finetune.diagnosis.evaluate import evaluate as run
    from finetune.diagnosis.questions import QUESTIONS
    from finetune.diagnosis.scratch import Budget
    from finetune.diagnosis.selection import Selection, Where
    from finetune.metrics.challenge import read_weights
    from finetune.report.document import write_report
    from finetune.report.table import as_table
    from pretrain.specs.execution import Device, Precision
    from pretrain.training.precision import resolve_precision

    # Where it is fast, as in pretraining.
    half = resolve_precision(Precision.AUTO, Device.AUTO) is Precision.BF16
    options = Options(
        zero_shot=protocol is not Which.PROBE,
        probe=protocol is not Which.ZERO_SHOT,
        adapt=parse_adaptations(adapt),
        fractions=parse_fractions(fractions),
        seeds=seeds,
        draws=draws,
        budget=Budget(steps=scratch_steps, half=half),
        workers=workers,
    )
    if len({path.name for path in store}) < len(store):
        raise BiosigError(f"expected stores of different names, got {', '.join(map(str, store))}")
    if (protocol is Which.EXTERNAL or test_where) and test_store is None:
        raise BiosigError("an external validation needs --test-store, whose records are tested")
    QUESTIONS[task]  # named before anything is read
    expect_writable(out)
    outside = None if test_store is None else Selection(Store(test_store), Where.parse(test_where or ()))
    chosen_by = Where.parse(where or ())
    challenge = None if weights is None else read_weights(weights)
    console, notices = Console(), Console(stderr=True)
    for path in store:
        folder = out if len(store) == 1 else out / path.name
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        with Progress(*columns, console=notices, transient=True) as progress:
            say = _announce(progress, options.stages(1 if against is None else 2))
            outcome = run(
                model,
                Asked(Selection(Store(path), chosen_by), task, outside, against, min_positives),
                options,
                allow_leakage=allow_leakage,
                challenge=challenge,
                say=say,
            )
            write_text(folder / "result.json", outcome.evaluation.model_dump_json(indent=1))
            write_report(outcome.evaluation, folder / "report.html", example=outcome.example, map_=outcome.map_)
        console.print(as_table(outcome.evaluation, width=console.width))
        console.print(str(folder / "report.html"), style="bold", markup=False, highlight=False)


def _announce(progress: "Progress", stages: int) -> Callable[[str], None]:
    task = progress.add_task("evaluate", total=stages)
    return lambda what: progress.update(task, description=what, advance=1)


def parse_fractions(text: str) -> tuple[float, ...]:
    """`0.01,0.1,1` -> ascending numbers above 0 and up to 1.

    Raises:
        BiosigError: Saying which part is not such a number.
    """
    found = set()
    for part in text.split(","):
        try:
            value = float(part)
        except ValueError:
            value = float("nan")
        if not 0 < value <= 1:
            raise BiosigError(f"--fractions: expected numbers above 0 and up to 1, separated by commas, got {part!r}")
        found.add(value)
    return tuple(sorted(found))


def parse_adaptations(text: str) -> tuple[Adaptation, ...]:
    """`lora,full` -> what is to be adapted, each once.

    Raises:
        BiosigError: Saying which part is none.
    """
    found = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        if part not in set(Adaptation) - {Adaptation.PROBE}:
            raise BiosigError(f"--adapt: expected lora, last or full, separated by commas, got {part!r}")
        found.append(Adaptation(part))
    return tuple(dict.fromkeys(found))
