"""The result on the terminal."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from finetune.diagnosis.result import Metric, Severity
from finetune.emotion.figures import WORDS, main_measure
from finetune.emotion.metrics import Measure
from finetune.emotion.protocols import Access
from finetune.emotion.result import Line, Result
from finetune.report.page import bracket, decimal

# Characters of a number with its interval, and of the terminals that have room for gains, and for every metric.
_CELL, _GAINS, _WHOLE = 20, 115, 215


def as_table(result: Result, *, width: int) -> Group:
    """Findings, then every line with its intervals.

    Args:
        result: The numbers.
        width: Of the terminal, in characters.
    """
    parts: list[RenderableType] = []
    for finding in result.findings:
        style = "yellow" if finding.severity is Severity.WARNING else "dim"
        parts.append(Panel(escape(finding.text), title=finding.severity.value, style=style))
    parts.append(Text(f"{result.store['title']}: {result.target}, {result.protocol.value}", style="bold"))
    parts.append(_lines(result, width))
    counts = ", ".join(f"{count} {name}" for name, count in result.classes.items())
    gain = "gain: over the random encoder, paired; " if width >= _GAINS else ""
    note = (
        f"{result.trials} trials of {result.subjects} subjects under test (in all {counts}); {result.folds} folds, "
        f"{len(result.seeds)} seeds; 95 % intervals over subjects; {gain}every "
        "measure is in report.html"
    )
    return Group(*parts, Text(note, style="dim"))


def _lines(result: Result, width: int) -> Table:
    shown = _measures(result, width)
    main = main_measure(result)
    table = Table(box=None, padding=(0, 1, 0, 0))
    table.add_column("", width=16 if width < _GAINS else 28)
    table.add_column("knows of the test stream", width=12)
    table.add_column("its labels", width=6)
    for measure in shown:
        table.add_column(WORDS[measure], width=_CELL if width < _WHOLE else _CELL + 2)
    if width >= _GAINS:
        table.add_column(f"gain, {WORDS[main]}", width=_CELL + 3)
    for line in result.lines:
        cells = [cell(line.metrics[measure]) for measure in shown]
        if width >= _GAINS:
            gap = line.against_random.get(main)
            cells.append("" if gap is None else cell(gap, sign=True))
        knows = "[dim]causal[/]" if line.access is Access.CAUSAL else "[yellow]transductive[/]"
        table.add_row(escape(line.title), knows, labels_word(line), *cells)
    return table


def labels_word(line: Line) -> str:
    """Whether labels of the subject under test were used."""
    return "yes" if line.labels_of_target else "no"


def cell(metric: Metric, *, sign: bool = False) -> str:
    """Value and interval over subjects, in rich's markup."""
    estimate = metric.subjects
    return f"{decimal(estimate.value, sign=sign)} [dim]{escape(bracket(estimate, sign=sign))}[/]"


def _measures(result: Result, width: int) -> list[Measure]:
    every = list(result.lines[0].metrics) if result.lines else []
    if width >= _WHOLE:
        return every
    return [one for one in (Measure.ACCURACY, main_measure(result)) if one in every]
