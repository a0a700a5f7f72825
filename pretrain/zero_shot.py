"""Concepts without a training label: by the sentences that describe them, or by their own embeddings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float

from ontology.graph import ConceptGraph
from ontology.prompts import sentences


def by_sentences(
    signal: Float[np.ndarray, "row dim"],
    encode: Callable[[Sequence[str]], Float[np.ndarray, "sentence dim"]],
    graph: ConceptGraph,
    concepts: Sequence[str],
) -> Float[np.ndarray, "row concept"]:
    """Cosine of the signal and the mean of the concept's sentences on the sphere (a prompt ensemble).

    Args:
        signal: Projected signal features; any length, they are normalised.
        encode: From sentences to projected text features.
        graph: Where terms and synonyms are.
        concepts: Which, one a column.

    References:
        Radford et al., arXiv 2103.00020, section 3.1.4 (prompt ensembling); Liu et al. (MERL), arXiv 2403.06659.
    """
    return unit(signal) @ prompts(encode, graph, concepts).T


def prompts(
    encode: Callable[[Sequence[str]], Float[np.ndarray, "sentence dim"]], graph: ConceptGraph, concepts: Sequence[str]
) -> Float[np.ndarray, "concept dim"]:
    """The mean of each concept's sentences on the sphere; arguments as of `by_sentences`."""
    said = [sentences(graph[concept]) for concept in concepts]
    vectors = unit(encode([sentence for one in said for sentence in one]))
    ends = np.cumsum([len(one) for one in said])
    return unit(np.stack([part.mean(0) for part in np.split(vectors, ends[:-1])]))


def by_concepts(
    signal: Float[np.ndarray, "row dim"],
    embeddings: Float[np.ndarray, "known dim"],
    known_to_model: Sequence[str],
    concepts: Sequence[str],
) -> Float[np.ndarray, "row concept"]:
    """Cosine of the signal and the concept tower's vector; NaN for a concept that the tower does not hold.

    The concept tower was trained on codes, so this is zero-shot for new records and corpora, not for new concepts.

    Args:
        signal: Projected signal features.
        embeddings: One vector for each concept of the tower.
        known_to_model: The ids of those vectors.
        concepts: Which, one a column.
    """
    place = {concept: row for row, concept in enumerate(known_to_model)}
    scores = np.full((len(signal), len(concepts)), np.nan)
    columns = [column for column, concept in enumerate(concepts) if concept in place]
    rows = [place[concepts[column]] for column in columns]
    scores[:, columns] = unit(signal) @ unit(embeddings[rows]).T
    return scores


def unit(vectors: Float[np.ndarray, "row dim"]) -> Float[np.ndarray, "row dim"]:
    """Rows of length one; a zero row stays zero."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
