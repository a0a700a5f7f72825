"""Concepts as unit vectors, and two losses that pull recordings to those of their concepts."""

from __future__ import annotations

from enum import StrEnum

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from finetune.heads.base import FeatureHead


class Prototypes(StrEnum):
    """Where the prototypes of a head come from."""

    LEARNED = "learned"
    SIMPLEX = "simplex"


class PrototypeHead(FeatureHead):
    """Cosines of a standardised feature to one prototype a concept, divided by a temperature, plus a bias a concept.

    Args:
        dim: Size of a feature.
        n_outputs: Number of concepts.
        prototypes: Learned, or the corners of a fixed simplex, whose cosines are all -1 / (K - 1).
        temperature: Of the logits.

    Shape:
        features `(B, dim)` -> logits `(B, n_outputs)`.

    Raises:
        ValueError: If the simplex of K corners does not fit into the features.

    References:
        Neural Collapse by Design, arXiv 2605.20302.
    """

    prototype: Tensor

    def __init__(
        self, dim: int, n_outputs: int, *, prototypes: Prototypes = Prototypes.LEARNED, temperature: float = 0.1
    ) -> None:
        super().__init__(dim)
        self.temperature = temperature
        if prototypes is Prototypes.SIMPLEX:
            self.register_buffer("prototype", simplex(n_outputs, dim))
        else:
            self.prototype = nn.Parameter(nn.functional.normalize(torch.randn(n_outputs, dim), dim=1))
        self.bias = nn.Parameter(torch.zeros(n_outputs))

    def cosines(self, features: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch concept"]:
        """Of features and prototypes: what the losses take."""
        return (
            nn.functional.normalize(self.standardised(features), dim=1)
            @ nn.functional.normalize(self.prototype, dim=1).T
        )

    def forward(self, features: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch concept"]:
        return self.cosines(features) / self.temperature + self.bias


def simplex(corners: int, dim: int) -> Float[Tensor, "corner dim"]:
    """Unit vectors as far from each other as they can be: all cosines are -1 / (corners - 1).

    Raises:
        ValueError: If there are fewer than 2 corners, or more than `dim`.
    """
    if not 2 <= corners <= dim:
        raise ValueError(f"simplex: expected 2 to {dim} corners in {dim} dimensions, got {corners}")
    centred = torch.eye(corners) - 1 / corners
    return nn.functional.pad(nn.functional.normalize(centred, dim=1), (0, dim - corners))


def ntce(
    cosines: Float[Tensor, "batch concept"],
    labels: Bool[Tensor, "batch concept"],
    known: Bool[Tensor, "batch concept"],
    *,
    temperature: float = 0.1,
) -> Float[Tensor, ""]:
    r"""Every concept's recordings against all recordings of the batch.

    With s_ik the cosine of recording i and prototype k, the mean over known positive pairs (i, k) of

        -log( exp(s_ik / tau) / sum_j exp(s_jk / tau) ),

    j over the recordings whose label of k is known. With one label a recording this is the paper's loss; several
    labels are as many pairs (an extension: the simplex is then no longer the optimum). Without a pair it is 0.

    References:
        NTCE of Neural Collapse by Design, arXiv 2605.20302.
    """
    return _against(cosines / temperature, labels & known, known)


def nonl(
    cosines: Float[Tensor, "batch concept"],
    labels: Bool[Tensor, "batch concept"],
    known: Bool[Tensor, "batch concept"],
    *,
    temperature: float = 0.1,
) -> Float[Tensor, ""]:
    r"""As `ntce`, but the sum goes only over recordings that are known not to have the concept.

    A concept without such a recording in the batch has no part in it.

    References:
        NONL of Neural Collapse by Design, arXiv 2605.20302.
    """
    return _against(cosines / temperature, labels & known, ~labels & known)


def _against(scores: Tensor, positive: Tensor, others: Tensor) -> Tensor:
    """Mean over positive pairs of log sum over the others of the column, less the pair's own score."""
    positive = positive & others.any(0)
    # Columns without others are not used; a finite number keeps their gradient from being NaN.
    total = scores.masked_fill(~others, torch.finfo(scores.dtype).min / 2).logsumexp(0)
    return torch.where(positive, total - scores, 0.0).sum() / positive.sum().clamp_min(1)


class PrototypeLoss(nn.Module):
    """`ntce`, or `nonl`, as a module: cosines, labels, known -> a number.

    Args:
        name: `ntce` or `nonl`.
        temperature: Of the cosines.
    """

    def __init__(self, name: str = "ntce", *, temperature: float = 0.1) -> None:
        super().__init__()
        self.loss, self.temperature = LOSSES[name], temperature

    def forward(
        self,
        cosines: Float[Tensor, "batch concept"],
        labels: Bool[Tensor, "batch concept"],
        known: Bool[Tensor, "batch concept"],
    ) -> Float[Tensor, ""]:
        return self.loss(cosines, labels, known, temperature=self.temperature)


LOSSES = {"ntce": ntce, "nonl": nonl}
