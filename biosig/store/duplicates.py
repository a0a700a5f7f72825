"""Waveforms that are there twice: copies found by their fingerprints, and believed only when the samples agree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64, UInt64
from networkx.utils import UnionFind

from biosig.recording import Modality
from biosig.store.fingerprint import BITS, outline
from biosig.store.quantise import restore
from biosig.store.reader import Store

# Bits in which the fingerprints of two copies may differ, and the correlation of their outlines that is asked for then.
# Copies filtered differently (PTB-XL's own 100 Hz) reach 17 bits and 0.96; distinct records stay below 0.8.
CANDIDATE_BITS, CORRELATION = 32, 0.92
_OUTLINE_SECONDS, _COMPARED_SECONDS = 0.04, 60.0
# Copies have nearly the same length.
_LENGTHS = 0.95
# Fingerprints that share a word of sixteen bits are compared; of a crowd that does, only the nearest in a sorted list.
_CROWD = 256


@dataclass(frozen=True, order=True)
class Place:
    """A record: the number of its store in the list given, and its row there."""

    store: int
    row: int


@dataclass(frozen=True)
class Duplicate:
    """Records with one waveform.

    Attributes:
        places: Two or more, sorted.
        exact: Whether all of them hold the same samples; otherwise gain, rate, filter or a little noise differ.
    """

    places: tuple[Place, ...]
    exact: bool


def find(stores: Sequence[Store]) -> list[Duplicate]:
    """All groups of records with the same waveform, within and across stores.

    Two records are copies when their fingerprints differ in at most 32 of 256 bits and the outlines (see
    `biosig.store.fingerprint`) of their common channels have a median correlation of 0.92. A copy that was cut shorter
    by more than a twentieth, starts at another moment, or names every channel differently is not found.
    """
    places = [Place(number, row) for number, store in enumerate(stores) for row in range(len(store))]
    prints = [print_ for store in stores for print_ in store.fingerprints]
    known = np.array([place for place, print_ in enumerate(prints) if print_ is not None], dtype=np.int64)
    if len(known) < 2:
        return []
    words = np.frombuffer(b"".join(print_ for print_ in prints if print_ is not None), np.uint64).reshape(
        -1, BITS // 64
    )
    groups = UnionFind(range(len(known)))
    differ: set[int] = set()
    for one, other in _candidates(words):
        if groups[one] == groups[other]:
            continue
        found = compare(stores, places[known[one]], places[known[other]])
        if found is None:
            continue
        groups.union(one, other)
        if found == "near":
            differ |= {one, other}
    return [
        Duplicate(tuple(sorted(places[known[member]] for member in group)), exact=not group & differ)
        for group in sorted(groups.to_sets(), key=min)
        if len(group) > 1
    ]


def compare(stores: Sequence[Store], one: Place, other: Place) -> str | None:
    """`exact`, `near`, or None for waveforms that are not the same."""
    first, second = stores[one.store], stores[other.store]
    a, b = first.block(one.row), second.block(other.row)
    names_a, names_b = first.layout(one.row)[0], second.layout(other.row)[0]
    rate_a, rate_b = first.rates[one.row], second.rates[other.row]
    kinds = dict(zip(*first.layout(one.row), strict=True))
    common = [name for name in names_a if name in names_b and kinds[name] is not Modality.STIMULUS]
    if not common:
        return None
    rows_a, rows_b = [names_a.index(name) for name in common], [names_b.index(name) for name in common]
    step_a, step_b = first.steps(one.row)[rows_a], second.steps(other.row)[rows_b]
    same = rate_a == rate_b and a.shape == b.shape and len(common) == len(names_a)
    if same and np.array_equal(step_a, step_b) and np.array_equal(a[rows_a], b[rows_b]):
        return "exact"
    if min(a.shape[1] / rate_a, b.shape[1] / rate_b) < _LENGTHS * max(a.shape[1] / rate_a, b.shape[1] / rate_b):
        return None
    outlines = []
    for block, rows, step, rate in ((a, rows_a, step_a, rate_a), (b, rows_b, step_b, rate_b)):
        part = restore(block[rows, : int(_COMPARED_SECONDS * rate)], step)
        outlines.append(outline(part, rate, _OUTLINE_SECONDS))
    return "near" if _correlation(*outlines) >= CORRELATION else None


def _correlation(a: Float64[np.ndarray, "channel bin"], b: Float64[np.ndarray, "channel bin"]) -> float:
    """Median over the channels that move in both; 0 if none does."""
    n = min(a.shape[1], b.shape[1])
    if n < 2:
        return 0.0
    a, b = (x[:, :n] - x[:, :n].mean(axis=1, keepdims=True) for x in (a, b))
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    moving = size > 0
    return float(np.median((a * b).sum(axis=1)[moving] / size[moving])) if moving.any() else 0.0


def _candidates(words: UInt64[np.ndarray, "print word"]) -> Iterator[tuple[int, int]]:
    """Pairs whose fingerprints are near, nearest first.

    Copies that differ in few bits share at least one of sixteen words of sixteen bits (with 17 bits of 256 different,
    all but one in ten thousand do), so only those that share one are compared.
    """
    short = words.view(np.uint16)
    pairs: list[Int64[np.ndarray, "2 pair"]] = []
    for column in short.T:
        # Equal fingerprints stand side by side, however large the crowd.
        order = np.lexsort((*words.T, column))
        keys = column[order]
        for apart in range(1, min(_CROWD, len(keys) - 1) + 1):
            together = np.flatnonzero(keys[apart:] == keys[:-apart])
            if not len(together):
                break
            a, b = order[together], order[together + apart]
            near = np.bitwise_count(words[a] ^ words[b]).sum(axis=1) <= CANDIDATE_BITS
            pairs.append(np.sort(np.stack([a[near], b[near]]), axis=0))
    if not pairs:
        return
    found = np.unique(np.concatenate(pairs, axis=1), axis=1)
    distance = np.bitwise_count(words[found[0]] ^ words[found[1]]).sum(axis=1)
    for pair in np.argsort(distance, kind="stable"):
        yield int(found[0, pair]), int(found[1, pair])
