"""Kernels: limits, invariances, slow references; each registered kernel by one set of promises."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from ontology import KERNELS, ConceptGraph, OntologyError, UnknownNameError, cardiac
from ontology.graph import Concept
from ontology.kernels import hop, identity, random, severity, wu_palmer


def scattered() -> ConceptGraph:
    """A pair and a concept apart."""
    return ConceptGraph([Concept(f"test:{name}", name) for name in "abc"], [("test:b", "test:a")])


@pytest.mark.parametrize("name", list(KERNELS))
def test_every_kernel_is_symmetric_with_ones_on_the_diagonal(name: str) -> None:
    kernel = KERNELS[name](cardiac())
    assert kernel.shape == (40, 40)
    assert kernel.dtype == np.float64
    np.testing.assert_array_equal(kernel, kernel.T)
    np.testing.assert_array_equal(np.diag(kernel), 1.0)
    assert kernel.min() >= 0
    assert kernel.max() <= 1


@pytest.mark.parametrize("name", list(KERNELS))
def test_rows_follow_the_given_ids(name: str) -> None:
    graph, order = cardiac(), np.random.default_rng(0).permutation(40)[:7]
    ids = [graph.observed[row] for row in order]
    np.testing.assert_array_equal(KERNELS[name](graph, ids=ids), KERNELS[name](graph)[np.ix_(order, order)])
    with pytest.raises(UnknownNameError):
        KERNELS[name](graph, ids=["test:unknown"])


def test_hop_equals_the_formula_entry_by_entry() -> None:
    graph = cardiac()
    kernel = hop(graph, sigma=1.7)
    for (row, c), (column, k) in itertools.product(enumerate(graph.observed[:12]), repeat=2):
        assert kernel[row, column] == pytest.approx(math.exp(-graph.distance(c, k) / 1.7), rel=1e-12)


def test_hop_goes_from_the_identity_to_ones() -> None:
    graph = cardiac()
    np.testing.assert_array_equal(hop(graph, sigma=0), identity(graph))
    np.testing.assert_allclose(hop(graph, sigma=1e-3), identity(graph), atol=1e-300)
    np.testing.assert_allclose(hop(graph, sigma=1e9), 1.0, atol=1e-7)
    np.testing.assert_array_equal(hop(graph, sigma=math.inf), 1.0)
    assert (hop(graph, sigma=2.0) >= hop(graph, sigma=1.0)).all()


def test_without_a_path_there_is_no_likeness_at_any_scale() -> None:
    for sigma in (0, 1.0, 1e9, math.inf):
        kernel = hop(scattered(), sigma=sigma)
        assert kernel[2].tolist() == [0, 0, 1]
    assert hop(scattered(), sigma=2.0)[0, 1] == math.exp(-0.5)
    assert wu_palmer(scattered())[2].tolist() == [0, 0, 1]


@pytest.mark.parametrize("sigma", [-1.0, math.nan, -math.inf])
def test_a_scale_below_zero_is_refused(sigma: float) -> None:
    with pytest.raises(OntologyError, match="sigma: expected"):
        hop(cardiac(), sigma=sigma)
    with pytest.raises(OntologyError, match="sigma: expected"):
        random(cardiac(), sigma=sigma)


def test_an_unrelated_concept_changes_nothing_between_the_others() -> None:
    graph = cardiac()
    larger = ConceptGraph([*graph, Concept("test:new", "something else")], graph.edges)
    for kernel in (hop, wu_palmer, severity):
        np.testing.assert_array_equal(kernel(larger, ids=graph.observed), kernel(graph))


def test_wu_palmer_by_hand() -> None:
    # root - a - b - c, and d beside b
    edges = [("test:a", "test:r"), ("test:b", "test:a"), ("test:c", "test:b"), ("test:d", "test:a")]
    graph = ConceptGraph([Concept(f"test:{name}", name) for name in "rabcd"], edges)
    kernel = wu_palmer(graph)
    at = graph.index
    assert kernel[at("test:c"), at("test:d")] == 2 * 2 / (4 + 3)
    assert kernel[at("test:c"), at("test:b")] == 2 * 3 / (4 + 3)
    assert kernel[at("test:r"), at("test:d")] == 2 * 1 / (1 + 3)


def test_random_keeps_the_degrees_and_forgets_the_ontology() -> None:
    graph = cardiac()
    hops = -np.log(random(graph, ids=graph.ids, seed=3))
    neighbours = (np.round(hops, 9) == 1).sum(1)
    np.testing.assert_array_equal(neighbours, [len(graph.parents(i)) + len(graph.children(i)) for i in graph.ids])
    assert np.isfinite(hops).all()
    assert not np.allclose(random(graph, seed=3), hop(graph))
    np.testing.assert_array_equal(random(graph, seed=3), random(graph, seed=3))
    assert not np.array_equal(random(graph, seed=3), random(graph, seed=4))
    np.testing.assert_array_equal(random(graph, sigma=0), identity(graph))


def test_random_says_why_it_cannot() -> None:
    with pytest.raises(OntologyError, match="kernel 'random'"):
        random(scattered())


def test_severity_is_a_line_and_positive_definite() -> None:
    graph = cardiac()
    kernel, at = severity(graph), graph.index
    af, inversion, normal, q_wave = "164889003", "59931005", "426783006", "164917005"
    assert kernel[at(af), at(inversion)] == 0.5
    assert kernel[at(normal), at(q_wave)] == pytest.approx(0.15)
    assert np.linalg.eigvalsh(kernel).min() >= 0.5 - 1e-9
    scored = (kernel > 0).sum(1) > 1
    assert scored.sum() == 26
    off_diagonal = kernel[np.ix_(scored, scored)][~np.eye(26, dtype=bool)]
    assert off_diagonal.min() == pytest.approx(0.15)
    # The challenge's own matrix has this mean to within 0.025.
    assert off_diagonal.mean() == pytest.approx(0.4, abs=0.025)
