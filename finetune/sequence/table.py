"""The numbers of staging as tables, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from finetune.diagnosis.result import Estimate
from finetune.sequence.crossval import StageResult
from finetune.sequence.network import Context
from finetune.sequence.nights import STAGES

HEADER = ("row", "kappa", "macro F1", "accuracy", *(f"F1 {name}" for name in STAGES), "kappa: network less this")
# Characters that every column takes; a narrower terminal gets the first three and the last.
_WHOLE = 170
_WORDS = {
    Context.BOTH: "past and future epochs",
    Context.PAST: "past epochs only (causal)",
    Context.NONE: "each epoch alone",
}


def lines(result: StageResult) -> list[tuple[str, ...]]:
    """Every row, with 95 % intervals over subjects."""
    return [
        (
            row.name,
            *(written(part) for part in row.metrics.values()),
            written(row.less["kappa"], sign=True) if row.less else "",
        )
        for row in result.rows
    ]


def written(part: Estimate, *, sign: bool = False) -> str:
    """A number and its interval, three decimals."""
    plan = "+.3f" if sign else ".3f"
    if part.value is None or part.low is None or part.high is None:
        return "–"
    return f"{part.value:{plan}} [{part.low:{plan}}, {part.high:{plan}}]"


def about(result: StageResult) -> str:
    """Who was tested, in a sentence."""
    epochs = ", ".join(f"{count:,} {name}" for name, count in result.epochs.items())
    seeds = "1 seed" if len(result.seeds) == 1 else f"mean of {len(result.seeds)} seeds"
    return (
        f"{result.source}: {result.nights:,} nights of {result.subjects:,} subjects, epochs of 30 s: {epochs}; "
        f"{', '.join(result.channels)}; {_WORDS[result.context]}; {result.folds} folds of people, each tested once, "
        f"{seeds}; 95 % intervals over subjects"
    )


def confusion(result: StageResult) -> list[tuple[str, ...]]:
    """The network's epochs, scored by predicted stage: counts, and the share of the scored stage in percent."""
    found = []
    for name, line in zip(STAGES, result.rows[0].confusion, strict=True):
        total = max(sum(line), 1)
        found.append((name, *(f"{count:,} ({100 * count / total:.0f})" for count in line)))
    return found


def markdown(result: StageResult) -> str:
    """For a page."""
    head = ("scored, epochs (%)", *(f"said {name}" for name in STAGES))
    return "\n".join([about(result), "", *_grid(HEADER, lines(result)), "", *_grid(head, confusion(result))])


def as_table(result: StageResult, *, width: int) -> Group:
    """For a terminal of so many characters."""
    shown = range(len(HEADER)) if width >= _WHOLE else (0, 1, 2, -1)
    table = Table(*(HEADER[place] for place in shown), box=None, padding=(0, 2, 0, 0))
    for line in lines(result):
        table.add_row(*(Text(line[place]) for place in shown))
    matrix = Table("scored", *STAGES, box=None, padding=(0, 2, 0, 0))
    for line in confusion(result):
        matrix.add_row(*(Text(cell) for cell in line))
    left: list[RenderableType] = [Text(f"left out: {reason}", style="yellow") for reason in result.skipped]
    said = Text("\nwhat the network said of each scored stage, epochs (%)")
    return Group(*left, Text(about(result)), Text(), table, said, matrix)


def _grid(head: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *body)]
