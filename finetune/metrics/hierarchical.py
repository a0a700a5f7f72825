"""Scores that know the ontology: half right is better than wrong, and a near miss better than a far one.

References:
    Kiritchenko et al., Learning and evaluation in the presence of class hierarchies, Canadian AI 2006; Silla and
    Freitas, A survey of hierarchical classification across different application domains, DMKD 2011, section 7.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from finetune.metrics.decided import Decided
from ontology.graph import ConceptGraph


@dataclass(frozen=True)
class Hierarchical:
    """Ancestor-augmented precision, recall and F1 in every draw; NaN where nothing is named, or nothing is there."""

    precision: Float64[np.ndarray, " draw"]
    recall: Float64[np.ndarray, " draw"]
    f1: Float64[np.ndarray, " draw"]


def hierarchical_scores(decided: Decided, graph: ConceptGraph) -> Hierarchical:
    r"""Precision, recall and F1 over what is named and all that it is a kind of.

    With P_i and T_i the concepts named and true of record i, and ^ what adds their ancestors, roots that are no
    column left out because they are always right,

        hP = sum_i |P_i^ and T_i^| / sum_i |P_i^|
        hR = sum_i |P_i^ and T_i^| / sum_i |T_i^|
        hF = 2 hP hR / (hP + hR).

    To call left bundle branch block right earns the block; to call it a T wave inversion earns nothing. In a graph
    without edges these are the flat, micro-averaged scores.

    An ancestor is known where it is true, or where every column that it is or that is a kind of it is known. What is
    not known counts nowhere.

    Args:
        decided: What is named and what is there.
        graph: Where the ancestors are; organisers count as much as observed concepts.

    Raises:
        UnknownNameError: If a column is no concept of the graph.
    """
    up = _augmentation(decided.concepts, graph)
    truth = (decided.truth @ up) > 0
    # Unknown where not even one kind of it is known to be there, and one is not known.
    sayable = truth | ((~decided.known @ up) == 0)
    named = ((decided.named @ up) > 0) & sayable
    hits, called, there = (
        (matrix.sum(1) @ decided.draws).astype(np.float64) for matrix in (named & truth, named, truth)
    )
    return Hierarchical(_ratio(hits, called), _ratio(hits, there), _ratio(2 * hits, called + there))


@dataclass(frozen=True)
class ErrorDistance:
    """How far wrong, in is-a edges, in every draw.

    Attributes:
        per_error: Mean over the concepts wrongly named or missed; NaN where there is no error.
        per_record: Mean over the records; a record contributes the mean over all that is named or true of it, what is
            right at distance 0. Records with neither are left out.
    """

    per_error: Float64[np.ndarray, " draw"]
    per_record: Float64[np.ndarray, " draw"]


def error_distance(decided: Decided, graph: ConceptGraph) -> ErrorDistance:
    """The expected distance of an error.

    A concept wrongly named is as far off as the nearest true one, a concept missed as far as the nearest one named;
    where there is none, or no path to it, as far as the two farthest connected columns are from each other.

    Where a label is not known, neither it nor the output counts.

    Args:
        decided: What is named and what is there.
        graph: Where the distances are.

    Raises:
        UnknownNameError: If a column is no concept of the graph.
    """
    hops = graph.distances(decided.concepts)
    farthest = hops[np.isfinite(hops)].max(initial=0.0)
    named, truth, draws = decided.named, decided.truth, decided.draws
    wrong, missed = named & ~truth, truth & ~named
    off = _nearest(truth, hops, farthest) * wrong + _nearest(named, hops, farthest) * missed
    total, errors, involved = off.sum(1), (wrong | missed).sum(1), (named | truth).sum(1)
    share = np.divide(total, involved, out=np.zeros(len(total)), where=involved > 0)
    return ErrorDistance(
        per_error=_ratio(total @ draws, errors @ draws), per_record=_ratio(share @ draws, (involved > 0) @ draws)
    )


def _augmentation(concepts: Sequence[str], graph: ConceptGraph) -> Float64[np.ndarray, "concept all"]:
    """One where the second is the first or an ancestor of it."""
    above = [{concept, *graph.ancestors(concept)} for concept in concepts]
    columns = [id_ for id_ in graph.ids if graph.parents(id_) or id_ in concepts]
    return np.array([[id_ in one for id_ in columns] for one in above], np.float64).reshape(len(above), len(columns))


def _nearest(
    among: Bool[np.ndarray, "row concept"], hops: Float64[np.ndarray, "concept concept"], farthest: float
) -> Float64[np.ndarray, "row concept"]:
    """From each concept to the nearest one of the record."""
    nearest = np.full(among.shape, farthest)
    for column in np.flatnonzero(among.any(0)):
        rows = among[:, column]
        nearest[rows] = np.minimum(nearest[rows], hops[column])
    return nearest


def _ratio(part: Float[np.ndarray, " draw"], whole: Float[np.ndarray, " draw"]) -> Float64[np.ndarray, " draw"]:
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)
