"""Which windows an epoch is made of, and in which order: a function of seed and epoch, with no state to save."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from biosig.errors import BiosigError
from biosig.store.batch import collate
from biosig.store.reader import Store

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor


class Windows:
    """Windows of fixed length from some records of one or more stores.

    A record gives as many windows as fit into it without overlap, at least one. For training, each of them starts
    anywhere in the record, drawn anew every epoch; otherwise they stand side by side from the first sample on. A record
    shorter than a window is padded.

    Args:
        stores: With the same sampling rate.
        rows: Of each store, which records; None: all of them.
        seconds: Length of a window.
        train: Whether windows start anywhere.

    Raises:
        BiosigError: If rates differ, or there is no record at all.

    Example:
        >>> windows = Windows([store], [store.rows("train")], seconds=10.0, train=True)
        >>> for items in batches(len(windows), 64, seed=1, epoch=3):
        ...     windows.batch(items, seed=1, epoch=3)["signal"]
    """

    def __init__(
        self,
        stores: Sequence[Store],
        rows: Sequence[Int64[np.ndarray, " row"]] | None = None,
        *,
        seconds: float,
        train: bool,
    ) -> None:
        if not stores:
            raise BiosigError("windows of no store")
        rates = {store.sampling_rate for store in stores}
        if len(rates) > 1:
            raise BiosigError(
                f"stores of one sampling rate were expected, got {', '.join(f'{r:g}' for r in sorted(rates))} Hz"
            )
        self.stores, self.train = tuple(stores), train
        self.sampling_rate = rates.pop()
        self.length = max(round(seconds * self.sampling_rate), 1)
        chosen = [np.arange(len(store)) for store in stores] if rows is None else [np.asarray(some) for some in rows]
        if len(chosen) != len(stores):
            raise BiosigError(f"expected rows for each of {len(stores)} stores, got {len(chosen)}")
        # The row of a record in the tables of all stores, one after another.
        self.first_row = np.concatenate([[0], np.cumsum([len(store) for store in stores])])
        store_of = np.repeat(np.arange(len(stores)), [len(some) for some in chosen])
        row_of = np.concatenate(chosen).astype(np.int64)
        samples = np.concatenate([store.samples[some] for store, some in zip(stores, chosen, strict=True)])
        counts = np.maximum(samples // self.length, 1)
        if not len(counts):
            raise BiosigError("no record to take windows from")
        self._store, self._row = np.repeat(store_of, counts), np.repeat(row_of, counts)
        self._room = np.repeat(np.maximum(samples - self.length, 0), counts)
        number = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        self._fixed = number * self.length
        self._drawn: tuple[tuple[int, int], Float64[np.ndarray, " item"]] | None = None

    def __len__(self) -> int:
        return len(self._row)

    @cached_property
    def records(self) -> pd.DataFrame:
        """The tables of all stores, one after another; `row` of a batch counts in it."""
        import pandas as pd  # noqa: PLC0415 -- as slow as the rest of the package together

        return pd.concat([store.records for store in self.stores], ignore_index=True)

    @property
    def rows(self) -> Int64[np.ndarray, " item"]:
        """Of each window, the row in `records`."""
        return self.first_row[self._store] + self._row

    def starts(
        self,
        items: Sequence[int] | Int64[np.ndarray, " item"],
        *,
        seed: int = 0,
        epoch: int = 0,
        drawn: Float64[np.ndarray, " item"] | None = None,
    ) -> Int64[np.ndarray, " item"]:
        """First sample of each window: the same for the same item, seed and epoch, whatever else is asked for.

        With `drawn`, a number in [0, 1) for each window, that decides where it begins; so an item that is wanted twice
        can begin in two places.
        """
        items = np.asarray(items)
        if not self.train:
            return self._fixed[items]
        drawn = self._draw(seed, epoch)[items] if drawn is None else drawn
        return np.floor(drawn * (self._room[items] + 1)).astype(np.int64)

    def batch(
        self,
        items: Sequence[int] | Int64[np.ndarray, " item"],
        *,
        seed: int = 0,
        epoch: int = 0,
        drawn: Float64[np.ndarray, " item"] | None = None,
    ) -> dict[str, Tensor]:
        """The tensors of some windows (`biosig.store.batch.collate`); `row` counts in `records`. See `starts`."""
        import torch  # noqa: PLC0415 -- preparing and auditing a store do without

        items = np.asarray(items)
        starts = self.starts(items, seed=seed, epoch=epoch, drawn=drawn)
        made = collate(
            [
                (self.stores[self._store[item]], int(self._row[item]), int(start))
                for item, start in zip(items, starts, strict=True)
            ],
            self.length,
        )
        return {**made, "row": torch.from_numpy(self.first_row[self._store[items]] + self._row[items])}

    def _draw(self, seed: int, epoch: int) -> Float64[np.ndarray, " item"]:
        """A number in [0, 1) for each window of the epoch, drawn once for all of them."""
        drawn = self._drawn
        if drawn is None or drawn[0] != (seed, epoch):
            # The last word keeps these numbers apart from those that `batches` draws. One assignment: threads that read
            # at the turn of an epoch must not meet one's key with the other's numbers.
            drawn = self._drawn = ((seed, epoch), np.random.default_rng([seed, epoch, 1]).random(len(self)))
        return drawn[1]


def batches(
    n: int, batch_size: int, *, seed: int, epoch: int, drop_last: bool = False, shuffle: bool = True
) -> list[Int64[np.ndarray, " item"]]:
    """The items 0 to n - 1 of an epoch in batches.

    There is no state: to resume, skip the batches that were done.

    Args:
        n: Items.
        batch_size: In each batch; the last may have fewer.
        seed: Of the run.
        epoch: Another order in each.
        drop_last: Leave out a last batch that is not full.
        shuffle: Otherwise the items keep their order.

    Raises:
        BiosigError: If the batch size is not positive, or no batch is left.
    """
    if batch_size < 1:
        raise BiosigError(f"batch_size: expected at least 1, got {batch_size}")
    order = np.random.default_rng([seed, epoch, 0]).permutation(n) if shuffle else np.arange(n)
    end = n - n % batch_size if drop_last else n
    if end <= 0:
        raise BiosigError(f"no batch of {batch_size} can be made of {n} items")
    return [order[first : min(first + batch_size, end)] for first in range(0, end, batch_size)]
