"""The signal and text towers: from a recording or a report to the shared sphere."""

from __future__ import annotations

from collections.abc import Mapping

from biosig.encoders.pooling import pool
from jaxtyping import Float
from torch import Tensor, nn

from biosig import encoders
from pretrain.architecture import Projection, SignalSpec, TextSpec


class SignalTower(nn.Module):
    """Encoder, pooling over the whole strip, projection.

    Args:
        spec: Which encoder, pooling and projection.
        dim: Dimensions of the sphere.
    """

    def __init__(self, spec: SignalSpec, dim: int) -> None:
        super().__init__()
        self.encoder = encoders.build(spec.encoder, **spec.options)
        self.projection = projection(self.encoder.dim, dim, spec.projection)

    def pooled(self, batch: Mapping[str, Tensor]) -> Float[Tensor, "batch feature"]:
        """One feature vector a strip, before the projection: what probes see."""
        tokens = self.encoder(batch["signal"], batch["position"], batch["mask"], batch["modality"])
        return pool(tokens, batch["valid"] / batch["signal"].shape[-1]).float()

    def forward(self, pooled: Float[Tensor, "batch feature"]) -> Float[Tensor, "batch dim"]:
        """Features onto the sphere."""
        return nn.functional.normalize(self.projection(pooled).float(), dim=1)


class TextTower(nn.Module):
    """The trained part of the text tower; the report encoder before it is frozen, and runs once for each report.

    Args:
        spec: Which projection.
        text_dim: Width of the report encoder's vectors.
        dim: Dimensions of the sphere.
    """

    def __init__(self, spec: TextSpec, text_dim: int, dim: int) -> None:
        super().__init__()
        self.projection = projection(text_dim, dim, spec.projection)

    def forward(self, report: Float[Tensor, "batch text"]) -> Float[Tensor, "batch dim"]:
        """Report vectors onto the sphere."""
        return nn.functional.normalize(self.projection(report).float(), dim=1)


def projection(width: int, dim: int, kind: Projection) -> nn.Module:
    """From a tower's width to the sphere's dimensions."""
    match kind:
        case Projection.LINEAR:
            return nn.Linear(width, dim)
        case Projection.MLP:
            return nn.Sequential(nn.Linear(width, dim), nn.GELU(), nn.Linear(dim, dim))
