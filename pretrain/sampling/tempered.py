"""Windows of several stores, mixed by temperature, so that a small store is not drowned by a large one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Int64
from torch import Tensor

from biosig.store import Windows
from pretrain.sampling.mixing import shares

# Keep these numbers apart from those that draw order, windows, moments, augmentations and groups of the same seed.
_STORE, _EPOCH, _BATCH = 8, 9, 10


class Tempered:
    r"""Batches of windows of all stores, each store with its share p_s ~ n_s^(1/T).

    See `pretrain.sampling.mixing.shares`.

    An epoch is as long as that of `Uniform`: the whole batches that all windows make. A store has its share of it, to
    within one window: some windows of a small store come several times, others of a large one not at all. Each store
    goes through its own windows in rounds: every one comes once, in any order, before one comes again, over however
    many epochs that takes. Where a window begins is drawn for every place of a batch.

    Two windows of one record, or one window twice, may meet in a batch where a store is small and T is large.

    Args:
        windows: What to draw from.
        size: Windows in a batch.
        temperature: T, at least 1.

    Attributes:
        quotas: Windows of each store in an epoch.
    """

    note = ""

    def __init__(self, windows: Windows, size: int, temperature: float) -> None:
        self.windows, self.size = windows, size
        store = np.searchsorted(windows.first_row, windows.rows, side="right") - 1
        self._counts = tuple(np.bincount(store, minlength=len(windows.stores)).tolist())
        self.quotas = _apportioned(shares(self._counts, temperature), self.batches_per_epoch * size)

    def __len__(self) -> int:
        """Windows of all stores."""
        return len(self.windows)

    @property
    def batches_per_epoch(self) -> int:
        """Whole batches."""
        return len(self.windows) // self.size

    def batch(self, place: int, *, seed: int, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        """See `pretrain.sampling.samplers.Sampler.batch`."""
        items = _order(self._counts, self.quotas, seed, epoch)[place * self.size : (place + 1) * self.size]
        drawn = np.random.default_rng([seed, epoch, _BATCH, place]).random(self.size)
        return self.windows.batch(items[part], drawn=drawn[part])


def _apportioned(probabilities: np.ndarray, total: int) -> tuple[int, ...]:
    """A total in whole parts, the largest remainders rounded up."""
    exact = probabilities * total
    parts = np.floor(exact).astype(np.int64)
    parts[np.argsort(parts - exact, kind="stable")[: total - parts.sum()]] += 1
    return tuple(parts.tolist())


@lru_cache(maxsize=4)
def _order(counts: tuple[int, ...], quotas: tuple[int, ...], seed: int, epoch: int) -> Int64[np.ndarray, " item"]:
    """The items of an epoch, in order."""
    parts = []
    for store, (count, quota) in enumerate(zip(counts, quotas, strict=True)):
        first, last = epoch * quota, (epoch + 1) * quota
        for number in range(first // count, -(-last // count)) if quota else ():
            order = np.random.default_rng([seed, number, _STORE, store]).permutation(count)
            parts.append(sum(counts[:store]) + order[max(first - number * count, 0) : last - number * count])
    return np.random.default_rng([seed, epoch, _EPOCH]).permutation(np.concatenate(parts))
