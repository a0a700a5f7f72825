"""The task that stores pose: which concepts each record has, who trains, who chooses, who is tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int

from biosig.errors import BiosigError
from biosig.store import Store, duplicates
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.questions import COLUMNS, diagnoses
from finetune.diagnosis.result import ConceptCount
from finetune.diagnosis.selection import Selection
from finetune.protocols import Role, Task, check_sides
from ontology.graph import ConceptGraph
from pretrain.data.labels import Labels

#: Test subjects with a concept, and without it, that scoring it takes.
MIN_POSITIVES = 5


@dataclass(frozen=True)
class Posed:
    """A question put to the records of stores.

    Attributes:
        task: Whose test side is judged: the store's own, or, in an external validation, all of the other store.
        records: What the rows of the task count.
        inside: In an external validation, the same task with the training store's own test side; it scores those of the
            concepts that this side can judge too.
        unshared: Concepts that one of two stores annotates and the other does not; nobody is asked for them.
    """

    task: Task
    records: Joined
    inside: Task | None = None
    unshared: tuple[str, ...] = ()


def diagnosis(store: Store, graph: ConceptGraph, *, min_positives: int = MIN_POSITIVES) -> Task:
    """The diagnoses of a store; see `pose`."""
    return pose(Selection(store), graph, min_positives=min_positives).task


def pose(
    chosen: Selection,
    graph: ConceptGraph,
    *,
    label: Callable[[pd.DataFrame, ConceptGraph], Labels] = diagnoses,
    min_positives: int = MIN_POSITIVES,
    outside: Selection | None = None,
) -> Posed:
    """The task that a store poses by its labels on the graph and its own patient-level folds.

    A concept is scored when at least `min_positives` test subjects have it and as many are known to lack it, training
    has both, and it is not in exactly the test records of a concept below it in the graph. A training record whose
    waveform validates or tests too is left out, and so is one of validation whose waveform tests.

    With `outside`, training and validation stay where they are, and all chosen records of the other store are the test
    side, whatever their folds. A concept counts as known only if both stores annotate it at all.

    Args:
        chosen: Who is trained on, chooses, and is tested.
        graph: The concepts.
        label: From the table of records to what is stated and what is known.
        min_positives: See above.
        outside: Who is tested instead.

    Raises:
        BiosigError: If a subject is on two sides, a side is empty, or no concept can be scored.
    """
    records = Joined((chosen.store,) if outside is None else (chosen.store, outside.store))
    sides = {role: chosen.rows(role.value) for role in Role}
    inner = sides[Role.TEST]
    if outside is not None:
        sides[Role.TEST] = records.first[1] + np.flatnonzero(outside.where.mask(outside.store))
    copies = copied(records, [sides[Role.TRAIN], sides[Role.VALIDATION], np.union1d(inner, sides[Role.TEST])])
    table = records.frame(*COLUMNS, "subject")
    labels = label(table, graph)
    known: Bool[np.ndarray, "row concept"] = labels.known
    unshared: Bool[np.ndarray, " concept"] = np.zeros(len(graph.observed), bool)
    if outside is not None:
        both = [np.concatenate([sides[Role.TRAIN], sides[Role.VALIDATION], inner]), sides[Role.TEST]]
        annotated = np.stack([known[rows].any(0) for rows in both])
        known, unshared = known & annotated.all(0), np.logical_xor(*annotated)
    task = Task(
        concepts=tuple(graph.observed),
        labels=labels.stated,
        known=known,
        subjects=people(table),
        rows=sides,
        scored=np.ones(len(graph.observed), bool),
        copies=len(copies),
    )
    check_sides(task)
    rows = {role: np.setdiff1d(side, copies) for role, side in sides.items()}
    task = _judged(replace(task, rows=rows), graph, min_positives)
    inside = None
    if outside is not None:
        inside = replace(task, rows={**task.rows, Role.TEST: inner})
        check_sides(inside)
        why = np.array([bool(reason) for reason in reasons(inside, graph, min_positives)])
        inside = replace(inside, scored=task.scored & ~why)
    names = np.asarray(graph.observed, dtype=object)[unshared]
    return Posed(task, records, inside, tuple(names.tolist()))


def _judged(task: Task, graph: ConceptGraph, min_positives: int) -> Task:
    """With those concepts scored that can be."""
    check_sides(task)
    scored = np.array([not reason for reason in reasons(task, graph, min_positives)])
    if not scored.any():
        raise BiosigError(_nothing(task, graph, min_positives))
    task = replace(task, scored=scored)
    if not (scored & task.judged(Role.VALIDATION)).any():
        raise BiosigError(
            "no concept that can be scored has both label values on the validation side: nothing can choose"
        )
    return task


def _nothing(task: Task, graph: ConceptGraph, min_positives: int) -> str:
    test = f"{len(task.rows[Role.TEST]):,} test records"
    if len(task.concepts) == 1:
        why = reasons(task, graph, min_positives)[0]
        return f"{graph[task.concepts[0]].term} cannot be scored with --min-positives {min_positives}: {why} ({test})"
    if not task.labels.any():
        return (
            "no record is labelled with a concept of the graph; prepare recordings with diagnoses, ask something else "
            "with --task, or, of states in EEG, biosig emotion"
        )
    return (
        f"no concept has {min_positives} positive and {min_positives} negative test subjects and both labels in "
        f"training ({test}); lower --min-positives, prepare more records, or ask something else with --task"
    )


def reasons(task: Task, graph: ConceptGraph, min_positives: int) -> list[str]:
    """Why each concept cannot be scored; empty where it can."""
    have, lack = (task.subjects_with(Role.TEST, value) for value in (True, False))
    train_have, train_lack = (task.subjects_with(Role.TRAIN, value) for value in (True, False))
    twins = _twins(task, graph)
    found = []
    for column in range(len(task.concepts)):
        if have[column] < min_positives:
            found.append(f"{have[column]} positive test subjects")
        elif lack[column] < min_positives:
            found.append(f"{lack[column]} test subjects known to lack it")
        elif not (train_have[column] and train_lack[column]):
            found.append("one label value in training")
        else:
            found.append(f"the same test records as {graph[twins[column]].term}" if column in twins else "")
    return found


def concept_counts(task: Task, graph: ConceptGraph, min_positives: int) -> tuple[ConceptCount, ...]:
    """Every concept that occurs, how often, and why it is not scored if it is not."""
    records = {role: (task.labels & task.known)[task.rows[role]].sum(0) for role in Role}
    known = task.known[task.rows[Role.TEST]].sum(0)
    subjects = task.subjects_with(Role.TEST, value=True)
    why = reasons(task, graph, min_positives)
    return tuple(
        ConceptCount(
            concept=concept,
            term=graph[concept].term,
            abbreviation=graph[concept].abbreviation,
            train_records=int(records[Role.TRAIN][column]),
            validation_records=int(records[Role.VALIDATION][column]),
            test_records=int(records[Role.TEST][column]),
            test_subjects=int(subjects[column]),
            test_known=int(known[column]),
            prevalence=float(records[Role.TEST][column] / known[column]) if known[column] else None,
            scored=not why[column],
            reason=why[column],
        )
        for column, concept in enumerate(task.concepts)
        if any(records[role][column] for role in Role)
    )


def people(table: pd.DataFrame) -> np.ndarray:
    """The person of each row, from the columns corpus and subject: names are unique in their corpus only."""
    return (table["corpus"].astype(str) + "/" + table["subject"].astype(str)).to_numpy(dtype=str)


def copied(records: Joined, sides: Sequence[Int[np.ndarray, " side"]]) -> Int[np.ndarray, " copy"]:
    """Rows whose waveform is also on a side that is further from training; sides come in that order."""
    distance = {int(row): place for place, rows in enumerate(sides) for row in rows}
    found = set()
    for group in duplicates.find(list(records.stores)):
        rows = [int(records.first[place.store]) + place.row for place in group.places]
        near = {row: distance[row] for row in rows if row in distance}
        found |= {row for row, side in near.items() if side < max(near.values())}
    return np.array(sorted(found), dtype=np.int64)


def _twins(task: Task, graph: ConceptGraph) -> dict[int, str]:
    """Concepts that mean nothing more than one below them in these test records: they would count it twice."""
    test = task.rows[Role.TEST]
    labels, known = (task.labels & task.known)[test], task.known[test]
    place = {concept: column for column, concept in enumerate(task.concepts)}
    twins = {}
    for concept, column in place.items():
        for below in sorted(graph.descendants(concept) & set(task.concepts), key=place.__getitem__):
            other = place[below]
            if (labels[:, column] == labels[:, other]).all() and (known[:, column] == known[:, other]).all():
                twins[column] = below
    return twins
