"""Kernels of the common ancestors of two concepts: how deep they are, and how rare."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from jaxtyping import Float64

from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.kernels.base import KERNELS, chosen


@KERNELS.register("wu-palmer")
def wu_palmer(graph: ConceptGraph, *, ids: Sequence[str] | None = None) -> Float64[np.ndarray, "concept concept"]:
    r"""How deep the common ground lies.

        K_ck = max over lowest common ancestors a of  2 n(a) / (n(a) + h(c, a) + n(a) + h(k, a))

    with n(a) the concepts on the shortest way from a to a root, both ends counted, and h(c, a) the is-a edges from c up
    to a. Concepts without a common ancestor have 0.

    References:
        Wu and Palmer, Verbs semantics and lexical selection, ACL 1994.
    """
    picked = chosen(graph, ids)
    parents, children = _neighbours(graph)
    depth = _heights((id_ for id_ in graph.ids if id_ not in parents), children)
    heights: defaultdict[str, dict[int, int]] = defaultdict(dict)
    for row, id_ in enumerate(picked):
        for ancestor, climbed in _heights([id_], parents).items():
            heights[ancestor][row] = climbed
    kernel = np.zeros((len(picked), len(picked)))
    for ancestor, below in heights.items():
        rows = np.fromiter(below, dtype=int)
        height = np.fromiter(below.values(), dtype=np.float64)
        twice = 2 * (depth[ancestor] + 1)
        alike = twice / np.add.outer(twice + height, height)
        for child in children.get(ancestor, ()):
            # Two concepts under one child have a lower common ancestor than this one.
            lower = np.isin(rows, list(heights.get(child, ())))
            alike[np.ix_(lower, lower)] = 0
        kernel[np.ix_(rows, rows)] = np.maximum(kernel[np.ix_(rows, rows)], alike)
    return kernel


@KERNELS.register("lin")
def lin(
    graph: ConceptGraph,
    *,
    ids: Sequence[str] | None = None,
    counts: Mapping[str, float] | None = None,
    smoothing: float = 1.0,
) -> Float64[np.ndarray, "concept concept"]:
    r"""How rare the common ground is: to share arrhythmia says little, to share a rare arrhythmia much.

        K_ck = max over common ancestors a of  2 I(a) / (I(c) + I(k)),    I(a) = -log p(a)

    p(a) is the share of a and all its kinds in everything counted; a kind below a on two ways counts once. A root has
    I = 0, so concepts that share nothing lower have 0. Where c and k both have I = 0 they are the same set, and alike.

    Args:
        graph: The concepts.
        ids: Rows and columns.
        counts: How often each concept itself was stated, say in the training records; its ancestors are added here.
            Concepts that are not in the graph are passed over. Without counts each observed concept counts once.
        smoothing: Added to the count of each observed concept (add-one smoothing), since what was never seen would be
            infinitely informative. A large value forgets the counts.

    Raises:
        OntologyError: If a count or `smoothing` is negative or not finite, or a concept among `ids` has no count and no
            smoothing.

    References:
        Lin, An information-theoretic definition of similarity, ICML 1998; Resnik, IJCAI 1995 (the information content).
    """
    picked = chosen(graph, ids)
    parents, _ = _neighbours(graph)
    mass: defaultdict[str, float] = defaultdict(float)
    below: defaultdict[str, list[int]] = defaultdict(list)
    row = {id_: place for place, id_ in enumerate(picked)}
    own = _own_counts(graph, counts, smoothing)
    for id_ in graph.ids:
        for ancestor in _heights([id_], parents):
            mass[ancestor] += own[id_]
            if id_ in row:
                below[ancestor].append(row[id_])
    if missing := [id_ for id_ in picked if not mass[id_]]:
        raise OntologyError(f"kernel 'lin': {missing[0]} ({graph[missing[0]].term}) has no count; smoothing is 0")
    total = math.fsum(own.values())
    information = {id_: max(0.0, -math.log(mass[id_] / total)) for id_ in below}

    shared = np.zeros((len(picked), len(picked)))
    for ancestor in sorted(below, key=information.__getitem__):  # the most informative one is written last
        rows = below[ancestor]
        shared[np.ix_(rows, rows)] = information[ancestor]
    of_rows = np.array([information[id_] for id_ in picked])
    both = of_rows[:, None] + of_rows
    # Of a concept and its only kind the sums may differ by rounding.
    kernel = np.clip(np.divide(2 * shared, both, out=np.ones_like(shared), where=both > 0), 0, 1)
    np.fill_diagonal(kernel, 1.0)
    return kernel


def _own_counts(graph: ConceptGraph, counts: Mapping[str, float] | None, smoothing: float) -> dict[str, float]:
    given = dict.fromkeys(graph.observed, 1.0) if counts is None else counts
    for name, count in (*given.items(), ("smoothing", smoothing)):
        if not 0 <= count < math.inf:
            raise OntologyError(f"kernel 'lin': {name}: expected a finite count, 0 or more, got {count!r}")
    return {concept.id: given.get(concept.id, 0.0) + (0 if concept.organiser else smoothing) for concept in graph}


def _neighbours(graph: ConceptGraph) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    parents, children = defaultdict(list), defaultdict(list)
    for edge in graph.edges:
        parents[edge.child].append(edge.parent)
        children[edge.parent].append(edge.child)
    return dict(parents), dict(children)


def _heights(start: Iterable[str], step: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Fewest steps from any of the starting concepts to each that can be reached."""
    reached = dict.fromkeys(start, 0)
    front = list(reached)
    while front:
        ahead = dict.fromkeys(next_ for id_ in front for next_ in step.get(id_, ()) if next_ not in reached)
        reached.update(dict.fromkeys(ahead, reached[front[0]] + 1))
        front = list(ahead)
    return reached
