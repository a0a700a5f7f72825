"""A linear head, and its exact fit: L2-regularised logistic regression of all concepts at once."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from finetune.heads.base import FeatureHead


class LinearHead(FeatureHead):
    """Logits of K concepts from standardised features: W (x - mean) / std + b.

    Args:
        dim: Size of a feature.
        n_outputs: Number of concepts.

    Shape:
        features `(B, dim)` -> logits `(B, n_outputs)`.
    """

    def __init__(self, dim: int, n_outputs: int) -> None:
        super().__init__(dim)
        self.linear = nn.Linear(dim, n_outputs)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)

    def forward(self, features: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch concept"]:
        logits: Tensor = self.linear(self.standardised(features))
        return logits


def fit_linear(
    features: Float[Tensor, "row dim"],
    labels: Bool[Tensor, "row concept"],
    known: Bool[Tensor, "row concept"],
    *,
    grid: Sequence[float],
    positive_weight: Float[Tensor, " concept"] | None = None,
    max_iterations: int = 100,
) -> list[LinearHead]:
    r"""Logistic regression of every concept k over the rows where it is known, for each C of the grid.

    The minimum of

        C sum_i BCE(w_k x_i + b_k, y_ik) + |w_k|^2 / 2,

    is scikit-learn's `LogisticRegression(C=C)` for each concept, on features standardised by the given rows. All
    concepts are found together by L-BFGS in double precision. In the basis of the singular vectors of x = U S V^T the
    Hessian is near p_k (1 - p_k) S^2 / n + 1 / (C n), a diagonal: with its root as the unit of every coordinate a few
    dozen steps are enough, however many features there are.

    A concept with one label value among its known rows cannot be learned: its weights stay zero, and its score is the
    same for everybody.

    Args:
        features: Features of the training rows.
        labels: True where the record has the concept.
        known: False where the label is not known; such pairs are left out.
        grid: Values of C, the inverse regularisation; ascending, since each starts from the one before.
        positive_weight: How often each positive of a concept counts; once by default.
        max_iterations: Of L-BFGS, for each C.

    Returns:
        A head for each C.
    """
    x = features.double()
    standard = FeatureHead(x.shape[1]).double()
    standard.measure(x)
    u, singular, vt = torch.linalg.svd(standard.standardised(x), full_matrices=False)

    y, counts = labels.double(), known.sum(0)
    learnable = (labels & known).any(0) & (~labels & known).any(0)
    pair_weight = known.double() * learnable / counts.clamp_min(1)
    if positive_weight is not None:
        pair_weight = torch.where(labels, pair_weight * positive_weight, pair_weight)
    prevalence = (labels & known).sum(0) / counts.clamp_min(1)
    weight, bias = y.new_zeros(y.shape[1], len(singular)), y.new_zeros(y.shape[1])
    heads = []
    for c in grid:
        penalty = 1 / (c * counts.clamp_min(1).double())
        curvature = (prevalence * (1 - prevalence))[:, None] * singular.square() / len(x) + penalty[:, None]
        weight, bias = _minimise(
            u * singular,
            y,
            (weight, bias),
            pair_weight=pair_weight,
            penalty=penalty * learnable,
            unit=curvature.rsqrt(),
            steps=max_iterations,
        )
        head = LinearHead(x.shape[1], y.shape[1]).double()
        head.mean, head.std = standard.mean, standard.std
        with torch.no_grad():
            head.linear.weight.copy_((weight @ vt) * learnable[:, None])
            head.linear.bias.copy_(bias * learnable)
        heads.append(head)
    return heads


def _minimise(
    x: Tensor,
    y: Tensor,
    start: tuple[Tensor, Tensor],
    *,
    pair_weight: Tensor,
    penalty: Tensor,
    unit: Tensor,
    steps: int,
) -> tuple[Tensor, Tensor]:
    """Weights and biases of all concepts in the basis of x; `unit` is the length of a step of one coordinate."""
    scaled = (start[0] / unit).requires_grad_()
    bias = start[1].clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [scaled, bias],
        max_iter=steps,
        history_size=20,
        tolerance_grad=1e-6,
        tolerance_change=1e-9,
        line_search_fn="strong_wolfe",
    )

    def loss() -> Tensor:
        optimizer.zero_grad()
        weight = scaled * unit
        value = nn.functional.binary_cross_entropy_with_logits(x @ weight.T + bias, y, pair_weight, reduction="sum")
        value = value + (penalty * weight.square().sum(1)).sum() / 2
        value.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return value

    optimizer.step(loss)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return (scaled * unit).detach(), bias.detach()
