"""Where a sensor is and what it measures, as a vector."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from biosig.recording import Modality

# Half-wavelengths of the embedding, in radii of the head or of the lead sphere: 2, 1, 1/2, 1/4.
_OCTAVES = 4


class SensorPlaces(nn.Module):
    """Position and modality of each channel -> a vector of it; an unknown position has a vector of its own.

    Args:
        dim: Of a vector.

    References:
        Mildenhall et al. (sinusoids of positions), arXiv 2003.08934; Defossez et al. (attention over sensor
        positions), arXiv 2208.12266.
    """

    octaves: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("octaves", math.pi / 2 * 2.0 ** torch.arange(_OCTAVES), persistent=False)
        self.place = nn.Sequential(_linear(3 * (1 + 2 * _OCTAVES), dim), nn.GELU(), _linear(dim, dim))
        self.nowhere = nn.Parameter(torch.randn(dim))
        self.modality = nn.Embedding(len(Modality), dim)

    def embed(
        self, positions: Float[Tensor, "batch channel 3"], modality: Int[Tensor, "batch channel"] | None = None
    ) -> Float[Tensor, "batch channel dim"]:
        """The vectors."""
        there = known(positions)
        # Chosen before the sinusoids: the gradient of what they make of infinity would be NaN, chosen or not.
        where = torch.where(there, positions, 0).float()
        angles = (where[..., None, :] * self.octaves.float()[:, None]).flatten(-2)
        embedded = self.place(torch.cat([where, angles.sin(), angles.cos()], dim=-1).to(self.nowhere.dtype))
        embedded = torch.where(there, embedded, self.nowhere.to(embedded.dtype))
        if modality is not None:
            embedded = embedded + self.modality(modality)
        return embedded


def known(positions: Float[Tensor, "batch channel 3"]) -> Bool[Tensor, "batch channel 1"]:
    """Which positions are any: neither (0, 0, 0) nor NaN."""
    return torch.isfinite(positions).all(-1, keepdim=True) & (positions != 0).any(-1, keepdim=True)


def _linear(n_in: int, n_out: int) -> nn.Linear:
    """Twice as large as torch makes it, whose places look so alike that every virtual channel is the average."""
    layer = nn.Linear(n_in, n_out)
    nn.init.kaiming_normal_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer
