"""Several stores as one list of records: what is learnt on one may be tested on another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Int

from biosig.recording import Recording
from biosig.store import Store
from finetune.embedding import Embedded, embed
from pretrain.models.foundation import FoundationModel

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Joined:
    """The records of stores, one store after the other; a row is counted through all of them.

    Attributes:
        stores: In the order of the rows. Whoever is trained on is in the first.
    """

    stores: tuple[Store, ...]

    @classmethod
    def opened(cls, paths: Sequence[Path]) -> Self:
        """From their folders."""
        return cls(tuple(Store(path) for path in paths))

    def __len__(self) -> int:
        return sum(map(len, self.stores))

    @property
    def paths(self) -> tuple[Path, ...]:
        """The folders."""
        return tuple(store.path for store in self.stores)

    @cached_property
    def first(self) -> Int[np.ndarray, " store"]:
        """The row of the first record of each store."""
        return np.cumsum([0, *map(len, self.stores)])[:-1]

    def parts(
        self, rows: Int[np.ndarray, " row"]
    ) -> Iterator[tuple[Store, Int[np.ndarray, " part"], Int[np.ndarray, " part"]]]:
        """Of each store that has some of the rows: the rows as it counts them, and their places among those given."""
        of = np.searchsorted(self.first, rows, side="right") - 1
        for number, store in enumerate(self.stores):
            places = np.flatnonzero(of == number)
            if len(places):
                yield store, rows[places] - self.first[number], places

    def frame(self, *names: str) -> pd.DataFrame:
        """Columns of the tables of records, one below the other."""
        import pandas as pd  # noqa: PLC0415 -- a third of a second that an answer to one recording does without

        return pd.concat([store.frame(*names) for store in self.stores], ignore_index=True)

    def recording(self, row: int) -> Recording:
        """A record, as `Store.recording`."""
        ((store, (local,), _),) = self.parts(np.array([row]))
        return store.recording(int(local))

    def embed(self, model: FoundationModel, rows: Int[np.ndarray, " side"]) -> Embedded:
        """As `finetune.embedding.embed`: a row for each record, zero where it was not asked for."""
        width, sphere = model.signal.encoder.dim, model.config.architecture.dim
        whole = Embedded(*(np.zeros((len(self), dim), np.float32) for dim in (width, sphere)))
        for store, local, places in self.parts(rows):
            found = embed(model, store, local)
            whole.features[rows[places]], whole.sphere[rows[places]] = found.features[local], found.sphere[local]
        return whole
