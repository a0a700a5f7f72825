"""A head with one hidden layer."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor, nn

from finetune.heads.base import FeatureHead


class MLPHead(FeatureHead):
    """Logits of K concepts from features by one hidden layer: W2 drop(gelu(W1 norm(x) + b1)) + b2.

    x are the standardised features.

    Args:
        dim: Size of a feature.
        n_outputs: Number of concepts.
        hidden: Size of the hidden layer.
        dropout: Of the hidden layer.

    Shape:
        features `(B, dim)` -> logits `(B, n_outputs)`.
    """

    def __init__(self, dim: int, n_outputs: int, *, hidden: int = 256, dropout: float = 0.1) -> None:
        super().__init__(dim)
        self.layers = nn.Sequential(
            nn.LayerNorm(dim), nn.Linear(dim, hidden), nn.GELU(), nn.Dropout(dropout), nn.Linear(hidden, n_outputs)
        )

    def forward(self, features: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch concept"]:
        logits: Tensor = self.layers(self.standardised(features))
        return logits
