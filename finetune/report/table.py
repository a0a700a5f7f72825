"""The result on the terminal."""

from __future__ import annotations

from itertools import groupby

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from finetune.diagnosis.result import Evaluation, Severity
from finetune.report.document import GRAPH, Line, adapted_pairs, drop_lines, lines
from finetune.report.page import bracket, decimal
from finetune.trust.figures import SCALINGS

# Characters that the whole table takes; a narrower terminal gets the first and the last metric.
_WHOLE = 118
# What a narrow and a wide terminal get of the scores that know the ontology.
_SHORT = ("f1", "challenge")
_LONG = ("f1", "edges_per_error", "challenge")


def as_table(evaluation: Evaluation, *, width: int) -> Group:
    """Findings of the audit, then every row with its intervals.

    Args:
        evaluation: The numbers.
        width: Of the terminal, in characters.
    """
    parts: list[RenderableType] = []
    for finding in evaluation.findings:
        style = {Severity.REFUSAL: "bold white on red", Severity.WARNING: "yellow"}.get(finding.severity, "dim")
        title = "not a fair test" if finding.severity is Severity.REFUSAL else finding.severity.value
        parts.append(Panel(escape(finding.text), title=title, style=style))
    against = f" beside {evaluation.other['name']}" if evaluation.other else ""
    where = evaluation.store["title"]
    if evaluation.outside:
        where = f"{evaluation.outside['title']}, taught on {where}"
    parts.append(Text(f"{evaluation.model['name']}{against} on {where}", style="bold"))
    for number, (group, rows) in enumerate(groupby(lines(evaluation), key=lambda line: line.group)):
        parts += [Text(f"\n{group}", style="italic"), _rows(list(rows), whole=width >= _WHOLE, header=number == 0)]
    parts += _pairs(evaluation)
    parts += _drops(evaluation)
    parts += _graph(evaluation, whole=width >= _WHOLE)
    parts += _calibration(evaluation)
    n_scored = sum(count.scored for count in evaluation.concepts)
    test = evaluation.sides[-1]
    note = (
        f"\n{test.records:,} test records of {test.subjects:,} subjects, {n_scored} concepts; chance: AUROC 0.500, "
        f"AUPRC {decimal(evaluation.prevalence)}; 95 % intervals over subjects; gains over subjects"
        f"{' and seeds' if any(gap.auroc.subjects_and_seeds for gap in evaluation.differences) else ''}"
    )
    return Group(*parts, Text(note, style="dim"))


def _rows(rows: list[Line], *, whole: bool, header: bool) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=header)
    table.add_column("", width=30, no_wrap=True)
    table.add_column("macro AUROC", width=20, no_wrap=True)
    if whole:
        table.add_column("subjects, seeds", width=15, no_wrap=True)
        table.add_column("macro AUPRC", width=20, no_wrap=True)
    table.add_column("pretrained gains", width=24, no_wrap=True)
    for line in rows:
        metrics = [_with_interval(line.auroc, line.auroc_subjects)]
        if whole:
            metrics += [f"[dim]{escape(line.auroc_seeds)}[/]", _with_interval(line.auprc, line.auprc_subjects)]
        gap = _with_interval(line.gap, line.gap_interval)
        table.add_row(escape(line.encoder), *metrics, gap, style="bold" if line.ours else "")
    return table


def _pairs(evaluation: Evaluation) -> list[RenderableType]:
    """What adapting gives, paired."""
    found = adapted_pairs(evaluation)
    if not found:
        return []
    table = Table("", "macro AUROC, paired", box=None, padding=(0, 2, 0, 0))
    for pair in found:
        table.add_row(escape(pair.what), _with_interval(pair.value, pair.interval))
    return [Text("\nwhat adapting the encoder gives", style="bold"), table]


def _drops(evaluation: Evaluation) -> list[RenderableType]:
    """Rows of an external validation beside the same on the test side of the training store."""
    if not evaluation.drops:
        return []
    table = Table("", "inside", "outside", "change", box=None, padding=(0, 2, 0, 0))
    for line in drop_lines(evaluation):
        table.add_row(*map(escape, line))
    count = evaluation.drops[0].n_concepts
    title = f"\ninside and outside, macro AUROC over the {count} concepts that both can judge"
    return [Text(title, style="bold"), table]


def _calibration(evaluation: Evaluation) -> list[RenderableType]:
    """The errors of the probabilities of the pretrained probe, before and after scaling."""
    if evaluation.trust is None:
        return []
    table = Table("", "calibration error", "Brier score", box=None, padding=(0, 2, 0, 0))
    for one in evaluation.trust.calibrated:
        numbers = (_with_interval(decimal(number.value), bracket(number)) for number in (one.ece, one.brier))
        table.add_row(SCALINGS[one.scaling], *numbers)
    title = "\nprobabilities of the pretrained probe with most labels, scaled on validation"
    return [Text(title, style="bold"), table]


def _graph(evaluation: Evaluation, *, whole: bool) -> list[RenderableType]:
    """The scores that know the ontology, of the rows without labels and with most."""
    found = [line for line in lines(evaluation) if line.graph]
    most = max((line.fraction for line in found if line.fraction is not None), default=None)
    chosen = [line for line in found if line.fraction in (None, most)]
    if not chosen:
        return []
    titles = [title for name, title in GRAPH.items() if name in (_LONG if whole else _SHORT)]
    parts: list[RenderableType] = [Text("\nwith the ontology, at thresholds from validation", style="bold")]
    for number, (group, rows) in enumerate(groupby(chosen, key=lambda line: line.group)):
        table = Table(box=None, padding=(0, 2, 0, 0), show_header=number == 0)
        table.add_column("", width=28, no_wrap=True)
        for title in titles:
            table.add_column(title, width=22, no_wrap=True)
        for line in rows:
            scores = [
                _with_interval(*one) for title, one in zip(GRAPH.values(), line.graph, strict=True) if title in titles
            ]
            table.add_row(escape(line.encoder), *scores, style="bold" if line.ours else "")
        parts += [Text(f"\n{group}", style="italic"), table]
    return parts


def _with_interval(value: str, interval: str) -> str:
    return f"{value} [dim]{escape(interval)}[/]"
