"""Millimetre paper: an axis whose unit is the millimetre, with the grid cardiologists read."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from biosig.plot.output import MM_PER_INCH

SPEED = 25.0  # mm a second
GAIN = 10.0  # mm a millivolt
INK = "#111318"
PAPER, _FINE, _COARSE = "#fffafa", "#f8d3d3", "#eb9c9c"


def paper(figure: Figure, *, left: float, bottom: float, width: float, height: float) -> Axes:
    """An axis in millimetres with 1 mm and 5 mm lines; the arguments are millimetres too."""
    full_width, full_height = (size * MM_PER_INCH for size in figure.get_size_inches())
    axes = figure.add_axes((left / full_width, bottom / full_height, width / full_width, height / full_height))
    axes.set(
        xlim=(0, width),
        ylim=(0, height),
    )
    axes.set_axis_off()
    axes.add_patch(Rectangle((0, 0), width, height, facecolor=PAPER, edgecolor="none", zorder=0))
    for spacing, colour, thickness in ((1, _FINE, 0.35), (5, _COARSE, 0.55)):
        x, y = np.arange(0, width + 1e-6, spacing), np.arange(0, height + 1e-6, spacing)
        lines = [((value, 0), (value, height)) for value in x] + [((0, value), (width, value)) for value in y]
        axes.add_collection(LineCollection(lines, colors=colour, linewidths=thickness, zorder=0.5), autolim=False)
    return axes


def calibration_pulse(axes: Axes, x: float, y: float) -> None:
    """One millivolt for a fifth of a second, from x on."""
    rise, width = GAIN * 1.0, SPEED * 0.2
    axes.plot(
        x + np.array([-1.0, 0, 0, width, width, width + 1.0]), y + np.array([0, 0, rise, rise, 0, 0]),
        color=INK, linewidth=0.8, solid_joinstyle="miter",
    )  # fmt: skip
