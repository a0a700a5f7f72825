"""A shade lies where its seconds are, in the cells of its lead, and nowhere else."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from biosig.plot import Shade, ecg_paper
from biosig.plot.layout import Cell
from biosig.plot.paper import SPEED
from biosig.plot.shade import draw_shades
from biosig.simulate import ecg

RED = "#d55e00"


def drawn(axes: Axes) -> list[tuple[float, ...]]:
    boxes = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
    return [(one.get_x(), one.get_y(), one.get_width(), one.get_height()) for one in boxes]


def shaded(*shades: Shade, cell: Cell, start: float = 0.0) -> list[tuple[float, ...]]:
    axes = Figure().add_subplot()
    draw_shades(axes, shades, cell, left=12.0, start=start, bottom=40.0, top=55.0)
    return drawn(axes)


def test_a_shade_is_drawn_at_its_seconds() -> None:
    found = shaded(Shade("II", 3.0, 3.5, RED), cell=Cell("II", 0.0, 10.0), start=2.0)
    np.testing.assert_allclose(found, [(12 + SPEED, 40, 0.5 * SPEED, 15)])


def test_a_shade_is_cut_at_the_edges_of_its_cell_and_left_out_elsewhere() -> None:
    cell = Cell("II", 2.5, 5.0)
    found = shaded(
        Shade("II", 2.0, 3.0, RED), Shade("II", 4.5, 9.0, RED), Shade("II", 0.0, 2.5, RED), Shade("V1", 3.0, 4.0, RED),
        cell=cell,
    )  # fmt: skip
    np.testing.assert_allclose(
        found, [(12 + 2.5 * SPEED, 40, 0.5 * SPEED, 15), (12 + 4.5 * SPEED, 40, 0.5 * SPEED, 15)]
    )


def test_on_paper_a_lead_is_shaded_in_its_cell_and_its_rhythm_strip() -> None:
    figure = ecg_paper(ecg(seed=0), shades=[Shade("II", 1.0, 1.1, RED), Shade("V6", 1.0, 1.1, RED)])
    colours = [patch.get_facecolor()[:3] for patch in figure.axes[0].patches]
    # V6 has only the last quarter of the paper; II the first, and the strip below.
    assert colours.count(to_rgba(RED)[:3]) == 2
