"""Figures to files, the same bytes every time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from biosig.errors import BiosigError
from biosig.whole import whole_file

MM_PER_INCH = 25.4
# The time of writing would make equal pictures differ.
_METADATA: dict[str, dict[str, Any]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": "biosig"},
    ".pdf": {"CreationDate": None, "Creator": "biosig", "Producer": None},
}


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of that size in millimetres, outside pyplot's global state."""
    figure = Figure(figsize=(width / MM_PER_INCH, height / MM_PER_INCH), facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: str | Path, *, dpi: float = 150) -> Path:
    """Write a figure as PNG, SVG or PDF by the name's ending; vector formats keep their size in millimetres.

    Args:
        figure: What to write.
        path: Its folder is made where missing.
        dpi: Dots an inch, for PNG.

    Raises:
        BiosigError: If the ending is none of these, or it cannot be written.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in _METADATA:
        raise BiosigError(f"{path.name}: expected a picture ending in {', '.join(_METADATA)}, got {ending or 'none'!r}")
    with whole_file(path) as place, mpl.rc_context({"svg.hashsalt": "biosig", "svg.fonttype": "none"}):
        figure.savefig(place, dpi=dpi, metadata=_METADATA[ending])
    return path
