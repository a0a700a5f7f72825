"""Values at electrodes as maps of the scalp, seen from above with the nose up."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from biosig.errors import BiosigError
from biosig.plot.lettering import fit, width_of
from biosig.plot.output import new_figure
from biosig.preprocess.electrodes import derivation, places

# Millimetres.
_SIDE, _CAPTION, _MARGIN, _BAR, _TITLE = 38.0, 5.0, 4.0, 24.0, 7.0
# Values of both signs diverge from white; others go from dark to light.
_DIVERGING, _SEQUENTIAL = "RdBu_r", "viridis"
# Fewer known electrodes than that make no map.
LEAST_KNOWN = 4


def topomaps(
    values: Float[np.ndarray, "map electrode"],
    electrodes: Sequence[str],
    *,
    titles: Sequence[str] = (),
    limits: tuple[float, float] | None = None,
    unit: str = "",
    title: str = "",
    columns: int = 6,
    names: bool = False,
) -> Figure:
    """Maps beside each other, in one scale with one colour bar.

    Between electrodes MNE interpolates linearly on the plane, beyond them it extrapolates to the edge of the head. So
    no place is beyond the electrodes around it: a cubic surface, MNE's default, has its highest point in the middle of
    a headset that has no electrode there. An electrode without a value (NaN) is left out and drawn as a cross.

    Args:
        values: One row a map.
        electrodes: Names of the 10-05 system, one a column.
        titles: Above each map.
        limits: Of the colours. By default plus and minus the largest magnitude where any value is negative, so that
            white is zero; else from the least to the greatest.
        unit: Beside the colour bar.
        title: Above all of them.
        columns: Maps in a row, at most.
        names: Write the electrodes' names.

    Raises:
        BiosigError: If shapes do not fit, the place of an electrode is not known, or a map has fewer than four values.
    """
    values = np.asarray(values, dtype=float)
    _check(values, electrodes, titles)
    low, high = limits or _limits(values)
    if not low < high:
        raise BiosigError(f"limits: expected the lower below the upper, got {low:g} and {high:g}")
    caption = _CAPTION if titles else 0.0
    across = min(columns, len(values))
    down = -(-len(values) // across)
    width = 2 * _MARGIN + across * _SIDE + _BAR
    height = 2 * _MARGIN + down * (_SIDE + caption) + (_TITLE if title else 0)
    figure = new_figure(width, height)
    colours = _DIVERGING if low < 0 < high else _SEQUENTIAL
    # Of captions that long ones fit above their own map.
    letters = float(np.clip(8 * 22 / max((len(one) for one in titles), default=1), 5, 8))
    for number, row in enumerate(values):
        left = _MARGIN + number % across * _SIDE
        bottom = height - _MARGIN - (_TITLE if title else 0) - (number // across + 1) * (_SIDE + caption)
        axes = figure.add_axes((left / width, bottom / height, _SIDE / width, _SIDE / height))
        _draw(axes, row, electrodes, (low, high), colours, names=names)
        if titles:
            # In the figure and not the axes, whose own titles move with what is drawn.
            middle = (left + _SIDE / 2) / width
            figure.text(
                middle, (bottom + _SIDE + 0.5) / height, titles[number], ha="center", fontsize=letters, parse_math=False
            )
    _colour_bar(figure, (width, height), unit, middle=(height - (_TITLE if title else 0) - caption) / 2)
    if title:
        name = figure.text(_MARGIN / width, 1 - 8 / height, title, fontsize=11, fontweight="bold", parse_math=False)
        # A page of one map is narrow: smaller letters before an ellipsis.
        for size in (9, 7.5, 6):
            if width_of(name, figure) > width - 2 * _MARGIN:
                name.set_fontsize(size)
        fit(name, figure, width - 2 * _MARGIN)
    return figure


def _limits(values: Float[np.ndarray, "map electrode"]) -> tuple[float, float]:
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    if low < 0:
        largest = max(-low, high)
        return -largest, largest
    # Equal values still need a scale.
    return (low, high) if low < high else (low, low + 1.0)


def _draw(
    axes: Axes,
    row: Float[np.ndarray, " electrode"],
    electrodes: Sequence[str],
    limits: tuple[float, float],
    colours: str,
    *,
    names: bool,
) -> None:
    import mne  # noqa: PLC0415 -- seconds to import; other pictures do without

    from biosig.preprocess.spherical import HEAD_RADIUS, head  # noqa: PLC0415 -- as above

    known = np.isfinite(row)
    there = tuple(name for name, seen in zip(electrodes, known, strict=True) if seen)
    mne.viz.plot_topomap(
        row[known],
        head(there),
        axes=axes,
        show=False,
        cmap=colours,
        vlim=limits,
        sphere=(0.0, 0.0, 0.0, HEAD_RADIUS),
        contours=0,
        res=128,
        image_interp="linear",
        sensors=not names,
    )
    for name, place, seen in zip(electrodes, places(electrodes).astype(float), known, strict=True):
        x, y = _flat(place, HEAD_RADIUS)
        if not seen:
            axes.plot(x, y, marker="x", markersize=3.5, color="#444444", linestyle="none", zorder=10)
        elif names:
            # Read on the darkest colour and on the line of the head, too.
            around = [withStroke(linewidth=1.2, foreground="white")]
            axes.text(
                x, y, name, ha="center", va="center", fontsize=4.5, zorder=10, path_effects=around, parse_math=False
            )


def _flat(place: Float[np.ndarray, " 3"], radius: float) -> tuple[float, float]:
    """Where MNE draws an electrode: as far from the middle as it is along the sphere."""
    x, y, z = place
    along = np.arctan2(np.hypot(x, y), z) / (np.pi / 2) * radius
    angle = np.arctan2(y, x)
    return along * np.cos(angle), along * np.sin(angle)


def _colour_bar(figure: Figure, page: tuple[float, float], unit: str, *, middle: float) -> None:
    width, height = page
    tall = 0.8 * _SIDE
    box = ((width - _BAR + 2) / width, (middle - tall / 2) / height, 3 / width, tall / height)
    bar = figure.colorbar(figure.axes[0].images[0], cax=figure.add_axes(box))
    bar.ax.tick_params(labelsize=7)
    bar.set_label(unit, fontsize=8, parse_math=False)
    bar.outline.set_linewidth(0.5)


def _check(values: Float[np.ndarray, "map electrode"], electrodes: Sequence[str], titles: Sequence[str]) -> None:
    if values.ndim != 2 or not len(values) or values.shape[1] != len(electrodes):
        raise BiosigError(f"expected (map, {len(electrodes)}) values, got {values.shape}")
    if titles and len(titles) != len(values):
        raise BiosigError(f"expected a title for each of {len(values)} maps, got {len(titles)}")
    if len(set(electrodes)) != len(electrodes):
        raise BiosigError(f"expected each electrode once, got {list(electrodes)}")
    for name, place in zip(electrodes, places(electrodes), strict=True):
        if derivation(name) or not np.isfinite(place).all():
            raise BiosigError(f"expected electrodes of the 10-05 system, got {name!r}")
    for number, row in enumerate(values):
        known = int(np.isfinite(row).sum())
        if known < LEAST_KNOWN:
            which = titles[number] if titles else f"map {number}"
            raise BiosigError(f"{which}: expected values at {LEAST_KNOWN} electrodes or more, got {known}")
