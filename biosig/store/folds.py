"""Copies of a waveform are kept in one fold: who shares one counts as one person for the split."""

from __future__ import annotations

from collections.abc import Sequence

from networkx.utils import UnionFind

from biosig.splits import hashed_fold
from biosig.store import duplicates
from biosig.store.reader import Store


def regrouped(store: Store, official: Sequence[bool]) -> dict[int, int]:
    """The rows whose hashed fold must change, and to which, so that no waveform and no subject is on two sides.

    Public corpora hold some recordings twice, under other names and so as other subjects. Subjects who share a waveform
    are joined; a group takes the fold of its first name, or the official fold of one of its records. Official folds
    never change: where they contradict each other, `audit` tells.

    Args:
        store: With hashed folds as if there were no copies.
        official: Of each row, whether the corpus itself gives the fold.
    """
    groups = duplicates.find([store])
    if not groups:
        return {}
    subjects, folds = store.subjects, store.column("fold")
    joined = UnionFind()
    for group in groups:
        joined.union(*(subjects[place.row] for place in group.places))
    # Only those who share a waveform: a large store has many others.
    rows_of: dict[tuple[str, str], list[int]] = {person: [] for people in joined.to_sets() for person in people}
    for row, subject in enumerate(subjects):
        if subject in rows_of:
            rows_of[subject].append(row)
    changes: dict[int, int] = {}
    for people in joined.to_sets():
        if len(people) < 2:
            continue
        rows = sorted(row for person in people for row in rows_of[person])
        given = sorted({folds[row] for row in rows if official[row]})
        if len(given) > 1:
            continue
        fold = given[0] if given else hashed_fold(*min(people))
        changes |= {row: fold for row in rows if folds[row] != fold}
    return changes
