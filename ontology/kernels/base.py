"""The registry of kernels, and the simplest of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from jaxtyping import Float64

from ontology.graph import ConceptGraph
from ontology.registry import Registry

KERNELS: Registry[Callable[..., Float64[np.ndarray, "concept concept"]]] = Registry("kernel")


@KERNELS.register("identity")
def identity(graph: ConceptGraph, *, ids: Sequence[str] | None = None) -> Float64[np.ndarray, "concept concept"]:
    """No smoothing: a concept is like itself only."""
    return np.eye(len(chosen(graph, ids)))


def chosen(graph: ConceptGraph, ids: Sequence[str] | None) -> tuple[str, ...]:
    """The rows and columns of a kernel.

    Raises:
        UnknownNameError: If one is not in the graph.
    """
    return graph.observed if ids is None else tuple(graph[id_].id for id_ in ids)
