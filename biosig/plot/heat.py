"""Colour behind the lines of a recording: how much of something each moment of each channel has, for or against."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, Normalize
from matplotlib.figure import Figure

from biosig.errors import BiosigError
from biosig.plot.output import MM_PER_INCH

# Two hues that millimetre paper has not, equally dark, told apart by the colour-blind too: blue against, orange for.
_AGAINST, _FOR = (0.10, 0.28, 0.75), (0.93, 0.40, 0.0)
_OPAQUE = 0.78
# The share of moments whose colour is not at its limit: one sharp peak would leave all others pale.
_QUANTILE = 0.998


@dataclass(frozen=True)
class Heat:
    """A value for each moment of each channel.

    Attributes:
        values: `(channel, time)`, 0 for nothing.
        channels: Their names, one a row.
        rate: Values a second, the first at the recording's first sample.
        limit: What has the full colour, and more too.
        low, high: What a negative and a positive value mean, in words.
    """

    values: Float[np.ndarray, "channel time"]
    channels: tuple[str, ...]
    rate: float
    limit: float
    low: str = "against"
    high: str = "for"

    def __post_init__(self) -> None:
        if np.shape(self.values)[:1] != (len(self.channels),) or np.ndim(self.values) != 2 or not self.limit > 0:
            raise BiosigError(
                f"heat: expected ({len(self.channels)}, time) values and a limit above 0, got {np.shape(self.values)} "
                f"and {self.limit:g}"
            )

    @classmethod
    def of(
        cls,
        values: Float[np.ndarray, "channel time"],
        channels: tuple[str, ...],
        rate: float,
        *,
        low: str = "against",
        high: str = "for",
    ) -> Heat:
        """Values whose limit all but a few of them keep to."""
        limit = float(np.quantile(np.abs(values), _QUANTILE)) if np.size(values) else 0.0
        return cls(values, channels, rate, limit if limit > 0 else 1.0, low, high)

    def between(self, channel: str, begin: float, end: float) -> Float[np.ndarray, "1 time"]:
        """The values of a channel from one second to another, as one row; none where it has no such channel."""
        if channel not in self.channels:
            return np.empty((1, 0))
        row = np.asarray(self.values)[self.channels.index(channel)]
        return row[None, round(begin * self.rate) : round(end * self.rate)]


def draw_heat(
    axes: Axes,
    heat: Heat,
    channel: str,
    seconds: tuple[float, float],
    box: tuple[float, float, float, float],
) -> None:
    """Colour a stretch of a channel, between the grid and the line.

    Args:
        axes: Where.
        heat: The values.
        channel: Whose.
        seconds: The stretch, after the first sample of the recording.
        box: Left, right, bottom and top of that stretch on the axes.
    """
    values = heat.between(channel, *seconds)
    if not values.size:
        return
    left, right, bottom, top = box
    # The recording may end before the stretch does.
    right = left + (right - left) * values.shape[1] / heat.rate / (seconds[1] - seconds[0])
    limits = axes.axis()
    axes.imshow(
        values,
        extent=(left, right, bottom, top),
        aspect="auto",
        cmap=_colours(),
        norm=Normalize(-heat.limit, heat.limit),
        interpolation="antialiased",
        interpolation_stage="rgba",
        zorder=0.6,
    )
    axes.axis(limits)


def heat_bar(figure: Figure, heat: Heat, *, middle: float, bottom: float) -> None:
    """What the colours mean; the arguments are millimetres."""
    width, height = figure.get_size_inches() * MM_PER_INCH
    long, thick = 34.0, 2.6
    axes = figure.add_axes(((middle - long / 2) / width, bottom / height, long / width, thick / height))
    axes.imshow(np.linspace(-1, 1, 256)[None], aspect="auto", cmap=_colours(), extent=(-1, 1, 0, 1))
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
    for x, align, text in ((-1.06, "right", heat.low), (1.06, "left", heat.high)):
        axes.text(x, 0.5, text, ha=align, va="center", fontsize=7.5, clip_on=False, parse_math=False)


def _colours() -> ListedColormap:
    """From one hue through nothing at all to the other: at 0 the paper is seen."""
    strength = np.linspace(-1, 1, 511)
    hues = np.where(strength[:, None] < 0, _AGAINST, _FOR)
    return ListedColormap(np.column_stack([hues, _OPAQUE * np.abs(strength)]), name="against-for")
