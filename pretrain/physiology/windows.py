"""The beats of a window and its rhythm, from the beats that `biosig prepare --physiology` found in the record."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from biosig.physiology import Beats, Rhythm, summary
from biosig.store import Store
from pretrain.errors import TrainingError

RHYTHM = tuple(Rhythm.__annotations__)
_UNKNOWN, _NONE, _BEAT = -1, 0, 1


class WindowPhysiology:
    """Looks up windows of several stores, whose rows are counted one after another.

    Args:
        stores: All of them must hold the beats of their records.

    Raises:
        TrainingError: Naming the store that does not, and the command that would.
    """

    def __init__(self, stores: Sequence[Store]) -> None:
        for store in stores:
            if not store.has_physiology:
                raise TrainingError(
                    f"{store.path}: the store holds no R peaks, which model.physiology needs; prepare it with "
                    f"`biosig prepare {store.info.corpus.name} SOURCE {store.path} --physiology --overwrite`"
                )
        self._records: list[tuple[float, Beats]] = [
            (float(store.rates[row]), store.beats(row)) for store in stores for row in range(len(store))
        ]

    def of(
        self,
        rows: Int64[np.ndarray, " window"],
        starts: Int64[np.ndarray, " window"],
        valid: Int64[np.ndarray, " window"],
        length: int,
    ) -> dict[str, Tensor]:
        """Targets of windows.

        The rhythm is that of the beats within the window alone: what it shows, not what the rest of a long record does.

        Args:
            rows: Of the records.
            starts: First sample of each window.
            valid: Samples of each before its padding.
            length: Samples of every window, padding included.

        Returns:
            beats: `(B, T)` int8, 1 at the sample of an R peak, 0 elsewhere; -1 throughout if none is known.
            rhythm: `(B, R)` float32 in the order of `RHYTHM`, NaN where it cannot be told.
        """
        beats = np.full((len(rows), length), _UNKNOWN, dtype=np.int8)
        rhythm = np.full((len(rows), len(RHYTHM)), np.nan, dtype=np.float32)
        for place, (row, start, count) in enumerate(zip(rows, starts, valid, strict=True)):
            rate, found = self._records[row]
            if not len(found.peaks):
                continue
            at = np.rint(found.peaks * rate).astype(np.int64) - start
            inside = (at >= 0) & (at < count)
            beats[place] = _NONE
            beats[place, at[inside]] = _BEAT
            told = summary(Beats(found.peaks[inside], found.qrs_widths[inside]))
            # None becomes NaN.
            rhythm[place] = np.array(list(told.values()), dtype=np.float32)
        return {"beats": torch.from_numpy(beats), "rhythm": torch.from_numpy(rhythm)}
