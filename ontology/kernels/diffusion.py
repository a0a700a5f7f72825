"""Kernels of what spreads over the is-a edges: heat, and a random walk that restarts.

Unlike `hop` they count every path between two concepts, not the shortest alone, and what spreads thins out at concepts
with many neighbours. Edges are taken in both directions and have one weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64
from scipy import sparse
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import expm_multiply, splu

from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.kernels.base import KERNELS, chosen


@KERNELS.register("heat")
def heat(
    graph: ConceptGraph, *, ids: Sequence[str] | None = None, beta: float = 1.0
) -> Float64[np.ndarray, "concept concept"]:
    r"""What warmth reaches k in the time beta if c is heated.

        H = exp(-beta (I - D^-1/2 A D^-1/2)),    K_ck = H_ck / sqrt(H_cc H_kk)

    with A the adjacency of all concepts of the graph, organisers too, and D its row sums. H is positive definite and
    has no negative entry, so K, its cosine, lies between 0 and 1 with ones on the diagonal: without that, concepts with
    many neighbours would count for more than others. A concept without neighbours is like itself only.

    The cost grows with beta; up to some tens it is small.

    Args:
        graph: The concepts.
        ids: Rows and columns.
        beta: How long heat spreads. 0 gives the identity, infinity gives ones (zeros where there is no path).

    Raises:
        OntologyError: If beta is negative or not a number.

    References:
        Kondor and Lafferty, Diffusion kernels on graphs and other discrete input spaces, ICML 2002; Al-Mohy and Higham,
        Computing the action of the matrix exponential, SIAM J. Sci. Comput. 2011 (the algorithm of `expm_multiply`).
    """
    if not beta >= 0:
        raise OntologyError(f"beta: expected a time, 0 or more, got {beta!r}")
    rows, walk = _rows(graph, ids), _walk(graph)
    if beta in (0, math.inf):
        return _joined(walk, rows) if beta else np.eye(len(rows))
    connected = sparse.diags_array((walk.sum(0) > 0).astype(np.float64))
    return _cosine(expm_multiply(beta * (walk - connected), _columns(rows, len(graph)))[rows])


@KERNELS.register("pagerank")
def pagerank(
    graph: ConceptGraph, *, ids: Sequence[str] | None = None, alpha: float = 0.15
) -> Float64[np.ndarray, "concept concept"]:
    r"""How often a walk from c that now and then starts again is found at k, and the other way round.

        R = alpha (I - (1 - alpha) D^-1 A)^-1,    S_ck = sqrt(R_ck R_kc),    K_ck = S_ck / sqrt(S_cc S_kk)

    Row c of R is the personalised PageRank of c. It is not symmetric: a leaf finds its parent more easily than the
    parent finds the leaf. The geometric mean of both ways is; and since D R is symmetric, it is the matrix

        S = D^1/2 R D^-1/2 = alpha (I - (1 - alpha) D^-1/2 A D^-1/2)^-1,

    which one sparse factorisation solves for. S is positive definite, K is its cosine, as in `heat`.

    Args:
        graph: The concepts.
        ids: Rows and columns.
        alpha: Chance to start again at each step. 1 gives the identity, 0 gives ones (zeros where there is no path).

    Raises:
        OntologyError: If alpha is not a probability.

    References:
        Haveliwala, Topic-sensitive PageRank, WWW 2002; Gasteiger et al., Diffusion improves graph learning, NeurIPS
        2019, arXiv 1911.05485.
    """
    if not 0 <= alpha <= 1:
        raise OntologyError(f"alpha: expected a probability, 0 to 1, got {alpha!r}")
    rows, walk = _rows(graph, ids), _walk(graph)
    if alpha == 0:
        return _joined(walk, rows)
    # The factor alpha before the inverse cancels in the cosine.
    system = sparse.eye_array(len(graph)) - (1 - alpha) * walk
    return _cosine(splu(sparse.csc_matrix(system)).solve(_columns(rows, len(graph)))[rows])


def _rows(graph: ConceptGraph, ids: Sequence[str] | None) -> list[int]:
    return [graph.index(id_) for id_ in chosen(graph, ids)]


def _walk(graph: ConceptGraph) -> sparse.csr_array:
    """D^-1/2 A D^-1/2 over `graph.ids`; rows of zeros for concepts without neighbours."""
    ends = np.array([(graph.index(edge.child), graph.index(edge.parent)) for edge in graph.edges], dtype=np.int64)
    both = np.concatenate([ends.reshape(-1, 2), ends.reshape(-1, 2)[:, ::-1]]).T
    degree = np.bincount(both[0], minlength=len(graph))
    weight = 1 / np.sqrt(degree[both[0]] * degree[both[1]])
    return sparse.csr_array((weight, (both[0], both[1])), shape=(len(graph), len(graph)))


def _columns(rows: Sequence[int], size: int) -> Float64[np.ndarray, "all concept"]:
    start = np.zeros((size, len(rows)))
    start[rows, np.arange(len(rows))] = 1
    return start


def _joined(walk: sparse.csr_array, rows: Sequence[int]) -> Float64[np.ndarray, "concept concept"]:
    """One where a path leads from one concept to the other."""
    _, part = connected_components(walk, directed=False)
    return (part[rows][:, None] == part[rows]).astype(np.float64)


def _cosine(kernel: Float64[np.ndarray, "concept concept"]) -> Float64[np.ndarray, "concept concept"]:
    norm = np.sqrt(np.diag(kernel))
    # Rounding may leave the halves unequal, and a zero a little below zero.
    kernel = np.clip((kernel + kernel.T) / (2 * norm[:, None] * norm), 0, 1)
    np.fill_diagonal(kernel, 1.0)
    return kernel
