"""The numbers of an outcome as a table, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from finetune.diagnosis.result import Estimate, Metric, Severity
from finetune.outcomes.result import OutcomeResult
from finetune.outcomes.target import Kind

# Characters that every metric takes; a narrower terminal gets the first and the last column.
_WHOLE = 130
WORDS = {"mae": "MAE", "rmse": "RMSE", "r2": "R2", "pearson": "Pearson r", "c_index": "C-index"}
# Of the errors, which have the target's unit.
_WITH_UNIT = ("mae", "rmse")


def header(result: OutcomeResult) -> tuple[str, ...]:
    """`row`, the metrics, and what the chosen row gains in the first of them."""
    names = list(result.rows[0].metrics)
    words = [f"{WORDS[name]}, {result.unit}" if name in _WITH_UNIT and result.unit else WORDS[name] for name in names]
    return ("row", *words, f"{WORDS[names[0]]}: {result.chosen} less this")


def lines(result: OutcomeResult) -> list[tuple[str, ...]]:
    """Every row, with 95 % intervals over subjects (differences: and seeds, where there are three)."""
    first = next(iter(result.rows[0].metrics))
    by_rival = {gap.rival: gap.metrics[first] for gap in result.gaps}
    found = []
    for row in result.rows:
        gap = by_rival.get(row.name)
        said = "" if gap is None else written(widest(gap), sign=True)
        found.append((row.name, *(written(part.subjects) for part in row.metrics.values()), said))
    return found


def widest(metric: Metric) -> Estimate:
    """With the interval over subjects and seeds where it is known."""
    return metric.subjects if metric.subjects_and_seeds is None else metric.subjects_and_seeds


def written(part: Estimate, *, sign: bool = False) -> str:
    """Three significant digits or so, and the interval."""
    if part.value is None:
        return "–"
    largest = max(abs(end) for end in (part.value, part.low or 0.0, part.high or 0.0))
    digits = 3 if largest < 2 else 2 if largest < 100 else 1
    plan = f"{'+' if sign else ''}.{digits}f"
    if part.low is None or part.high is None:
        return f"{part.value:{plan}}"
    return f"{part.value:{plan}} [{part.low:{plan}}, {part.high:{plan}}]"


def about(result: OutcomeResult) -> str:
    """Who was tested, in a sentence."""
    sides = {side.role: side for side in result.sides}
    counts = ", ".join(
        f"{side.records:,} {role} records of {side.subjects:,} subjects"
        + ("" if side.events is None else f" ({side.events:,} events)")
        for role, side in sides.items()
    )
    unit = f", {result.unit}" if result.unit and result.kind is Kind.REGRESSION else ""
    return f"{result.target}{unit} on {result.corpus}: {counts}; 95 % intervals over test subjects"


def promises(result: OutcomeResult) -> list[str]:
    """What a prediction may promise, in sentences."""
    if result.halfwidth is None or result.coverage is None:
        return []
    part, unit = result.coverage, f" {result.unit}" if result.unit else ""
    shares = [f"{100 * one:.0f}" for one in (part.value, part.low, part.high) if one is not None]
    ends = f" [{shares[1]}, {shares[2]}]" if len(shares) == 3 else ""
    near = f"within {result.halfwidth:.3g}{unit} of what is predicted"
    return [f"90 % of validation lies {near}, and {shares[0]} %{ends} of test."]


def group_header(result: OutcomeResult) -> tuple[str, ...]:
    """Of the thirds of risk."""
    by = f"by {result.horizon:.3g}" + (f" {result.unit}" if result.unit else "")
    return ("third of risk", "records", "events", f"predicted {by}, %", f"Kaplan-Meier {by}, %")


def group_lines(result: OutcomeResult) -> list[tuple[str, ...]]:
    """The thirds of risk."""
    return [
        (
            group.name,
            f"{group.records:,}",
            f"{group.events:,}",
            "–" if group.predicted is None else f"{100 * group.predicted:.0f}",
            _percent(group.observed),
        )
        for group in result.groups
    ]


def _percent(part: Estimate) -> str:
    if part.value is None or part.low is None or part.high is None:
        return "–"
    return f"{100 * part.value:.0f} [{100 * part.low:.0f}, {100 * part.high:.0f}]"


def markdown(result: OutcomeResult) -> str:
    """For a page."""
    parts = [about(result), "", *_grid(header(result), lines(result))]
    parts += ["", *promises(result)] if promises(result) else []
    if result.groups:
        parts += ["", *_grid(group_header(result), group_lines(result))]
    return "\n".join(parts)


def as_table(result: OutcomeResult, *, width: int) -> Group:
    """For a terminal of so many characters."""
    parts: list[RenderableType] = []
    for finding in result.findings:
        style = "dim" if finding.severity is Severity.NOTE else "yellow"
        parts.append(Text(f"{finding.severity.value}: {finding.text}", style=style))
    shown = range(len(header(result))) if width >= _WHOLE else (0, 1, -1)
    rows = Table(*(header(result)[place] for place in shown), box=None, padding=(0, 2, 0, 0))
    for line in lines(result):
        rows.add_row(*(Text(line[place]) for place in shown), style="bold" if line[0] == result.chosen else "")
    parts += [Text(about(result)), Text(), rows, *(Text(f"\n{one}") for one in promises(result))]
    if result.groups:
        thirds = Table(*group_header(result), box=None, padding=(0, 2, 0, 0))
        for line in group_lines(result):
            thirds.add_row(*(Text(cell) for cell in line))
        parts += [Text(), thirds]
    return Group(*parts)


def _grid(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *body)]
