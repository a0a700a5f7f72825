"""Windows that cover recordings, and the batches they are read in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64
from torch import Tensor

# From the places and first samples of windows to a batch.
Read = Callable[[Int64[np.ndarray, " batch"], Int64[np.ndarray, " batch"]], dict[str, Tensor]]


@dataclass(frozen=True)
class Plan:
    """Which windows stand for which recording.

    Attributes:
        records: How many recordings.
        owners: The recording of each window.
        starts: Its first sample.
        read: Makes a batch of some of them.
    """

    records: int
    owners: Int64[np.ndarray, " window"]
    starts: Int64[np.ndarray, " window"]
    read: Read

    @classmethod
    def covering(cls, samples: Sequence[int], length: int, read: Read) -> Plan:
        """The fewest windows of `length` samples that cover each recording, evenly spread.

        A recording that is shorter than a window has one, which is filled up and marked.
        """
        starts = [covering(total, length) for total in samples]
        owners = np.repeat(np.arange(len(samples)), [len(part) for part in starts])
        return cls(len(samples), owners, np.concatenate(starts) if starts else np.zeros(0, dtype=np.int64), read)

    def n_batches(self, size: int) -> int:
        """How many batches of at most `size` windows."""
        return -(-len(self.owners) // size)

    def batches(self, size: int) -> Iterator[tuple[Int64[np.ndarray, " batch"], dict[str, Tensor]]]:
        """The owners of the windows of each batch, and the batch."""
        for first in range(0, len(self.owners), size):
            part = slice(first, first + size)
            yield self.owners[part], self.read(self.owners[part], self.starts[part])


def covering(total: int, length: int) -> Int64[np.ndarray, " window"]:
    """The first samples of the fewest windows of `length` samples that cover a recording of `total`, evenly spread."""
    return np.linspace(0, max(total - length, 0), max(-(-total // length), 1)).round().astype(np.int64)
