"""Who was shown which moments of which stimulus, over several stores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Int64

from biosig.store import Store, trials

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Presentations:
    """All presentations of a stimulus that are as long as a window, and the moments that enough subjects share.

    A moment is a sample of the stimulus; of a window, its first one.

    Attributes:
        name: Corpus and stimulus.
        first: The first moment of the longest stretch that enough subjects saw.
        last: The last one.
        subject: Of each presentation, a number; over all stimuli.
        store: Of each presentation.
        row: Of its record.
        start: Its first sample in the record.
        late: The moment of the stimulus at that sample.
        until: The last moment at which a window fits in.
    """

    name: tuple[str, str]
    first: int
    last: int
    subject: Int64[np.ndarray, " presentation"]
    store: Int64[np.ndarray, " presentation"]
    row: Int64[np.ndarray, " presentation"]
    start: Int64[np.ndarray, " presentation"]
    late: Int64[np.ndarray, " presentation"]
    until: Int64[np.ndarray, " presentation"]

    def holds(self, step: int) -> int:
        """How many moments there are that are at least `step` samples apart."""
        return 1 + (self.last - self.first) // step


def presentations(
    stores: Sequence[Store], rows: Sequence[Int64[np.ndarray, " row"]], length: int, subjects: int
) -> dict[tuple[str, str], Presentations | None]:
    """Every stimulus with its presentations; None where too few subjects share a moment of it.

    Stimuli and subjects are known by the name of their corpus and their own.

    Args:
        stores: With the same sampling rate.
        rows: Of each store, which records.
        length: Samples of a window.
        subjects: How many must share a moment.
    """
    import pandas as pd  # noqa: PLC0415 -- as slow as the rest of the package together

    tables = [
        trials(store, some).assign(store=number, corpus=store.info.corpus.name)
        for number, (store, some) in enumerate(zip(stores, rows, strict=True))
    ]
    table = pd.concat(tables, ignore_index=True)
    people = list(zip(table["corpus"], table["subject"], strict=True))
    numbers = {person: number for number, person in enumerate(dict.fromkeys(people))}
    table["person"] = np.array([numbers[person] for person in people], dtype=np.int64)
    table["until"] = table["late"] + table["samples"] - length
    found: dict[tuple[str, str], Presentations | None] = {}
    for (corpus, stimulus), part in table.groupby(["corpus", "stimulus"], sort=True):
        name = str(corpus), str(stimulus)
        found[name] = _of_stimulus(name, part[part["until"] >= part["late"]], subjects)
    return found


def _of_stimulus(name: tuple[str, str], table: pd.DataFrame, subjects: int) -> Presentations | None:
    def column(field: str) -> Int64[np.ndarray, " presentation"]:
        return table[field].to_numpy(dtype=np.int64)

    shared = shared_stretch(column("person"), column("late"), column("until"), subjects)
    if shared is None:
        return None
    return Presentations(
        name,
        *shared,
        subject=column("person"),
        store=column("store"),
        row=column("row"),
        start=column("start"),
        late=column("late"),
        until=column("until"),
    )


def shared_stretch(
    subject: Int64[np.ndarray, " presentation"],
    first: Int64[np.ndarray, " presentation"],
    last: Int64[np.ndarray, " presentation"],
    subjects: int,
) -> tuple[int, int] | None:
    """The longest run of whole numbers that lie within `[first, last]` of at least so many different subjects.

    Returns:
        Its first and last number, of two equally long ones the earlier; None if there is none.
    """
    changes: dict[int, int] = {}
    for person in np.unique(subject):
        end = None
        for a, b in sorted(zip(first[subject == person].tolist(), last[subject == person].tolist(), strict=True)):
            # What a person saw twice counts once.
            begin = a if end is None else max(a, end + 1)
            if b >= begin:
                changes[begin] = changes.get(begin, 0) + 1
                changes[b + 1] = changes.get(b + 1, 0) - 1
                end = b
    best: tuple[int, int] | None = None
    here, since = 0, None
    for place in sorted(changes):
        here += changes[place]
        if here >= subjects and since is None:
            since = place
        elif here < subjects and since is not None:
            if best is None or place - 1 - since > best[1] - best[0]:
                best = since, place - 1
            since = None
    return best
