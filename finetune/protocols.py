"""Who is trained on, who chooses, who is tested: patient folds and nested label fractions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

import numpy as np
from jaxtyping import Bool, Int

from biosig.errors import BiosigError


class Role(StrEnum):
    """The side of the split that a record is on."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"


class Sides(Protocol):
    """Who is on which side, whatever is asked of them.

    Attributes:
        subjects: The person of each row of a store.
        rows: The rows of each role.
        copies: Records on no side, because the same waveform is on a side that is further from training.
    """

    @property
    def subjects(self) -> np.ndarray: ...
    @property
    def rows(self) -> Mapping[Role, Int[np.ndarray, " side"]]: ...
    @property
    def copies(self) -> int: ...


@dataclass(frozen=True)
class Task:
    """Multi-label diagnosis of the records of one store.

    Attributes:
        concepts: SNOMED-CT ids, one a column.
        labels: `(row, concept)`, a row of the store each; a record with a concept has its is-a ancestors too.
        known: False where the record's coding system cannot express the concept, or the record has no code at all.
        subjects: The person of each row.
        rows: The rows of each role.
        scored: Which concepts have enough positives and negatives on the test side to be scored.
        copies: Records on no side, because the same waveform is on a side that is further from training.
    """

    concepts: tuple[str, ...]
    labels: Bool[np.ndarray, "row concept"]
    known: Bool[np.ndarray, "row concept"]
    subjects: np.ndarray
    rows: Mapping[Role, Int[np.ndarray, " side"]]
    scored: Bool[np.ndarray, " concept"]
    copies: int = 0

    def of_concepts(self, chosen: Bool[np.ndarray, " concept"]) -> Task:
        """The same task of some of its concepts."""
        return replace(
            self,
            concepts=tuple(concept for concept, kept in zip(self.concepts, chosen, strict=True) if kept),
            labels=self.labels[:, chosen],
            known=self.known[:, chosen],
            scored=self.scored[chosen],
        )

    def n_subjects(self, rows: Int[np.ndarray, " side"]) -> int:
        """Distinct people among the rows."""
        return len(np.unique(self.subjects[rows]))

    def judged(self, role: Role) -> Bool[np.ndarray, " concept"]:
        """Which concepts have both label values on a side."""
        labels, known = self.labels[self.rows[role]], self.known[self.rows[role]]
        return (labels & known).any(0) & (~labels & known).any(0)

    def subjects_with(self, role: Role, value: bool) -> Int[np.ndarray, " concept"]:
        """How many people of a role have (True) or are known to lack (False) each concept in some record."""
        rows = self.rows[role]
        wanted = self.known[rows] & (self.labels[rows] == value)
        return _any_by_subject(wanted, self.subjects[rows]).sum(0)


def nested_fractions(
    task: Task, fractions: Sequence[float], *, seed: int, role: Role = Role.TRAIN
) -> dict[float, Int[np.ndarray, " chosen"]]:
    """Training rows for each label fraction: whole subjects, each fraction inside every larger one.

    The subjects are put in a random order, once a seed; a fraction f is the first ceil(f n) of them. The order begins
    with as few subjects as needed, in random choice, for every scored concept to have one positive and one negative
    subject; no fraction is smaller than that. Without it, 1 % of a few hundred subjects holds no positive of most
    concepts, and the row would only measure that. What each fraction really holds is in the result.

    Raises:
        BiosigError: If a fraction is not in (0, 1].
    """
    for fraction in fractions:
        if not 0 < fraction <= 1:
            raise BiosigError(f"--fractions: expected numbers above 0 and up to 1, got {fraction:g}")
    rows = task.rows[role]
    names, subject_of = np.unique(task.subjects[rows], return_inverse=True)
    order, head = _covering_order(task, rows, seed)
    chosen = {}
    for fraction in fractions:
        count = len(names) if fraction == 1 else max(math.ceil(fraction * len(names)), head)
        chosen[fraction] = rows[np.isin(subject_of, order[:count])]
    return chosen


def _covering_order(task: Task, rows: Int[np.ndarray, " side"], seed: int) -> tuple[Int[np.ndarray, " subject"], int]:
    """A random order of the subjects that starts with one of each label value; and how many that start takes."""
    labels, known = task.labels[rows][:, task.scored], task.known[rows][:, task.scored]
    has = np.hstack([_any_by_subject(known & (labels == value), task.subjects[rows]) for value in (True, False)])
    order = np.random.default_rng(seed).permutation(len(has))
    has = has[order]
    head: list[int] = []
    for column in np.argsort(has.sum(0), kind="stable"):  # the rarest first: they bring the common ones along
        if has[:, column].any() and not has[head, column].any():
            head.append(int(has[:, column].argmax()))
    rest = np.setdiff1d(np.arange(len(order)), head)
    return order[np.concatenate([np.array(head, dtype=np.int64), rest])], len(head)


def _any_by_subject(
    values: Bool[np.ndarray, "row concept"], subjects: np.ndarray
) -> Bool[np.ndarray, "subject concept"]:
    names, subject_of = np.unique(subjects, return_inverse=True)
    found = np.zeros((len(names), values.shape[1]), bool)
    np.logical_or.at(found, subject_of, values)
    return found


def check_sides(task: Sides) -> None:
    """That there is something on every side, and nobody on two.

    Raises:
        BiosigError: Naming the side or the subject.
    """
    for role in Role:
        if not len(task.rows[role]):
            others = len({subject for rows in task.rows.values() for subject in task.subjects[rows]})
            raise BiosigError(
                f"the store has no record on the {role} side of its split, which keeps a person on one side; "
                f"people on the others: {others}"
            )
    people = {role: set(task.subjects[task.rows[role]]) for role in Role}
    for one, other in ((Role.TRAIN, Role.TEST), (Role.VALIDATION, Role.TEST), (Role.TRAIN, Role.VALIDATION)):
        if shared := people[one] & people[other]:
            raise BiosigError(
                f"subject {min(shared)} is on the {one} and the {other} side of the split "
                f"({len(shared)} such subjects): nothing scored on it would be true"
            )
