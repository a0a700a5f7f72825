"""The task that a store poses: which concepts each record has, by the store's own labels and folds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from jaxtyping import Int

from biosig.errors import BiosigError
from biosig.store import Store, duplicates
from finetune.diagnosis.result import ConceptCount
from finetune.protocols import Role, Task, check_sides
from ontology.graph import ConceptGraph
from pretrain.data.labels import Labels
from pretrain.specs.recipe import LabelScope

#: Test subjects with a concept, and without it, that scoring it takes.
MIN_POSITIVES = 5


def diagnosis(store: Store, graph: ConceptGraph, *, min_positives: int = MIN_POSITIVES) -> Task:
    """The task a store poses: its labels on the graph, its own patient-level folds.

    A concept is scored when at least `min_positives` test subjects have it and as many are known to lack it, training
    has both, and it is not in exactly the test records of a concept below it in the graph. A training record whose
    waveform validates or tests too is left out, and so is one of validation whose waveform tests.

    Raises:
        BiosigError: If a subject is on two sides, a side is empty, or no concept can be scored.
    """
    rows = {role: np.asarray(store.rows(role.value), dtype=np.int64) for role in Role}
    copies = copied(store, rows)
    labels = Labels.of(store.records, graph, LabelScope.ANCESTORS)
    task = Task(
        concepts=tuple(graph.observed),
        labels=labels.stated,
        known=labels.known,
        subjects=people(store),
        rows={role: np.setdiff1d(side, copies) for role, side in rows.items()},
        scored=np.ones(len(graph.observed), bool),
        copies=len(copies),
    )
    check_sides(task)
    scored = np.array([not reason for reason in reasons(task, graph, min_positives)])
    if not scored.any():
        raise BiosigError(
            f"no concept has {min_positives} positive and {min_positives} negative test subjects and both labels in "
            f"training ({len(task.rows[Role.TEST])} test records); lower --min-positives or prepare more records"
        )
    task = replace(task, scored=scored)
    if not (scored & task.judged(Role.VALIDATION)).any():
        raise BiosigError(
            "no concept that can be scored has both label values on the validation side: nothing can choose"
        )
    return task


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


def people(store: Store) -> np.ndarray:
    """The person of each row: names are unique in their corpus only."""
    return np.array([f"{corpus}/{subject}" for corpus, subject in store.subjects], dtype=str)


def copied(store: Store, rows: Mapping[Role, Int[np.ndarray, " side"]]) -> Int[np.ndarray, " copy"]:
    """Rows whose waveform is also on a side that is further from training."""
    distance = {int(row): place for place, role in enumerate(Role) for row in rows[role]}
    found = set()
    for group in duplicates.find([store]):
        sides = {place.row: distance[place.row] for place in group.places if place.row in distance}
        found |= {row for row, side in sides.items() if side < max(sides.values())}
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
