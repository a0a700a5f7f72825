"""Numbers of a recording (age, heart rate, intervals), of which any may be missing."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class RegressionHead(nn.Module):
    """A mean and the log of a variance for each number, linear in the features.

    Args:
        dim: Size of a feature.
        n_outputs: Numbers.

    Shape:
        features `(B, dim)` -> mean `(B, n_outputs)`, log variance `(B, n_outputs)`.
    """

    def __init__(self, dim: int, n_outputs: int) -> None:
        super().__init__()
        self.mean, self.log_variance = nn.Linear(dim, n_outputs), nn.Linear(dim, n_outputs)
        nn.init.zeros_(self.log_variance.weight)
        nn.init.zeros_(self.log_variance.bias)

    def forward(
        self, features: Float[Tensor, "batch dim"]
    ) -> tuple[Float[Tensor, "batch number"], Float[Tensor, "batch number"]]:
        return self.mean(features), self.log_variance(features)


def masked_huber(
    mean: Float[Tensor, "batch number"], target: Float[Tensor, "batch number"], *, delta: float = 1.0
) -> Float[Tensor, ""]:
    """Huber's loss, the mean over the targets that are not NaN; 0 if all are."""
    there, filled = _filled(mean, target)
    each = nn.functional.huber_loss(mean, filled, reduction="none", delta=delta)
    return (each * there).sum() / there.sum().clamp_min(1)


def masked_gaussian_nll(
    mean: Float[Tensor, "batch number"],
    log_variance: Float[Tensor, "batch number"],
    target: Float[Tensor, "batch number"],
) -> Float[Tensor, ""]:
    r"""(log v + (y - m)^2 / v) / 2, the mean over the targets that are not NaN; 0 if all are.

    References:
        Nix and Weigend, Estimating the mean and variance of the target probability distribution, 1994.
    """
    there, filled = _filled(mean, target)
    each = (log_variance + (filled - mean).square() * (-log_variance).exp()) / 2
    return (each * there).sum() / there.sum().clamp_min(1)


class HuberLoss(nn.Module):
    """`masked_huber` as a module."""

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        self.delta = delta

    def forward(self, mean: Float[Tensor, "batch number"], target: Float[Tensor, "batch number"]) -> Float[Tensor, ""]:
        return masked_huber(mean, target, delta=self.delta)


class GaussianLoss(nn.Module):
    """`masked_gaussian_nll` as a module."""

    def forward(
        self,
        mean: Float[Tensor, "batch number"],
        log_variance: Float[Tensor, "batch number"],
        target: Float[Tensor, "batch number"],
    ) -> Float[Tensor, ""]:
        return masked_gaussian_nll(mean, log_variance, target)


def _filled(mean: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Which targets are there; and the targets, with the prediction in the place of those that are not."""
    there = ~target.isnan()
    return there, torch.where(there, target, mean.detach())
