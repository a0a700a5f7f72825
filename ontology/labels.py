"""Concept sets as the matrices that losses and metrics take."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from jaxtyping import Bool

from ontology.errors import OntologyError
from ontology.graph import ConceptGraph


def multi_hot(
    concept_sets: Sequence[Collection[str]], ids: Sequence[str], graph: ConceptGraph | None = None
) -> Bool[np.ndarray, "record concept"]:
    """True where a record has a concept.

    Args:
        concept_sets: The concepts of each record; those that are no column are passed over.
        ids: The columns, mostly `graph.observed`.
        graph: If given, a record with a concept also has what that concept is a kind of.

    Raises:
        OntologyError: If a column occurs twice.
    """
    column = _columns(ids)
    marks: dict[str, list[int]] = {}

    def columns_of(id_: str) -> list[int]:
        if id_ not in marks:
            above = graph.ancestors(id_) if graph is not None and id_ in graph else frozenset()
            marks[id_] = [column[one] for one in (id_, *above) if one in column]
        return marks[id_]

    labels = np.zeros((len(concept_sets), len(column)), dtype=bool)
    for row, concepts in enumerate(concept_sets):
        for id_ in concepts:
            labels[row, columns_of(id_)] = True
    return labels


def known_mask(
    vocabularies: Sequence[frozenset[str]], ids: Sequence[str], graph: ConceptGraph | None = None
) -> Bool[np.ndarray, "record concept"]:
    """True where silence about a concept means that the record does not have it.

    False is "not known", which neither a loss nor a metric may read as "absent". An organiser of the graph has no code
    of its own; it is known where all its children are.

    Args:
        vocabularies: What is said of each record if it is there: `ontology.annotated` of its corpus, or
            `ontology.vocabulary` of its coding system.
        ids: The columns.
        graph: Needed only if organisers are among the columns.

    Raises:
        OntologyError: If a column occurs twice.
    """
    column = _columns(ids)
    rows: dict[frozenset[str], np.ndarray] = {}

    def expressible(id_: str, vocabulary: frozenset[str]) -> bool:
        if id_ in vocabulary or graph is None or id_ not in graph or not graph[id_].organiser:
            return id_ in vocabulary
        children = graph.children(id_)
        return bool(children) and all(expressible(child, vocabulary) for child in children)

    for vocabulary in set(vocabularies):
        rows[vocabulary] = np.array([expressible(id_, vocabulary) for id_ in column], dtype=bool)
    mask = np.zeros((len(vocabularies), len(column)), dtype=bool)
    for row, vocabulary in enumerate(vocabularies):
        mask[row] = rows[vocabulary]
    return mask


def _columns(ids: Sequence[str]) -> dict[str, int]:
    column = {id_: place for place, id_ in enumerate(ids)}
    if len(column) != len(ids):
        twice = next(id_ for id_ in ids if list(ids).count(id_) > 1)
        raise OntologyError(f"column {twice} is given twice")
    return column
