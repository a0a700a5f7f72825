"""`biosig predict`: what a fine-tuned model says of recordings, as a table, a file, and pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import RenderableType

    from biosig.recording import Recording
    from finetune.diagnosis.diagnoser import Diagnosis


def predict(
    diagnoser: Annotated[Path, typer.Argument(help="Folder that `biosig finetune` made.")],
    files: Annotated[list[Path], typer.Argument(help="Recordings of any format.")],
    *,
    out: Annotated[
        Path | None, typer.Option(help="Folder for predictions.csv and a picture of each recording.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="List every finding, not only the likely ones.")] = False,
) -> None:
    """Ask a fine-tuned model about recordings. Not a medical device.

    A probability is calibrated. The answer is a set that promises to hold the truth nine times in ten, for those with
    the finding and for those without: yes, no, undecided (both), or neither (like nothing seen).

    A file that cannot be read is named and left out; the exit status is then 2.

    Example: `biosig predict diagnoser 00001_hr.hea --out predictions`
    """
    from rich.console import Console

    import biosig
    from biosig.errors import BiosigError
    from ontology.collector import paused

    console, notices = Console(), Console(stderr=True)
    # Importing makes a million objects to stay.
    with notices.status("loading the model"), paused():
        from finetune.diagnosis.diagnoser import Diagnoser

        loaded = Diagnoser.from_pretrained(diagnoser)
    found: list[tuple[Path, Recording, Diagnosis]] = []
    failed = 0
    with notices.status("reading"):
        for path in files:
            try:
                recording = biosig.read(path)
                found.append((path, recording, loaded.diagnose(recording)[0]))
            except BiosigError as error:
                failed += 1
                notices.print(f"left out: {error}", style="yellow", markup=False, highlight=False, soft_wrap=True)
    for path, recording, diagnosis in found:
        console.print(_table(path, recording, diagnosis, every=every))
    if out is not None and found:
        with notices.status("drawing"):
            _write(out, found)
        console.print(str(out), style="bold", markup=False, highlight=False)
    if failed:
        notices.print(f"{failed} of {len(files)} files left out", style="yellow")
        raise typer.Exit(2)


def _table(path: Path, recording: Recording, diagnosis: Diagnosis, *, every: bool) -> RenderableType:
    from rich.console import Group
    from rich.markup import escape
    from rich.table import Table

    from finetune.diagnosis.diagnoser import Answer

    table = Table("finding", "probability", "threshold", "answer", box=None, padding=(0, 2, 0, 0))
    for one in diagnosis.said:
        if every or one.named or one.answer in {Answer.YES, Answer.UNDECIDED}:
            style = "bold" if one.named else "dim"
            numbers = (f"{one.probability:.2f}", f"{one.concept.threshold:.2f}")
            table.add_row(escape(one.concept.term), *numbers, one.answer.value, style=style)
    head = f"[bold]{escape(str(path))}[/]  {len(recording.channels)} channels, {recording.duration:.1f} s"
    parts: list[RenderableType] = [head, table if table.row_count else "nothing is likely"]
    if diagnosis.novelty > 0.99:
        share = 100 * diagnosis.novelty
        parts.append(f"[yellow]unlike the training records: farther from them than {share:.0f} % of their like[/]")
    return Group(*parts, "")


def _write(out: Path, found: list[tuple[Path, Recording, Diagnosis]]) -> None:
    """One line a recording and finding; one picture a recording, numbered where names are alike."""
    import csv

    from biosig.plot import ecg_paper, save, traces
    from biosig.recording import Modality

    out.mkdir(parents=True, exist_ok=True)
    with (out / "predictions.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["file", "concept", "term", "probability", "threshold", "named", "answer", "novelty"])
        for path, _, diagnosis in found:
            for one in diagnosis.said:
                numbers = (f"{one.probability:.6f}", f"{one.concept.threshold:.6f}")
                facts = (int(one.named), one.answer.value, f"{diagnosis.novelty:.4f}")
                lines.writerow([str(path), one.concept.concept, one.concept.term, *numbers, *facts])
    for number, (path, recording, diagnosis) in enumerate(found, start=1):
        alike = sum(other.stem == path.stem for other, _, _ in found) > 1
        named = [f"{one.concept.term} {one.probability:.2f}" for one in diagnosis.said if one.named]
        only_ecg = all(kind is Modality.ECG for kind in recording.modality)
        figure = ecg_paper(recording, concepts=named) if only_ecg else traces(recording)
        save(figure, out / f"{path.stem}{f'-{number}' if alike else ''}.png")
