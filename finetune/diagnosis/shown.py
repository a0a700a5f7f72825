"""What a diagnoser said, on the terminal and in a file."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from biosig.quality import flags, in_words
from biosig.recording import Recording
from biosig.whole import whole_file
from finetune.diagnosis.diagnoser import Answer, Diagnosis
from finetune.trust.neighbours import Neighbour

#: An input that is farther from the training records than this share of their like is called unlike them.
UNLIKE = 0.99
_COLUMNS = ("file", "concept", "term", "probability", "threshold", "named", "answer", "novelty", "quality", "nearest")


def as_table(path: Path, recording: Recording, diagnosis: Diagnosis, *, every: bool) -> RenderableType:
    """One recording: what is wrong with its signal, whether it is like the training records, findings, nearest records.

    Args:
        path: Its file.
        recording: As it was read.
        diagnosis: What is said of it.
        every: List every finding, not only those that are named or not excluded. Of a finding that is never excluded,
            because validation had too few records with it, "undecided" says nothing: such are counted.
    """
    table = Table("finding", "probability", "threshold", "answer", box=None, padding=(0, 2, 0, 0))
    silent = 0
    for one in diagnosis.said:
        open_question = one.answer is Answer.UNDECIDED
        if not every and open_question and not one.named and one.concept.limits[1] is None:
            silent += 1
        elif every or one.named or open_question or one.answer is Answer.YES:
            style = "bold" if one.named else "dim"
            numbers = (f"{one.probability:.2f}", f"{one.concept.threshold:.2f}")
            table.add_row(escape(one.concept.term), *numbers, one.answer.value, style=style)
    head = f"[bold]{escape(str(path))}[/]  {len(recording.channels)} channels, {recording.duration:.1f} s"
    wrong = [f"[bold yellow]wrong with the signal: {in_words(found)}[/]"] if (found := flags(recording)) else []
    if diagnosis.missing:
        lost = f"{len(diagnosis.missing)} leads that the model was made for are missing: {', '.join(diagnosis.missing)}"
        wrong.append(f"[bold yellow]{escape(lost)}[/]")
    likely = table if table.row_count else "nothing is likely"
    parts: list[RenderableType] = [head, *wrong, _novelty(diagnosis.novelty), likely]
    if silent:
        parts.append(f"[dim]too rare in validation to be excluded: {silent} more; --all lists them[/]")
    if diagnosis.nearest:
        parts.append(_nearest(diagnosis.nearest))
    return Group(*parts, "")


def write_csv(path: Path, found: Iterable[tuple[Path, Recording, Diagnosis]]) -> None:
    """One line a recording and finding."""
    with whole_file(path) as place, place.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(_COLUMNS)
        for source, recording, diagnosis in found:
            quality = " ".join([*flags(recording), *(["missing-leads"] if diagnosis.missing else [])])
            nearest = " ".join(f"{one.corpus}/{one.record}" for one in diagnosis.nearest)
            for one in diagnosis.said:
                numbers = (f"{one.probability:.6f}", f"{one.concept.threshold:.6f}")
                facts = (int(one.named), one.answer.value, f"{diagnosis.novelty:.4f}", quality, nearest)
                lines.writerow([str(source), one.concept.concept, one.concept.term, *numbers, *facts])


def heading(diagnosis: Diagnosis) -> list[str]:
    """For a picture: first what speaks against trusting it, then what is named, as said by a model."""
    warnings = [f"{len(diagnosis.missing)} leads missing"] if diagnosis.missing else []
    warnings += ["unlike the training records"] if diagnosis.novelty > UNLIKE else []
    named = [f"{one.concept.term} {one.probability:.2f}" for one in diagnosis.said if one.named]
    first = " ".join(["a model says", *(f"({warning})" for warning in warnings)])
    return [f"{first}: {(named or ['nothing is likely'])[0]}", *named[1:]]


def _novelty(share: float) -> str:
    """How unusual it is, in whole percent of familiar records; loud only where it is."""
    if share > UNLIKE:
        beyond = "all" if share >= 1 else f"{100 * share:.1f} %"
        return (
            f"[bold yellow]unlike the training records: farther from them than {beyond} of the records of their kind; "
            "trust nothing below[/]"
        )
    return f"[dim]like the training records: {100 * share:.0f} % of their kind are nearer to them[/]"


def _nearest(records: tuple[Neighbour, ...]) -> RenderableType:
    table = Table("training records most like it", "similarity", "their findings", box=None, padding=(0, 2, 0, 0))
    for one in records:
        findings = ", ".join(one.findings) or "none stated"
        table.add_row(escape(f"{one.corpus} {one.record}"), f"{one.similarity:.2f}", escape(findings), style="dim")
    return table
