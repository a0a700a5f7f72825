"""The one contrastive loss: soft-target InfoNCE, exact, in memory linear in the batch.

Every objective of the toolkit is this function with another target.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.autograd.function import once_differentiable

from pretrain.objectives.softmax import softmax_of
from pretrain.objectives.targets import Dense, Groups, LowRank, Targets, WithoutSelf
from pretrain.objectives.tiles import Tiles

__all__ = ["Dense", "Direction", "Empty", "Groups", "LowRank", "Targets", "excluding", "soft_info_nce"]


class Direction(StrEnum):
    """Which cross-entropies are averaged."""

    BOTH = "both"
    """Rows find their columns and columns their rows, half each."""
    ROWS = "rows"
    """Only rows find their columns."""


class Empty(StrEnum):
    """What becomes of a row or a column that has no target."""

    ERROR = "error"
    """It is refused: it would have no loss, in silence."""
    IGNORE = "ignore"
    """It is left out of the mean. It stays among the candidates of the others."""


def soft_info_nce(
    a: Float[Tensor, "row dim"],
    b: Float[Tensor, "column dim"],
    *,
    scale: Float[Tensor, ""],
    targets: Targets,
    direction: Direction | str = Direction.BOTH,
    empty: Empty | str = Empty.ERROR,
    exclude: Literal["self"] | Bool[Tensor, "row column"] | None = None,
    columns_averaged: Bool[Tensor, " column"] | None = None,
    chunk: int | None = None,
) -> Float[Tensor, ""]:
    r"""Cross-entropy between soft targets and the softmax of scaled similarities.

    With S = scale * a b^T, and T normalised over rows and over columns,

        L = 1/2 mean_i CE(T_i. / T_i+, softmax_j S_ij) + 1/2 mean_j CE(T_.j / T_+j, softmax_i S_ij),

    or the first mean alone. CE is the Kullback-Leibler divergence plus the entropy of the target, which is constant.

    A loss ends the graph, so its gradient is formed with its value. One pass over row chunks of S finds the sums of
    the softmax of every row and column; a second one walks back and accumulates dL/da and dL/db, beginning with the
    last chunks of the first, of which a fixed 128 MB (1 GB on a GPU) are kept: a small batch is computed once. Targets
    enter as products with the embeddings, never as tiles. Memory is O(chunk * column + (row + column) * dim).

    Arithmetic is float32 (float64 for float64 embeddings) whatever the towers computed in, autocast or not. There is
    no second derivative, and no gradient to the targets. A batch without any target, where that is not an error, has
    the loss 0 and gradients 0, so that processes of a joint run stay in step.

    Args:
        a: Row embeddings, usually on the unit sphere.
        b: Column embeddings.
        scale: Inverse temperature, a scalar; trainable.
        targets: Which columns are right for which rows, and how much.
        direction: `both` or `rows`.
        empty: `error` or `ignore`: rows and columns without target.
        exclude: Pairs that are neither right nor wrong, left out of every softmax: `"self"` where rows and columns
            are the same things, or a mask, which goes with `Dense` targets. Targets at these pairs count as 0.
        columns_averaged: Columns whose cross-entropy counts, all by default; the others are candidates only.
        chunk: Rows computed at once; by default what makes 16 MB of logits on a CPU and 256 MB on a GPU.

    Raises:
        ValueError: If shapes do not fit, an embedding or the scale is not finite, or (unless ignored) a row or a
            column has no target.
        TypeError: If a mask of pairs comes with targets other than `Dense`.

    References:
        van den Oord et al., arXiv 1807.03748; Radford et al., arXiv 2103.00020; Khosla et al., arXiv 2004.11362.
    """
    _check_inputs(a, b, scale, targets, chunk)
    targets = excluding(targets, exclude)
    row_sums, column_sums = targets.row_sums(), targets.column_sums()
    if columns_averaged is not None:
        column_sums = column_sums * columns_averaged
    both = Direction(direction) is Direction.BOTH
    if Empty(empty) is Empty.ERROR:
        _refuse_empty("row", row_sums)
        if both:
            _refuse_empty("column", column_sums if columns_averaged is None else column_sums[columns_averaged])
    elif not (row_sums > 0).any():
        return (a.sum() + b.sum() + scale.sum()).to(_working_type(a, b)) * 0

    task = _Task(
        targets=targets,
        sums=(row_sums, column_sums),
        weights=(
            _mean_weights(row_sums, share=0.5 if both else 1.0),
            _mean_weights(column_sums, share=0.5 if both else 0.0),
        ),
        exclude=exclude,
        chunk=chunk,
        gradients=torch.is_grad_enabled() and any(x.requires_grad for x in (a, b, scale)),
    )
    # torch leaves Function.apply untyped.
    loss: Tensor = _SoftInfoNCE.apply(a, b, scale, task)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return loss


def excluding(targets: Targets, exclude: Literal["self"] | Bool[Tensor, "row column"] | None) -> Targets:
    """The targets, 0 at pairs that are left out.

    Raises:
        ValueError: If there are not as many rows as columns, where each is to be left out with itself.
        TypeError: If a mask of pairs comes with targets other than `Dense`.
    """
    if exclude is None:
        return targets
    if isinstance(exclude, Tensor):
        if not isinstance(targets, Dense):
            raise TypeError(f"a mask of excluded pairs goes with Dense targets, got {type(targets).__name__}")
        return targets.without(exclude)
    rows, columns = targets.shape
    if rows != columns:
        raise ValueError(f"exclude='self': expected rows and columns alike, got {rows} and {columns}")
    return WithoutSelf(targets)


@dataclass(frozen=True)
class _Task:
    """What to compute besides the embeddings: the loss is sum_i weight_i CE_i over rows, and over columns."""

    targets: Targets
    sums: tuple[Tensor, Tensor]
    weights: tuple[Tensor, Tensor]
    exclude: Literal["self"] | Tensor | None
    chunk: int | None
    gradients: bool


class _SoftInfoNCE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, a: Tensor, b: Tensor, scale: Tensor, task: _Task) -> Tensor:
        with torch.autocast(a.device.type, enabled=False):
            dtype = _working_type(a, b)
            a_, b_, s = a.to(dtype), b.to(dtype), scale.to(dtype)
            scaled = a_ * s
            row_weight, column_weight = (weight.to(dtype) for weight in task.weights)
            # A row of weight 0 has no target to divide by.
            row_share, column_share = (
                torch.where(weight > 0, weight / total, 0).to(dtype)
                for weight, total in zip(task.weights, task.sums, strict=True)
            )
            tiles = Tiles(len(a), len(b), scaled, chunk=task.chunk, keep=task.gradients)
            softmax = softmax_of(_largest_logit(scaled, b_, s), scaled, b_, tiles.scratch)

            def compute(k: int) -> Tensor:
                rows = tiles.rows[k]
                logits = torch.mm(scaled[rows], b_.T, out=tiles[k])
                if task.exclude == "self":
                    logits[:, rows].fill_diagonal_(-torch.inf)
                elif isinstance(task.exclude, Tensor):
                    logits.masked_fill_(task.exclude[rows], -torch.inf)
                return softmax.prepare(logits)

            for k, rows in enumerate(tiles.rows):
                softmax.add(compute(k), rows)
            row_lse, column_lse = softmax.close(row_weight, column_weight)
            with_b, with_a = task.targets.products(scaled, b_, row_share, column_share)
            loss = row_weight @ row_lse + column_weight @ column_lse - (scaled * with_b).sum()
            if not task.gradients:
                return loss

            # dL/dS = weighted softmax of rows and of columns - weighted targets: its products are the gradients.
            grad_a, grad_b = torch.empty_like(scaled), torch.zeros_like(b_)
            for k, rows in reversed(list(enumerate(tiles.rows))):
                residual = softmax.weighted(tiles[k] if tiles.in_hand(k) else compute(k), rows)
                torch.mm(residual, b_, out=grad_a[rows])
                grad_b.addmm_(residual.T, scaled[rows])
            grad_a -= with_b
            grad_b -= with_a
            grad_s = (grad_a * a_).sum().view(scale.shape)
            ctx.save_for_backward(grad_a.mul_(s).to(a.dtype), grad_b.to(b.dtype), grad_s.to(scale.dtype))
            return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        grad_a, grad_b, grad_s = ctx.saved_tensors
        return grad[0] * grad_a, grad[0] * grad_b, grad[0] * grad_s, None


def _working_type(a: Tensor, b: Tensor) -> torch.dtype:
    return torch.promote_types(torch.promote_types(a.dtype, b.dtype), torch.float32)


def _mean_weights(sums: Tensor, *, share: float) -> Tensor:
    present = (sums > 0).double()
    return share * present / present.sum().clamp_min(1)


def _refuse_empty(name: str, sums: Tensor) -> None:
    if not len(sums):
        raise ValueError(f"expected at least one {name}, got none")
    missing = (sums <= 0).nonzero()
    if len(missing):
        raise ValueError(f"{name} {missing[0].item()} has no target ({len(missing)} such {name}s of {len(sums)})")


def _check_inputs(a: Tensor, b: Tensor, scale: Tensor, targets: Targets, chunk: int | None) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"expected a (row, dim) and b (column, dim), got {tuple(a.shape)} and {tuple(b.shape)}")
    if targets.shape != (len(a), len(b)):
        raise ValueError(f"expected targets of shape {(len(a), len(b))}, got {targets.shape}")
    if chunk is not None and chunk < 1:
        raise ValueError(f"chunk: expected at least 1 row, got {chunk}")
    if scale.numel() != 1:
        raise ValueError(f"scale: expected one number, got shape {tuple(scale.shape)}")


def _largest_logit(scaled: Tensor, b: Tensor, scale: Tensor) -> float:
    """By Cauchy-Schwarz no logit is larger than the product of the largest norms; it also tells whether all is finite.

    Raises:
        ValueError: If the scale, a row or a column is not finite.
    """
    bound = float(scaled.norm(dim=1).max() * b.norm(dim=1).max())
    if math.isfinite(bound):
        return bound
    if not torch.isfinite(scale):
        raise ValueError(f"scale: expected a finite number, got {scale.item()}")
    for name, vectors in (("row", scaled), ("column", b)):
        bad = (~torch.isfinite(vectors).all(dim=1)).nonzero()
        if len(bad):
            raise ValueError(f"{name} {bad[0].item()} is not finite ({len(bad)} such {name}s of {len(vectors)})")
    raise ValueError(
        f"logits overflow: entries up to {scaled.abs().max():g} (scaled rows) and {b.abs().max():g} (columns)"
    )
