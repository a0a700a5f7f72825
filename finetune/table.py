"""The result on the terminal."""

from __future__ import annotations

from rich.console import Group
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from finetune.report import decimal, lines
from finetune.result import Evaluation, Severity

# Below this many characters the column that most rows share with the report is left to the report.
_WIDE = 100


def as_table(evaluation: Evaluation, *, width: int = 120) -> Group:
    """Findings of the audit, then every row with its intervals below its numbers.

    Args:
        evaluation: What was found.
        width: Characters there are. In a narrow terminal the intervals over seeds are in the report alone.
    """
    wide = width >= _WIDE
    parts: list[Panel | Table | Text] = []
    for finding in evaluation.findings:
        style = {Severity.REFUSAL: "bold white on red", Severity.WARNING: "yellow"}.get(finding.severity, "dim")
        title = "not a fair test" if finding.severity is Severity.REFUSAL else finding.severity.value
        parts.append(Panel(escape(finding.text), title=title, style=style))
    n_scored = sum(count.scored for count in evaluation.concepts)
    test = evaluation.sides[-1]
    table = Table(
        title=escape(f"{evaluation.model['name']} on {evaluation.store['title']}"),
        caption=(
            f"{test.records:,} test records of {test.subjects:,} subjects, {n_scored} concepts; chance: AUROC 0.500, "
            f"AUPRC {decimal(evaluation.prevalence)}; intervals: 95 %, bootstrap over subjects (and seeds)"
        ),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("")
    for name in ("macro AUROC", *(("with seeds",) if wide else ()), "macro AUPRC", "pretrained gains"):
        table.add_column(name, no_wrap=True)
    for line in lines(evaluation):
        if line.first_of_group:
            table.add_section()
            table.add_row(f"[italic]{escape(line.group)}[/]")
        table.add_row(
            f"  {escape(line.encoder)}",
            f"{line.auroc}\n[dim]{escape(line.auroc_subjects)}[/]",
            *((f"\n[dim]{escape(line.auroc_seeds)}[/]",) if wide else ()),
            f"{line.auprc}\n[dim]{escape(line.auprc_subjects)}[/]",
            f"{line.gap}\n[dim]{escape(line.gap_interval)}[/]",
            style="bold" if line.ours else "",
        )
    parts.append(table)
    return Group(*parts)
