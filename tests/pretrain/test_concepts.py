"""The concept tower: one unit vector a concept, whatever it comes from."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

import ontology
from ontology.graph import Concept, ConceptGraph
from pretrain.models.concepts import ConceptTower, normalised_adjacency
from pretrain.specs.architecture import ConceptEmbedding

GRAPH = ConceptGraph(
    [
        Concept("t:a", "atrial fibrillation"),
        Concept("t:b", "atrial flutter"),
        Concept("t:top", "rhythm", organiser=True),
    ],
    [("t:a", "t:top"), ("t:b", "t:top")],
)


class Words:
    """A report encoder that knows a sentence by its length."""

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        angle = np.array([len(text) for text in texts], dtype=np.float32)
        return np.stack([np.cos(angle), np.sin(angle)], axis=1)


@pytest.mark.parametrize("embedding", list(ConceptEmbedding))
def test_one_unit_vector_for_each_observed_concept(embedding: ConceptEmbedding) -> None:
    graph = ontology.cardiac()
    tower = ConceptTower(graph, 16, embedding, text_dim=2)
    tower.describe(graph, Words())
    vectors = tower()
    assert vectors.shape == (len(graph.observed), 16)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(len(vectors)))
    vectors[:, 0].sum().backward()
    assert all(parameter.grad is not None for parameter in tower.parameters())


def test_the_adjacency_is_the_formula() -> None:
    link = np.array([[1, 0, 1], [0, 1, 1], [1, 1, 1]], dtype=np.float32)
    degree = np.diag(link.sum(1) ** -0.5)
    np.testing.assert_allclose(normalised_adjacency(GRAPH).numpy(), degree @ link @ degree, rtol=1e-6)


def test_a_graph_tower_shares_between_relatives() -> None:
    torch.manual_seed(0)
    tower = ConceptTower(GRAPH, 8, ConceptEmbedding.GRAPH)
    tower()[0].sum().backward()
    assert tower.vectors.grad is not None
    assert tower.vectors.grad[2].abs().sum() > 0, "the parent learns from the child"


def test_words_travel_with_the_weights() -> None:
    tower = ConceptTower(GRAPH, 8, ConceptEmbedding.TEXT, text_dim=2)
    before = tower()
    tower.describe(GRAPH, Words())
    assert not torch.equal(tower(), before)
    other = ConceptTower(GRAPH, 8, ConceptEmbedding.TEXT, text_dim=2)
    other.load_state_dict(tower.state_dict())
    assert torch.equal(other(), tower())


def test_a_text_tower_needs_a_width() -> None:
    with pytest.raises(ValueError, match="width"):
        ConceptTower(GRAPH, 8, ConceptEmbedding.TEXT)
