"""What a head reads of a recording, and the standardisation that heads of features share."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor, nn


class Reads(StrEnum):
    """What a head takes: one pooled vector `(B, dim)`, or all tokens `(B, N, dim)` and which of them are no padding."""

    FEATURES = "features"
    TOKENS = "tokens"


class Head(nn.Module):
    """Logits of concepts, from what it reads; made from the size of a feature or token and the number of concepts."""

    reads: ClassVar[Reads]


class FeatureHead(Head):
    """A head of pooled features, which are standardised first: (x - mean) / std.

    Mean and deviation are measured once, on training records, and are no statistics of a batch. What an untrained
    encoder gives of different records is nearly one vector; without it a head would see next to no difference.

    Args:
        dim: Size of a feature.
    """

    reads = Reads.FEATURES
    mean: Tensor
    std: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("std", torch.ones(dim))

    def measure(self, features: Float[Tensor, "row dim"]) -> None:
        """Take mean and deviation from training records. A number that never moves says nothing and stays as it is."""
        x = features.double()
        mean, std = x.mean(0), x.std(0, correction=0)
        std = torch.where(std > 1e-9 * mean.abs().clamp_min(1e-9), std, 1.0)
        self.mean, self.std = mean.to(self.mean.dtype), std.to(self.std.dtype)

    def standardised(self, features: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        """What the head works on."""
        return (features - self.mean) / self.std
