"""What is in a store, and whether it may be trusted: checksums, and nobody on both sides of the split."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64, Int64

from biosig.splits import Role, Split
from biosig.store import duplicates
from biosig.store.duplicates import Duplicate, Place
from biosig.store.layout import Layout, Skipped
from biosig.store.reader import Store

ROLES: tuple[Role, ...] = ("train", "validation", "test", "unused")


@dataclass(frozen=True)
class Side:
    """What stands on one side of the split."""

    records: int
    subjects: int
    hours: float


@dataclass(frozen=True)
class AuditReport:
    """What an audit found.

    Attributes:
        path: The store.
        problems: What is wrong, one line each; empty if nothing is.
        records: How many.
        subjects: How many.
        hours: Of recording, whatever the number of channels.
        rates: Sampling rate in Hz -> records.
        layouts: Sets of channels, and how many records have them.
        sides: What stands on each side of the split.
        concepts: SNOMED-CT identifier -> records, most frequent first.
        quality: Quality flag -> records.
        skipped: Records that are not in the store, and why.
        missing: Records whose files were not there when the store was made.
        duplicates: Groups of records with one waveform, whatever their sides.
        unprinted: Records too still or too short to be told from others.
    """

    path: Path
    problems: tuple[str, ...]
    records: int
    subjects: int
    hours: float
    rates: dict[float, int]
    layouts: tuple[Layout, ...]
    sides: dict[Role, Side]
    concepts: dict[str, int]
    quality: dict[str, int]
    skipped: tuple[Skipped, ...]
    missing: int
    duplicates: tuple[Duplicate, ...]
    unprinted: int

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.problems


def audit(
    store: Store,
    split: Split | None = None,
    other: Store | Sequence[Store] | None = None,
    *,
    advance: Callable[[int], None] = lambda _: None,
) -> AuditReport:
    """Doubt a store: compare every checksum, and look for subjects and waveforms on two sides of the split.

    Two people of one name in two corpora are two people; one person's recordings in two corpora are found when a
    waveform is in both.

    Args:
        store: The store.
        split: Instead of the store's own.
        other: Further stores that will be used with it, each with its own split: what is on one side here must not be
            on another side there.
        advance: Told of every block's bytes while checksums are computed.
    """
    others = [] if other is None else [other] if isinstance(other, Store) else list(other)
    stores, splits = [store, *others], [split or store.split, *(one.split for one in others)]
    groups = tuple(group for group in duplicates.find(stores) if any(place.store == 0 for place in group.places))
    problems = [*store.verify(advance), *_twice(store), *_leaks(stores, splits, groups)]
    roles, names = np.array(_roles(store, splits[0])), store.subjects
    seconds = store.samples / store.rates
    return AuditReport(
        path=store.path,
        problems=tuple(problems),
        records=len(store),
        subjects=len(set(names)),
        hours=float(seconds.sum() / 3600),
        rates=dict(sorted(Counter(store.rates.tolist()).items())),
        layouts=store.info.layouts,
        sides={role: _side(np.flatnonzero(roles == role), names, seconds) for role in ROLES},
        concepts=dict(Counter(concept for found in store.column("concepts") for concept in found).most_common()),
        quality=dict(sorted(Counter(flag for found in store.column("quality") for flag in found).items())),
        skipped=store.info.skipped,
        missing=store.info.missing,
        duplicates=groups,
        unprinted=sum(found is None for found in store.fingerprints),
    )


def leaks(stores: Sequence[Store]) -> list[str]:
    """Subjects and waveforms that stand on two sides of the split, within or across stores, one line each.

    Much faster than an audit, for use before every training: no checksum is computed.
    """
    return _leaks(stores, [store.split for store in stores], duplicates.find(stores))


def _leaks(stores: Sequence[Store], splits: Sequence[Split], groups: Sequence[Duplicate]) -> list[str]:
    """What the groups of copies, and the subjects of the first store, have on several sides."""
    roles = [_roles(store, split) for store, split in zip(stores, splits, strict=True)]
    return [*_subjects(stores, roles), *_waveforms(stores, roles, groups)]


def _roles(store: Store, split: Split) -> list[Role]:
    return [split.role(fold) for fold in store.column("fold")]


def _side(
    rows: Int64[np.ndarray, " row"], names: Sequence[tuple[str, str]], seconds: Float64[np.ndarray, " row"]
) -> Side:
    return Side(len(rows), len({names[int(row)] for row in rows}), float(seconds[rows].sum() / 3600))


def _twice(store: Store) -> list[str]:
    counts = Counter(store.column("record"))
    return [f"{store.path}: record {name} is there {count} times" for name, count in counts.items() if count > 1]


def _subjects(stores: Sequence[Store], roles: Sequence[Sequence[Role]]) -> list[str]:
    records: dict[tuple[str, str], dict[Role, str]] = defaultdict(dict)
    for number, (store, role) in enumerate(zip(stores, roles, strict=True)):
        for row, (name, side) in enumerate(zip(store.subjects, role, strict=True)):
            if side != "unused":
                records[name].setdefault(side, _name(stores, Place(number, row)))
    return [
        f"subject {subject} of {corpus} is on several sides: {_list(sides)}"
        for (corpus, subject), sides in records.items()
        if len(sides) > 1
    ]


def _waveforms(stores: Sequence[Store], roles: Sequence[Sequence[Role]], groups: Sequence[Duplicate]) -> list[str]:
    problems = []
    for group in groups:
        sides: dict[Role, str] = {}
        for place in group.places:
            side = roles[place.store][place.row]
            if side != "unused":
                sides.setdefault(side, _name(stores, place))
        if len(sides) > 1:
            kind = "the same samples are" if group.exact else "nearly the same waveform is"
            problems.append(f"{kind} on several sides: {_list(sides)}")
    return problems


def _name(stores: Sequence[Store], place: Place) -> str:
    store = stores[place.store]
    record = store.record(place.row)
    return record if len(stores) == 1 else f"{record} of {store.path.name}"


def _list(sides: dict[Role, str]) -> str:
    return ", ".join(f"{side} (record {record})" for side, record in sorted(sides.items()))
