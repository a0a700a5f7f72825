"""The task that a store and a target pose: the store's own sides, less whoever's target is not known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from biosig.errors import BiosigError
from biosig.store import Store
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.task import copied, people
from finetune.outcomes.target import Kind, Target
from finetune.protocols import Role, check_sides

# Subjects (of survival: events) on a side that judges, below which a reader is warned.
_FEW = 20


@dataclass(frozen=True)
class OutcomeTask:
    """A target on the sides of a store.

    Attributes:
        target: Of every row.
        subjects: The person of each row.
        rows: The rows of each role whose target is known.
        unknown: How many rows of each role were left out because it is not.
        copies: Records on no side, because the same waveform is on a side that is further from training.
    """

    target: Target
    subjects: np.ndarray
    rows: Mapping[Role, Int[np.ndarray, " side"]]
    unknown: Mapping[Role, int]
    copies: int

    def n_subjects(self, role: Role) -> int:
        """Distinct people on a side."""
        return len(np.unique(self.subjects[self.rows[role]]))

    def n_events(self, role: Role) -> int:
        """Records with the event on a side."""
        return int(self.target.event[self.rows[role]].sum())


def pose(store: Store, target: Target) -> OutcomeTask:
    """The task.

    Raises:
        BiosigError: If a side is empty, a subject is on two, the training numbers are all alike, or a side has no
            event.
    """
    rows = {role: np.asarray(store.rows(role.value), dtype=np.int64) for role in Role}
    copies = copied(Joined((store,)), [rows[role] for role in Role])
    sides = {role: np.setdiff1d(side, copies) for role, side in rows.items()}
    known = {role: side[target.known[side]] for role, side in sides.items()}
    for role, side in known.items():
        if len(sides[role]) and not len(side):
            raise BiosigError(f"{store.path}: {target.name} is known of no record on the {role} side of its split")
    missing = {role: len(sides[role]) - len(known[role]) for role in Role}
    task = OutcomeTask(target, people(store.frame("corpus", "subject")), known, missing, len(copies))
    check_sides(task)
    if target.kind is Kind.SURVIVAL:
        for role in Role:
            if not task.n_events(role):
                raise BiosigError(f"{store.path}: {target.name}: no event among the {len(known[role])} {role} records")
    elif np.ptp(target.values[known[Role.TRAIN]]) == 0:
        raise BiosigError(f"{store.path}: {target.name} is the same in all training records: nothing can be learnt")
    return task


def remarks(task: OutcomeTask) -> list[str]:
    """What a reader must know of the numbers behind the numbers."""
    found = list(task.target.remarks)
    if any(task.unknown.values()):
        counts = ", ".join(f"{task.unknown[role]:,} {role}" for role in Role if task.unknown[role])
        found.append(f"{task.target.name} is not known of {counts} records, which are left out.")
    survival = task.target.kind is Kind.SURVIVAL
    for role, why in ((Role.VALIDATION, "what it chooses rests on little"), (Role.TEST, "its numbers say little")):
        count = task.n_events(role) if survival else task.n_subjects(role)
        if count < _FEW:
            found.append(f"{count} {'events' if survival else 'subjects'} on the {role} side: {why}.")
    return found
