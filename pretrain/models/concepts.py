"""The concept tower: one vector on the sphere for every observed concept of an ontology."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ontology.graph import ConceptGraph
from ontology.prompts import sentences
from pretrain.models.text import Encodes
from pretrain.specs.architecture import ConceptEmbedding


class ConceptTower(nn.Module):
    r"""Vectors of the concepts `graph.observed`, in that order.

    `free`: a learned vector each. `graph`: one graph convolution over all concepts of the graph, organisers too,

        H = ReLU(A E W1) W2,   A = D^-1/2 (Is-a + Is-a^T + I) D^-1/2,

    so that a rare concept borrows from its parents and siblings. `text`: the words of the term through a frozen report
    encoder, then a trained projection; `describe` sets the words, and weights that are loaded bring them along.

    Args:
        graph: The ontology.
        dim: Dimensions of the sphere.
        embedding: Which of the three.
        text_dim: Dimensions of the report encoder's vectors, for `text`.

    References:
        Kipf & Welling, "Semi-supervised classification with graph convolutional networks", arXiv 1609.02907.
    """

    observed: Tensor
    adjacency: Tensor
    words: Tensor

    def __init__(
        self, graph: ConceptGraph, dim: int, embedding: ConceptEmbedding = ConceptEmbedding.FREE, text_dim: int = 0
    ) -> None:
        super().__init__()
        self.embedding = ConceptEmbedding(embedding)
        match self.embedding:
            case ConceptEmbedding.FREE:
                self.vectors = nn.Parameter(torch.randn(len(graph.observed), dim) * dim**-0.5)
            case ConceptEmbedding.GRAPH:
                self.vectors = nn.Parameter(torch.randn(len(graph.ids), dim) * dim**-0.5)
                self.inner, self.outer = nn.Linear(dim, 2 * dim), nn.Linear(2 * dim, dim)
                self.register_buffer("adjacency", normalised_adjacency(graph), persistent=False)
                rows = torch.tensor([graph.ids.index(concept) for concept in graph.observed])
                self.register_buffer("observed", rows, persistent=False)
            case ConceptEmbedding.TEXT:
                if text_dim < 1:
                    raise ValueError(f"expected the width of the report encoder's vectors, got {text_dim}")
                self.register_buffer("words", torch.zeros(len(graph.observed), text_dim))
                self.outer = nn.Linear(text_dim, dim)

    def describe(self, graph: ConceptGraph, encoder: Encodes) -> None:
        """Set the words of a `text` tower: the mean vector of each concept's sentences. Others need none."""
        if self.embedding is ConceptEmbedding.TEXT:
            said = [sentences(graph[concept]) for concept in graph.observed]
            vectors = torch.from_numpy(encoder.encode([sentence for one in said for sentence in one]))
            means = [part.mean(0) for part in torch.split(vectors, [len(one) for one in said])]
            self.words.copy_(nn.functional.normalize(torch.stack(means), dim=1))

    def forward(self) -> Float[Tensor, "concept dim"]:
        """The concepts on the unit sphere."""
        match self.embedding:
            case ConceptEmbedding.FREE:
                vectors: Tensor = self.vectors
            case ConceptEmbedding.GRAPH:
                vectors = self.outer(torch.relu(self.adjacency @ self.inner(self.vectors)))[self.observed]
            case ConceptEmbedding.TEXT:
                vectors = self.outer(self.words)
        return nn.functional.normalize(vectors.float(), dim=1)


def normalised_adjacency(graph: ConceptGraph) -> Float[Tensor, "concept concept"]:
    """D^-1/2 (Is-a + Is-a^T + I) D^-1/2 over `graph.ids`, where D is the diagonal of row sums."""
    place = {concept: row for row, concept in enumerate(graph.ids)}
    edges = torch.eye(len(place))
    for child in graph.ids:
        for parent in graph.parents(child):
            edges[place[child], place[parent]] = edges[place[parent], place[child]] = 1.0
    scale = edges.sum(1).rsqrt()
    return scale[:, None] * edges * scale
