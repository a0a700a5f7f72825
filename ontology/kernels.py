"""How alike two concepts are: the kernels that soften the targets of graph-smoothed contrast.

Every kernel is a function `(graph, *, ids=None, ...) -> (K, K)`: float64, symmetric, ones on the diagonal, no entry
below zero or above one. `ids` are the concepts, all observed ones by default. More come by `KERNELS.register`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import networkx as nx
import numpy as np
from jaxtyping import Float64

from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.registry import Registry

KERNELS: Registry[Callable[..., Float64[np.ndarray, "concept concept"]]] = Registry("kernel")


@KERNELS.register("identity")
def identity(graph: ConceptGraph, *, ids: Sequence[str] | None = None) -> Float64[np.ndarray, "concept concept"]:
    """No smoothing: a concept is like itself only."""
    return np.eye(len(_chosen(graph, ids)))


@KERNELS.register("hop")
def hop(
    graph: ConceptGraph, *, ids: Sequence[str] | None = None, sigma: float = 1.0
) -> Float64[np.ndarray, "concept concept"]:
    r"""Nearness in the graph.

        K_ck = exp(-d(c, k) / sigma),    d = fewest is-a edges, up or down

    Args:
        graph: The concepts.
        ids: Rows and columns.
        sigma: Scale in edges. 0 gives the identity, infinity gives ones (zeros where there is no path).

    Raises:
        OntologyError: If sigma is negative or not a number.
    """
    return _decay(graph.distances(_chosen(graph, ids)), sigma)


@KERNELS.register("wu-palmer")
def wu_palmer(graph: ConceptGraph, *, ids: Sequence[str] | None = None) -> Float64[np.ndarray, "concept concept"]:
    r"""How deep the common ground lies.

        K_ck = max over lowest common ancestors a of  2 n(a) / (n(a) + h(c, a) + n(a) + h(k, a))

    with n(a) the concepts on the shortest way from a to a root, both ends counted, and h(c, a) the is-a edges from c up
    to a. Concepts without a common ancestor have 0.

    References:
        Wu and Palmer, Verbs semantics and lexical selection, ACL 1994.
    """
    chosen = _chosen(graph, ids)
    up = nx.DiGraph((edge.child, edge.parent) for edge in graph.edges)
    up.add_nodes_from(graph.ids)
    heights = {id_: nx.single_source_shortest_path_length(up, id_) for id_ in graph.ids}
    depth = {id_: 1 + min(h for top, h in heights[id_].items() if not graph.parents(top)) for id_ in graph.ids}

    def alike(c: str, k: str) -> float:
        common = graph.lowest_common_ancestors(c, k)
        return max((2 * depth[a] / (2 * depth[a] + heights[c][a] + heights[k][a]) for a in common), default=0.0)

    return np.array([[alike(c, k) for k in chosen] for c in chosen], dtype=np.float64).reshape(len(chosen), len(chosen))


@KERNELS.register("random")
def random(
    graph: ConceptGraph, *, ids: Sequence[str] | None = None, sigma: float = 1.0, seed: int = 0
) -> Float64[np.ndarray, "concept concept"]:
    """The hop kernel of a random graph: connected, every concept with as many neighbours as it has in `graph`.

    The control for `hop`: what is lost here is owed to the ontology, not to smoothing as such.

    Raises:
        OntologyError: If the graph cannot be rewired: not connected, or fewer than four concepts.

    References:
        Maslov and Sneppen, Specificity and stability in topology of protein networks, Science 2002.
    """
    chosen = _chosen(graph, ids)
    wires = nx.Graph((edge.child, edge.parent) for edge in graph.edges)
    wires.add_nodes_from(graph.ids)
    # Swaps depend on the order of nodes and edges; both are fixed by the graph, so a seed always gives one kernel.
    try:
        nx.connected_double_edge_swap(wires, nswap=10 * len(graph.edges), seed=seed)
    except nx.NetworkXException as error:
        raise OntologyError(f"kernel 'random': {error}") from None
    hops = dict(nx.all_pairs_shortest_path_length(wires))
    return _decay(np.array([[hops[c][k] for k in chosen] for c in chosen], dtype=np.float64), sigma)


# Where a class of the CinC 2021 score stands on one line from harmless to grave.
_SEVERITY = {
    "426783006": 0.0,
    **dict.fromkeys(("426627000", "270492004", "713426002", "164947007", "427393009", "426177001"), 0.05),
    "284470004": 0.0875,
    **dict.fromkeys(("39732003", "445118002", "698252002", "47665007"), 0.1),
    **dict.fromkeys(("10370003", "427172004", "427084000"), 0.125),
    "59118001": 0.15,
    **dict.fromkeys(("251146004", "365413008"), 0.175),
    "111975006": 0.2,
    **dict.fromkeys(("6374002", "164909002"), 0.225),
    **dict.fromkeys(("164889003", "164890007", "164934002", "59931005"), 0.25),
    "164917005": 0.35,
}


@KERNELS.register("severity")
def severity(graph: ConceptGraph, *, ids: Sequence[str] | None = None) -> Float64[np.ndarray, "concept concept"]:
    """Partial credit of the PhysioNet/CinC Challenge 2021: alike is what is equally grave.

        K_ck = 0.5 - |r_c - r_k|  off the diagonal

    which is the challenge's matrix of weights to within 0.025. Concepts that it does not score have 0: it says nothing
    of them. A contrast to `hop`, since atrial fibrillation and T wave inversion are nearest neighbours here.

    References:
        Reyna et al., Will two do? Varying dimensions in electrocardiography, CinC 2021.
    """
    chosen = _chosen(graph, ids)
    place = np.array([_SEVERITY.get(id_, math.nan) for id_ in chosen], dtype=np.float64)
    kernel = np.nan_to_num(0.5 - np.abs(place[:, None] - place), nan=0.0)
    np.fill_diagonal(kernel, 1.0)
    return kernel


def _chosen(graph: ConceptGraph, ids: Sequence[str] | None) -> tuple[str, ...]:
    return graph.observed if ids is None else tuple(graph[id_].id for id_ in ids)


def _decay(hops: Float64[np.ndarray, "concept concept"], sigma: float) -> Float64[np.ndarray, "concept concept"]:
    if not sigma >= 0:
        raise OntologyError(f"sigma: expected a number of edges, 0 or more, got {sigma!r}")
    if sigma == 0:
        return (hops == 0).astype(np.float64)
    if sigma == math.inf:
        return np.isfinite(hops).astype(np.float64)
    return np.exp(-hops / sigma)
