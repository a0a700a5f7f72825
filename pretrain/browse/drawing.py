"""Pictures for the pages: the recording at full size, and a glimpse of it in each line of the list."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from biosig.plot.picture import picture
from biosig.store import Store
from pretrain.browse.catalogue import Catalogue

# matplotlib's settings belong to the whole process.
_LOCK = Lock()
GLIMPSE_WIDTH, GLIMPSE_HEIGHT, GLIMPSE_SECONDS = 260, 36, 10.0
_GLIMPSE_LEADS = ("II", "MLII", "I", "V1", "Cz", "C3", "Pz", "F3")
_POINTS = 260


@dataclass(frozen=True)
class View:
    """A stretch of a record, and how it is shown.

    Attributes:
        row: Which record.
        start: First second.
        seconds: How many.
        layout: See `biosig.plot.picture`.
    """

    row: int
    start: float = 0.0
    seconds: float = 10.0
    layout: str = "auto"


class Drawings:
    """Pictures of records, the last ones kept."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self.svg = lru_cache(maxsize=64)(self._svg)

    def _svg(self, view: View) -> bytes:
        """The picture as SVG.

        Raises:
            BiosigError: If the record is damaged, or has nothing to show there.
        """
        store, row = self._catalogue.place(view.row)
        entry = self._catalogue.entry(view.row)
        recording = store.recording(row)
        with _LOCK:
            figure = picture(
                recording,
                layout=view.layout,
                start=view.start,
                seconds=view.seconds,
                concepts=[self._catalogue.vocabulary.term(concept) for concept in entry.concepts],
                heart_rate=entry.heart_rate,
            )
            return _as_svg(figure)


def _as_svg(figure: Figure) -> bytes:
    """A figure whose letters are drawn: no font of the reader's changes it."""
    buffer = io.BytesIO()
    with mpl.rc_context({"svg.hashsalt": "biosig", "svg.fonttype": "path"}):
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": "biosig"})
    return buffer.getvalue()


def glimpse(store: Store, row: int) -> tuple[str, str]:
    """One channel of a record's first seconds: its name, and the points of a polyline in a box of fixed size.

    Each point is the extreme of its share of samples, the high and the low by turns, so that no beat falls between.

    Raises:
        StoreError: If the record is damaged.
    """
    channels, _ = store.layout(row)
    channel = next((name for name in _GLIMPSE_LEADS if name in channels), channels[0])
    length = min(int(store.samples[row]), round(GLIMPSE_SECONDS * float(store.rates[row])))
    counts = store.window(row, 0, length)[channels.index(channel)].astype(float)
    counts[counts == np.iinfo(np.int16).min] = np.nan
    parts = [part[np.isfinite(part)] for part in np.array_split(counts, min(_POINTS, max(length, 1)))]
    heights = np.array([(part.max() if k % 2 else part.min()) if len(part) else np.nan for k, part in enumerate(parts)])
    known = np.isfinite(heights)
    if not known.any():
        return channel, ""
    middle = float(np.median(heights[known]))
    swing = float(np.percentile(np.abs(heights[known] - middle), 99.5)) or 1.0
    y = GLIMPSE_HEIGHT / 2 - (heights - middle) / swing * (GLIMPSE_HEIGHT / 2 - 1)
    x = np.linspace(0, GLIMPSE_WIDTH, len(y))
    return channel, " ".join(
        f"{a:.0f},{b:.1f}" for a, b in zip(x[known], np.clip(y[known], 0, GLIMPSE_HEIGHT), strict=True)
    )
