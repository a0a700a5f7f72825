"""Texts that stay within the page."""

from __future__ import annotations

from matplotlib.figure import Figure
from matplotlib.text import Text

from biosig.plot.output import MM_PER_INCH


def width_of(text: Text, figure: Figure) -> float:
    """How wide a text is drawn, millimetres."""
    return float(text.get_window_extent(figure.canvas.get_renderer()).width / figure.dpi * MM_PER_INCH)  # type: ignore[attr-defined]


def fit(text: Text, figure: Figure, width: float) -> None:
    """Cut a text to a width in millimetres, with an ellipsis where something is left out."""
    words = text.get_text()
    if width_of(text, figure) <= width:
        return
    fits, too_long = 0, len(words)
    while too_long - fits > 1:
        middle = (fits + too_long) // 2
        text.set_text(f"{words[:middle].rstrip()}…")
        fits, too_long = (middle, too_long) if width_of(text, figure) <= width else (fits, middle)
    text.set_text(f"{words[:fits].rstrip()}…")
