"""Kernels of the fewest edges between two concepts: in the ontology, and in a random graph as its control."""

from __future__ import annotations

import math
from collections.abc import Sequence

import networkx as nx
import numpy as np
from jaxtyping import Float64

from ontology.collector import paused
from ontology.distance import fewest_hops
from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.kernels.base import KERNELS, chosen


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
    return _decay(graph.distances(chosen(graph, ids)), sigma)


@KERNELS.register("random")
@paused()
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
    picked = chosen(graph, ids)
    wires = nx.Graph((edge.child, edge.parent) for edge in graph.edges)
    wires.add_nodes_from(graph.ids)
    # Swaps depend on the order of nodes and edges; both are fixed by the graph, so a seed always gives one kernel.
    try:
        nx.connected_double_edge_swap(wires, nswap=10 * len(graph.edges), seed=seed)
    except nx.NetworkXException as error:
        raise OntologyError(f"kernel 'random': {error}") from None
    links = nx.to_scipy_sparse_array(wires, nodelist=graph.ids, format="csr")
    rows = np.array([graph.index(id_) for id_ in picked], dtype=np.int64)
    return _decay(fewest_hops(links, rows), sigma)


def _decay(hops: Float64[np.ndarray, "concept concept"], sigma: float) -> Float64[np.ndarray, "concept concept"]:
    if not sigma >= 0:
        raise OntologyError(f"sigma: expected a number of edges, 0 or more, got {sigma!r}")
    if sigma == 0:
        return (hops == 0).astype(np.float64)
    if sigma == math.inf:
        return np.isfinite(hops).astype(np.float64)
    return np.exp(-hops / sigma)
