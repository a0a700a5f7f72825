"""`biosig outcome`: predict a number or a time to an event, with rivals and intervals; or ask what was fitted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from biosig.whole import expect_writable, whole_file
from finetune.diagnosis.choices import Adaptation

if TYPE_CHECKING:
    from rich.console import Console

    from biosig.recording import Recording
    from biosig.store import Store
    from finetune.outcomes.bench import Options
    from finetune.outcomes.fit import Outcome
    from finetune.outcomes.predictor import OutcomeConfig, Prediction
    from finetune.outcomes.target import Target


def outcome(
    source: Annotated[
        list[Path],
        typer.Argument(help="A model folder and a store to fit it to. With --model: recordings of any format."),
    ],
    *,
    model: Annotated[Path | None, typer.Option(help="Folder that this command made: ask it about recordings.")] = None,
    target: Annotated[
        str | None,
        typer.Option(help="age, heart_rate, mean_rr, sdnn, rmssd, qrs_width, or a column of --table."),
    ] = None,
    table: Annotated[
        Path | None, typer.Option(help="CSV with a column 'record' or 'subject', and the columns named here.")
    ] = None,
    time: Annotated[str | None, typer.Option(help="Column of times until the event or the end of watching.")] = None,
    event: Annotated[str | None, typer.Option(help="Column that says whether the event came: 1 or 0.")] = None,
    horizon: Annotated[
        float | None, typer.Option(help="Time at which probabilities are given. [default: the median time]")
    ] = None,
    beside: Annotated[
        list[str] | None,
        typer.Option(help="Column of --table that others predict with, a clinical score, as a row; again for more."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder of what is made; must not be there yet.")] = None,
    adapt: Annotated[
        Adaptation,
        typer.Option(help="What moves besides the head: nothing, low-rank additions, the last blocks, or everything."),
    ] = Adaptation.PROBE,
    seeds: Annotated[int, typer.Option(min=1, help="Random encoders, and trainings from scratch.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="Of the adaptation.")] = 0,
    steps: Annotated[int, typer.Option(min=1, help="Of each training, at most.")] = 120,
    scratch: Annotated[bool, typer.Option(help="Also train the architecture from scratch.")] = True,
    draws: Annotated[int, typer.Option(min=1, help="Bootstrap draws over test subjects.")] = 1000,
    workers: Annotated[int | None, typer.Option(min=0, help="Processes for the rivals. [default: one a core]")] = None,
    allow_leakage: Annotated[
        bool, typer.Option("--allow-leakage", help="Go on although the model has met the test side.")
    ] = False,
) -> None:
    """Predict age, heart rate or any number of a table, or the time to an event. Not a medical device.

    Regression takes --target, survival --table, --time and --event. The store's own folds are the sides; validation
    chooses, test is looked at once. Beside the pretrained encoder stand random ones, one from scratch, age and sex,
    and nothing at all. OUT gets the model, result.json, table.md and a picture.

    Example: `biosig outcome run/model code15.store --target age --out age`, then
    `biosig outcome 1.hea 2.hea --model age --out predictions`

    Example: `biosig outcome run/model my.store --table outcomes.csv --time years --event died --out survival`
    """
    from biosig.errors import BiosigError

    if model is not None:
        given = {"--target": target, "--table": table, "--time": time, "--event": event, "--horizon": horizon}
        for name, value in given.items():
            if value is not None:
                raise BiosigError(f"{name}: what is predicted is fixed in {model}; leave it out with --model")
        _apply(source, model, out)
        return
    if len(source) != 2:
        raise BiosigError(f"expected a model folder and a store, or recordings with --model; got {len(source)} paths")
    if out is None:
        raise BiosigError("--out: expected a folder for the fitted model")
    if out.exists():
        raise BiosigError(f"{out}: exists already; give another folder")
    expect_writable(out)
    _fit(
        source[0],
        source[1],
        out,
        wanted=(target, table, time, event),
        beside=tuple(beside or ()),
        horizon=horizon,
        options=_options(adapt, seeds=seeds, seed=seed, steps=steps, scratch=scratch, draws=draws, workers=workers),
        allow_leakage=allow_leakage,
    )


def _options(
    adapt: Adaptation, *, seeds: int, seed: int, steps: int, scratch: bool, draws: int, workers: int | None
) -> Options:
    from finetune.outcomes.bench import Options
    from finetune.outcomes.training import Budget
    from pretrain.specs.execution import Device, Precision
    from pretrain.training.precision import resolve_precision

    half = resolve_precision(Precision.AUTO, Device.AUTO) is Precision.BF16
    return Options(adapt, seeds, draws, Budget(steps=steps, half=half), scratch, seed, workers)


def _target(store: Store, target: str | None, table: Path | None, time: str | None, event: str | None) -> Target:
    """What the options ask for.

    Raises:
        BiosigError: If they do not go together.
    """
    from biosig.errors import BiosigError
    from finetune.outcomes.target import from_column, from_table

    if (time is None) != (event is None):
        raise BiosigError("survival needs both: --time and --event, columns of --table")
    if time is not None and target is not None:
        raise BiosigError("expected --target of a number, or --time and --event of survival, got both")
    column = target or time
    if column is None:
        raise BiosigError("expected --target of a number, or --table, --time and --event of survival")
    if table is None:
        if event is not None:
            raise BiosigError("--time and --event: expected --table, the file that has these columns")
        return from_column(store, column)
    return from_table(store, table, column, event)


def _fit(
    model: Path,
    path: Path,
    out: Path,
    *,
    wanted: tuple[str | None, Path | None, str | None, str | None],
    beside: tuple[str, ...],
    horizon: float | None,
    options: Options,
    allow_leakage: bool,
) -> None:
    from dataclasses import replace

    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    from biosig.errors import BiosigError
    from biosig.plot import save
    from biosig.store import Store
    from finetune.outcomes.figure import figure
    from finetune.outcomes.fit import fit
    from finetune.outcomes.result import RESULT
    from finetune.outcomes.table import as_table, markdown
    from finetune.outcomes.target import from_table
    from pretrain.saving import save_bytes

    store = Store(path)
    target = _target(store, *wanted)
    if beside:
        if wanted[1] is None:
            raise BiosigError("--beside: expected --table, the file that has the column")
        scores = {name: from_table(store, wanted[1], name).values for name in beside}
        options = replace(options, beside=scores)
    console = Console()
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    stages = 5 + options.seeds * options.scratch + 2 * (options.adaptation is not Adaptation.PROBE)
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("outcome", total=stages)
        found = fit(
            model,
            store,
            target,
            options,
            horizon=horizon,
            allow_leakage=allow_leakage,
            say=lambda what: progress.update(bar, description=what, advance=1),
        )
        found.predictor.save_pretrained(out)
        save_bytes((markdown(found.result) + "\n").encode(), out / "table.md")
        save_bytes(found.result.model_dump_json(indent=1).encode(), out / RESULT)
        save(figure(found), out / "outcome.png")
    _show_blocks(found, console)
    console.print(as_table(found.result, width=console.width))
    console.print(f"{out}: biosig outcome RECORDING --model {out}", markup=False, highlight=False, soft_wrap=True)


def _show_blocks(found: Outcome, console: Console) -> None:
    moved = sum(block.trained for block in found.blocks)
    if moved:
        total = sum(block.parameters for block in found.blocks)
        facts = found.predictor.config.training
        console.print(
            f"{moved:,} of {total:,} weights of the encoder moved; step {facts['best_step']} of {facts['steps']} kept",
            highlight=False,
        )


def _apply(files: list[Path], model: Path, out: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    import biosig
    from biosig.errors import BiosigError, one_line
    from finetune.outcomes.predictor import OutcomePredictor

    console, notices = Console(), Console(stderr=True)
    with notices.status("loading the model"):
        loaded = OutcomePredictor.from_pretrained(model)
    found: list[tuple[Path, Recording, Prediction]] = []
    with notices.status("reading"):
        for path in files:
            try:
                recording = biosig.read(path)
                found.append((path, recording, loaded.predict(recording)[0]))
            except BiosigError as error:
                why = one_line(str(error))
                notices.print(f"left out: {why}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    table = Table("recording", *_columns(loaded.config), box=None, padding=(0, 2, 0, 0))
    for path, _, said in found:
        table.add_row(Text(str(path)), *_cells(said))
    console.print(table)
    if out is not None and found:
        with notices.status("drawing"):
            _write(out, loaded.config, found)
        console.print(str(out), style="bold", markup=False, highlight=False)
    if failed := len(files) - len(found):
        notices.print(f"{failed} of {len(files)} files left out", style="yellow")
        raise typer.Exit(2)


def _columns(config: OutcomeConfig) -> tuple[str, ...]:
    if config.risk is None:
        return (f"{config.target}, {config.unit}" if config.unit else config.target, "low", "high")
    by = f"{config.risk.horizon:.3g} {config.unit}".strip()
    return ("log hazard ratio", "third of risk", f"{config.target} by {by}, probability")


def _cells(said: Prediction) -> tuple[str, ...]:
    if said.probability is None:
        return (f"{said.value:.4g}", *("–" if end is None else f"{end:.4g}" for end in (said.low, said.high)))
    return (f"{said.value:+.3f}", said.group, f"{said.probability:.3f}")


def _words(config: OutcomeConfig, said: Prediction) -> str:
    """For a person: `heart rate 72 /min [64, 80]`."""
    name = config.target.replace("_", " ")
    if config.risk is not None:
        by = f"{config.risk.horizon:.3g} {config.unit}".strip()
        return f"{name} by {by}: probability {said.probability:.2f}; {said.group} third of risk"
    ends = "" if said.low is None else f" [{said.low:.3g}, {said.high:.3g}]"
    return f"{name} {said.value:.3g} {config.unit}".strip() + ends


def _write(out: Path, config: OutcomeConfig, found: list[tuple[Path, Recording, Prediction]]) -> None:
    """One line a recording, and one picture, numbered where names are alike."""
    import csv

    from biosig.plot import ecg_paper, save, traces
    from biosig.recording import Modality

    out.mkdir(parents=True, exist_ok=True)
    with whole_file(out / "predictions.csv") as place, place.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["file", *_columns(config)])
        for path, _, said in found:
            exact = (
                (said.value, said.low, said.high)
                if said.probability is None
                else (said.value, said.group, said.probability)
            )
            lines.writerow(
                [str(path), *("" if one is None else one if isinstance(one, str) else f"{one:.6g}" for one in exact)]
            )
    for number, (path, recording, said) in enumerate(found, start=1):
        alike = sum(other.stem == path.stem for other, _, _ in found) > 1
        only_ecg = all(kind is Modality.ECG for kind in recording.modality)
        figure = ecg_paper(recording, concepts=[_words(config, said)]) if only_ecg else traces(recording)
        save(figure, out / f"{path.stem}{f'-{number}' if alike else ''}.png")
