"""Contrast of windows with each other, their similarity computed in tiles and never held whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.autograd.function import once_differentiable

# Rows and columns, as an aligner prepares them -> their similarities. Differentiable and symmetric.
Compare = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Partners:
    """Who is whose partner: windows of one moment and of different subjects.

    A window and another one of the same moment and the same subject, who met it twice, are neither partners nor
    strangers, and the same is true of a window and itself.

    Attributes:
        moment: Equal numbers are one moment of one stimulus; -1 is none.
        subject: Equal numbers are one subject.
        same_subject: Whether windows of the same subject at other moments are among the candidates.
    """

    moment: Int[Tensor, " window"]
    subject: Int[Tensor, " window"]
    same_subject: bool = True

    def __len__(self) -> int:
        return len(self.moment)

    def block(self, rows: slice) -> tuple[Bool[Tensor, "row window"], Bool[Tensor, "row window"]]:
        """Which windows are partners of these rows, and which are candidates."""
        own = self.subject[rows, None] == self.subject
        together = (self.moment[rows, None] == self.moment) & (self.moment >= 0)
        candidates = ~(own & together) if self.same_subject else ~own
        candidates[:, rows].fill_diagonal_(False)
        return together & ~own, candidates

    def counts(self) -> Int[Tensor, " window"]:
        """How many partners each window has: those of its moment, less those of its moment and its subject."""
        # Numbered from 0, two whole numbers fit into one.
        moment, subject = (torch.unique(ids, return_inverse=True)[1] for ids in (self.moment, self.subject))
        both = moment * len(self) + subject
        return (_occurrences(moment) - _occurrences(both)) * (self.moment >= 0)


def pairwise_info_nce(
    windows: Float[Tensor, "window ..."],
    compare: Compare,
    *,
    scale: Float[Tensor, ""],
    partners: Partners,
    chunk: int,
) -> Float[Tensor, ""]:
    r"""Every window finds its partners among all the others: symmetric InfoNCE of a batch with itself.

    With S_ij = scale * compare(i, j), candidates C_i and partners P_i,

        L = mean_i ( log sum_{j in C_i} exp S_ij - mean_{j in P_i} S_ij )

    over the windows that have a partner; the others are candidates only. As S and partnership are symmetric, the
    cross-entropies of rows and of columns are the same numbers, and one direction is the whole loss.

    A loss ends the graph, so its gradient is computed with its value. A chunk of rows is compared with all columns;
    then their log-sum-exp is known, and with it the gradient of everything they have to do with: for the rows
    themselves, and for the columns, where it adds up. So each tile is visited once and dropped; memory is
    O(chunk * window + the windows), and no window x window matrix exists.

    Arithmetic is float32 (float64 for float64 windows). There is no second derivative. A batch without any partner has
    the loss 0 and gradients 0.

    Args:
        windows: As `compare` takes them.
        compare: Similarities of rows and columns; differentiable, symmetric.
        scale: Inverse temperature, a scalar; trainable.
        partners: Of each window.
        chunk: Rows compared at once.

    Raises:
        ValueError: If shapes do not fit, or a similarity is not finite.

    References:
        van den Oord et al., arXiv 1807.03748; Khosla et al. (several positives), arXiv 2004.11362; Shen et al.
        (CLISA), arXiv 2109.09559.
    """
    if not len(windows) == len(partners) == len(partners.subject):
        raise ValueError(
            f"expected a moment and a subject for each of {len(windows)} windows, got {len(partners)} and "
            f"{len(partners.subject)}"
        )
    if chunk < 1:
        raise ValueError(f"chunk: expected at least 1 row, got {chunk}")
    wanted = torch.is_grad_enabled() and (windows.requires_grad or scale.requires_grad)
    # torch leaves Function.apply untyped.
    loss: Tensor = _PairwiseInfoNCE.apply(windows, scale, _Task(compare, partners, chunk, wanted))  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return loss


@dataclass(frozen=True)
class _Task:
    compare: Compare
    partners: Partners
    chunk: int
    gradients: bool


class _PairwiseInfoNCE(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, windows: Tensor, scale: Tensor, task: _Task) -> Tensor:
        with torch.autocast(windows.device.type, enabled=False):
            dtype = torch.promote_types(windows.dtype, torch.float32)
            whole, s = windows.detach().to(dtype), scale.detach().to(dtype)
            counts = task.partners.counts()
            weights = (counts > 0).to(dtype) / (counts > 0).sum().clamp_min(1)
            loss, grad_s, grad = s.new_zeros(()), s.new_zeros(()), None
            for start in range(0, len(whole), task.chunk):
                rows = slice(start, min(start + task.chunk, len(whole)))
                if not counts[rows].any():
                    continue
                part, columns = (x.detach().requires_grad_(task.gradients) for x in (whole[rows], whole))
                with torch.set_grad_enabled(task.gradients):
                    found = task.compare(part, columns)
                value, slope = _cross_entropy(s * found.detach(), rows, task.partners, counts[rows])
                loss += weights[rows] @ value
                if task.gradients:
                    slope *= weights[rows, None]
                    grad_s += slope.flatten() @ found.detach().flatten()
                    of_rows, of_columns = torch.autograd.grad(found, (part, columns), slope * s)
                    # In the layout in which it comes: adding it up in another one is slow.
                    grad = of_columns if grad is None else grad.add_(of_columns)
                    grad[rows] += of_rows
            if not torch.isfinite(loss):
                raise ValueError(f"similarities: expected finite numbers, got a loss of {loss.item()}")
            if task.gradients:
                grad = torch.zeros_like(whole) if grad is None else grad
                ctx.save_for_backward(grad.to(windows.dtype), grad_s.to(scale.dtype).view(scale.shape))
            return loss

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        grad, grad_s = ctx.saved_tensors
        return grads[0] * grad, grads[0] * grad_s, None


def _cross_entropy(
    logits: Float[Tensor, "row window"], rows: slice, partners: Partners, counts: Int[Tensor, " row"]
) -> tuple[Float[Tensor, " row"], Float[Tensor, "row window"]]:
    """Of each row, and its derivative by the logits; what a row without partner gives is of no weight."""
    positive, candidates = partners.block(rows)
    target = positive.to(logits.dtype) / counts.clamp_min(1)[:, None]
    # Lowest, not -inf: a row without any candidate must not become NaN.
    logits = logits.masked_fill(~candidates, torch.finfo(logits.dtype).min)
    normaliser = logits.logsumexp(1)
    value = normaliser - (target * logits.masked_fill(~positive, 0)).sum(1)
    return value, (logits - normaliser[:, None]).exp_().sub_(target)


def _occurrences(ids: Int[Tensor, " item"]) -> Int[Tensor, " item"]:
    """How often each id occurs."""
    _, group, count = torch.unique(ids, return_inverse=True, return_counts=True)
    return count[group]
