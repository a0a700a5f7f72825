"""The loss written the slow way, in plain torch: what the tiled one is measured against."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def dense_loss(
    a: Tensor,
    b: Tensor,
    scale: Tensor,
    target: Tensor,
    *,
    both: bool = True,
    exclude: Tensor | None = None,
    columns_averaged: Tensor | None = None,
) -> Tensor:
    """Rows and columns without target are left out of their mean; the target is a whole matrix."""
    logits, target = scale * a @ b.T, target.to(torch.promote_types(a.dtype, torch.float32))
    if exclude is not None:
        # A pair's logit is a large negative number, not -inf, whose gradient autograd turns into NaN.
        logits, target = logits.masked_fill(exclude, -1e9), target.masked_fill(exclude, 0)
    by_row = _mean_cross_entropy(logits, target, torch.ones(len(target), dtype=torch.bool))
    if not both:
        return by_row
    counted = torch.ones(target.shape[1], dtype=torch.bool) if columns_averaged is None else columns_averaged
    return (by_row + _mean_cross_entropy(logits.T, target.T, counted)) / 2


def _mean_cross_entropy(logits: Tensor, target: Tensor, counted: Tensor) -> Tensor:
    losses = [
        -(t / t.sum() * row.log_softmax(0)).sum()
        for row, t, counts in zip(logits, target, counted, strict=True)
        if counts and t.sum() > 0
    ]
    return torch.stack(losses).mean() if losses else logits.sum() * 0


def unit(rows: int, dim: int = 8, *, seed: int, dtype: torch.dtype = torch.float32) -> Tensor:
    """Random points of the unit sphere, a leaf that wants its gradient."""
    points = torch.randn(rows, dim, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return functional.normalize(points, dim=1).to(dtype).requires_grad_()
