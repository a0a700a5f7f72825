"""Batches of windows that follow each other in their record: a function of seed, epoch and place."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Int64
from torch import Tensor

from biosig.store import Store, Windows, collate
from pretrain.errors import TrainingError
from pretrain.sampling.order import whole_batches

#: The segment of a window that was not sampled as one.
NO_SEGMENT = -1


class Segments:
    """Runs of `segments` adjacent windows that do not overlap: the sampler of CLOCS.

    A record gives as many runs as fit into it side by side. In training a run starts anywhere in the record, drawn anew
    every epoch; otherwise runs stand side by side. Each run is in an epoch once, in any order.

    Args:
        stores: With the same sampling rate.
        rows: Of each store, which records. Those too short for one run are left out.
        seconds: Length of a window.
        size: Windows in a batch, a multiple of `segments`.
        segments: Windows in a run.
        train: Whether runs start anywhere.
        fewer: Make smaller batches where there are too few runs for one.

    Attributes:
        left_out: How many records are too short.

    Raises:
        TrainingError: If all records are too short.

    References:
        Kiyasseh et al., CLOCS: contrastive learning of cardiac signals across space, time, and patients,
        arXiv 2005.13249.
    """

    def __init__(
        self,
        stores: Sequence[Store],
        rows: Sequence[Int64[np.ndarray, " row"]],
        *,
        seconds: float,
        size: int,
        segments: int = 2,
        train: bool = True,
        fewer: bool = False,
    ) -> None:
        self.segments, self._seconds = segments, seconds
        self.length = max(round(seconds * stores[0].sampling_rate), 1)
        enough = [some[store.samples[some] >= segments * self.length] for store, some in zip(stores, rows, strict=True)]
        self._records = sum(map(len, rows))
        self.left_out = self._records - sum(map(len, enough))
        if self.left_out == self._records:
            raise TrainingError(
                f"{', '.join(str(store.path) for store in stores)}: expected records of at least {self._wanted}, "
                f"found none among {self._records}"
            )
        # One long window is the room of a run.
        run = segments * self.length / stores[0].sampling_rate
        self._runs = Windows(stores, enough, seconds=run, train=train)
        self._rows = self._runs.rows
        self._store = np.searchsorted(self._runs.first_row, self._rows, side="right") - 1
        per_batch = size // segments
        self._per_batch = min(per_batch, len(self._runs)) if fewer else per_batch

    def __len__(self) -> int:
        """Windows that the records hold side by side, in whole runs."""
        return len(self._runs) * self.segments

    @property
    def size(self) -> int:
        """Windows in every batch."""
        return self._per_batch * self.segments

    @property
    def batches_per_epoch(self) -> int:
        """Whole batches."""
        return len(self._runs) // self._per_batch

    @property
    def note(self) -> str:
        """What is left out, in one line; empty where nothing is."""
        if not self.left_out:
            return ""
        return f"{self.left_out} of {self._records} records are left out, for they are shorter than {self._wanted}"

    def batch(self, place: int, *, seed: int, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        """The windows of one batch, those of a run one after another; only a part of them is read.

        Returns:
            What `biosig.store.collate` gives, `row` counted over all stores; `segment (B,)` int64, the place of a
            window in its run.
        """
        runs = whole_batches(len(self._runs), self._per_batch, seed, epoch)[place]
        number = np.arange(self.size)[part]
        run, segment = runs[number // self.segments], number % self.segments
        starts = self._runs.starts(run, seed=seed, epoch=epoch) + segment * self.length
        stores, rows = self._store[run], self._rows[run]
        within = rows - self._runs.first_row[stores]
        windows = [
            (self._runs.stores[store], int(row), int(start))
            for store, row, start in zip(stores, within, starts, strict=True)
        ]
        made = collate(windows, self.length)
        return {**made, "row": torch.from_numpy(rows), "segment": torch.from_numpy(segment)}

    @property
    def _wanted(self) -> str:
        return f"{self.segments} windows of {self._seconds:g} s"
