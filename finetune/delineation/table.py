"""The numbers of a cross-validation as a table, for the terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group
from rich.table import Table
from rich.text import Text

from finetune.delineation.crossval import Result
from finetune.delineation.scores import POOLED, PointScore
from finetune.diagnosis.result import Estimate

PUBLISHED = (
    "Published, on their own protocols: F1 above 99 % for QRS and T and 97 % for P on LUDB (arXiv 2304.06237); SD of "
    "QRS onset and offset 14.0 and 16.3 ms (an assessment of 2026)."
)
HEADER = ("wave", "point", "by", "sensitivity, %", "PPV, %", "F1, %", "mean error, ms", "SD, ms")


def rows(result: Result, lead: str = POOLED) -> list[tuple[str, ...]]:
    """Each wave and point by the network and by neurokit2, with 95 % intervals."""
    ours, theirs = ([one for one in side if one.lead == lead] for side in (result.ours, result.neurokit))
    return [
        (one.wave.value, one.point.value, name, *_cells(one))
        for pair in zip(ours, theirs, strict=True)
        for name, one in zip(("network", "neurokit2"), pair, strict=True)
    ]


def _cells(one: PointScore) -> list[str]:
    shares = [_cell(part, 100.0) for part in (one.sensitivity, one.ppv, one.f1)]
    return [*shares, _cell(one.mean, 1.0, sign=True), _cell(one.sd, 1.0)]


def _cell(part: Estimate, unit: float, *, sign: bool = False) -> str:
    digits = "+.1f" if sign else ".2f" if unit == 100 else ".1f"
    if part.value is None:
        return "–"
    if part.low is None or part.high is None:
        return f"{unit * part.value:{digits}}"
    return f"{unit * part.value:{digits}} [{unit * part.low:{digits}}, {unit * part.high:{digits}}]"


def markdown(result: Result) -> str:
    """All leads together, then the standard deviation and F1 of each lead."""
    whole = _grid(HEADER, rows(result))
    header = ("lead", *(f"{one.wave.value} {one.point.value}" for one in _of(result.ours, POOLED)))
    leads = list(dict.fromkeys(one.lead for one in result.ours))
    each = [(lead, *(_brief(one) for one in _of(result.ours, lead))) for lead in leads]
    return "\n".join(
        [_about(result), "", *whole, "", PUBLISHED, "", "SD of the error, ms (F1, %) of the network in each lead:", "",
         *_grid(header, each)]
    )  # fmt: skip


def as_table(result: Result) -> Group:
    """All leads together."""
    table = Table(*HEADER, box=None, padding=(0, 2, 0, 0))
    for row in rows(result):
        table.add_row(*(Text(cell) for cell in row), style="bold" if row[2] == "network" else "dim")
    return Group(Text(_about(result)), Text(), table, Text(), Text(PUBLISHED, style="dim"))


def _about(result: Result) -> str:
    seeds = "1 seed" if len(result.seeds) == 1 else f"{len(result.seeds)} seeds"
    return (
        f"{result.source}: {result.recordings:,} recordings, {result.leads:,} leads, {result.folds} folds of people, "
        f"each tested once, {seeds}; 95 % intervals over people; a point is found within 150 ms"
    )


def _of(scores: Sequence[PointScore], lead: str) -> list[PointScore]:
    return [one for one in scores if one.lead == lead]


def _brief(one: PointScore) -> str:
    sd, f1 = one.sd.value, one.f1.value
    return "–" if sd is None or f1 is None else f"{sd:.1f} ({100 * f1:.1f})"


def _grid(header: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    return ["| " + " | ".join(line) + " |" for line in (header, ["---"] * len(header), *body)]
