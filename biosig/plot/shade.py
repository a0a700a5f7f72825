"""Stretches of a lead behind its line on ECG paper: the waves of a delineation, an episode, a stimulus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from biosig.plot.layout import Cell
from biosig.plot.paper import SPEED

_ALPHA = 0.30


@dataclass(frozen=True)
class Shade:
    """One stretch of one lead.

    Attributes:
        lead: Its name.
        begin, end: Seconds after the first sample of the recording.
        colour: Any that matplotlib knows.
    """

    lead: str
    begin: float
    end: float
    colour: str


def draw_shades(
    axes: Axes, shades: Iterable[Shade], cell: Cell, *, left: float, start: float, bottom: float, top: float
) -> None:
    """Shade what lies in a cell, between the grid and the line.

    Args:
        axes: In millimetres.
        shades: Of any lead and time.
        cell: Whose lead and seconds are shown.
        left: Where the first shown second lies across the paper.
        start: The first shown second of the recording.
        bottom: Of the row.
        top: Of the row.
    """
    for shade in shades:
        begin, end = max(shade.begin - start, cell.begin), min(shade.end - start, cell.end)
        if shade.lead == cell.lead and begin < end:
            corner = left + SPEED * begin, bottom
            size = SPEED * (end - begin), top - bottom
            axes.add_patch(Rectangle(corner, *size, facecolor=shade.colour, alpha=_ALPHA, edgecolor="none", zorder=0.7))
