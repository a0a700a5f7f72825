"""Late interaction within a latency window: every token of a window looks for its own best partners in the other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional


@dataclass(frozen=True)
class Matching:
    r"""The mean similarity of tokens to their K best partners within a latency window, both ways.

        S_tu = <A_t, B_u>,   s(A -> B) = 1/N sum_t 1/K sum of the K largest S_tu, |u - t| <= w,

    and the similarity is (s(A -> B) + s(B -> A)) / 2, which is symmetric. At the ends of a window, where fewer than K
    partners are within reach, the mean is over those there are. K = 1 and w = N - 1 is ColBERT's MaxSim divided by N.

    With a span m > 1, S is first averaged along its diagonals, over the m tokens t - (m-1)/2 to t + (m-1)/2 and their
    partners of the same latency, as far as both exist: a short stretch of a window has one latency, which drifts from
    one stretch to the next.

    Products S_tu that are equal share the gradient where only some of them are among the K largest.

    Args:
        n_tokens: N.
        window: w, at most N - 1.
        top_k: K.
        span: m, odd.

    References:
        Xie et al., temporal asynchronous alignment contrastive learning (TA2CL), arXiv 2605.22379, of whose matching
        only the outline is known; Khattab and Zaharia (ColBERT), arXiv 2004.12832.
    """

    n_tokens: int
    window: int
    top_k: int = 1
    span: int = 1

    def __post_init__(self) -> None:
        if self.top_k < 1:
            raise ValueError(f"top_k: expected at least 1 partner, got {self.top_k}")
        if self.span < 1 or self.span % 2 == 0:
            raise ValueError(f"span: expected an odd number of tokens, got {self.span}")

    def prepare(self, tokens: Float[Tensor, "window token dim"]) -> Float[Tensor, "window token stretch"]:
        """Each token with its neighbours of the span, 0 beyond the ends: one product sums along the diagonal."""
        if self.span == 1:
            return tokens
        half = self.span // 2
        return functional.pad(tokens, (0, 0, half, half)).unfold(1, self.span, 1).flatten(2)

    def compare(
        self, rows: Float[Tensor, "row token stretch"], columns: Float[Tensor, "column token stretch"]
    ) -> Float[Tensor, "row column"]:
        # torch leaves Function.apply untyped.
        found: Tensor = _Match.apply(rows, columns, self)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return found

    def numbers(self, prepared: Float[Tensor, "window token stretch"]) -> int:
        return 2 * prepared.shape[1] ** 2


class _Match(torch.autograd.Function):
    """Axes are (t, row, u, column): both searches run over an outer axis, so that their steps are long."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, columns: Tensor, how: Matching) -> Tensor:
        products = _products(rows, columns, how)
        of_rows, of_columns = (_Partners.find(products, side, how) for side in (_ROWS, _COLUMNS))
        ctx.save_for_backward(rows, columns, products, of_rows.least, of_columns.least)
        ctx.how = how
        return (of_rows.mean.sum(0) + of_columns.mean.sum(1)) / (2 * how.n_tokens)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        rows, columns, products, *least = ctx.saved_tensors
        how: Matching = ctx.how
        residual: Tensor | None = None
        for side, limit in zip((_ROWS, _COLUMNS), least, strict=True):
            share = _shares(products, limit, side, how)
            # In the mean over partners and then over tokens and both ways.
            slope = grads[0][:, None] / (2 * how.n_tokens * _reach(side, how).to(products).unsqueeze(side))
            residual = share.mul_(slope) if residual is None else residual.addcmul_(share, slope)
        assert residual is not None
        if how.span > 1:
            residual.div_(_terms(how).to(residual))
        n, count = how.n_tokens, len(columns)
        flat = residual.view(n * len(rows), n * count)
        grad_rows = (flat @ _by_token(columns)).view(n, len(rows), -1).transpose(0, 1)
        grad_columns = (flat.T @ _by_token(rows)).view(n, count, -1).transpose(0, 1)
        return grad_rows, grad_columns, None


# The axis that is searched: over u for each token of a row, over t for each token of a column.
_ROWS, _COLUMNS = 2, 0


@dataclass(frozen=True)
class _Partners:
    """The best partners of every token, the searched axis gone.

    Attributes:
        mean: Of their products.
        least: The smallest of their products.
    """

    mean: Tensor
    least: Tensor

    @classmethod
    def find(cls, products: Float[Tensor, "t row u column"], side: int, how: Matching) -> _Partners:
        best = [products.amax(side)] if how.top_k == 1 else _insert(products.unbind(side), min(how.top_k, how.n_tokens))
        counts = _reach(side, how).to(products)
        total = least = best[0]
        for k, value in enumerate(best[1:], start=1):
            least = torch.where(k < counts, value, least)
            total = torch.where(k < counts, total + value, total)
        return cls(total / counts, least)


def _insert(slices: Sequence[Tensor], k: int) -> list[Tensor]:
    """The k largest of each place, in order: each new value sinks down the list to where it belongs."""
    best = [torch.full_like(slices[0], -torch.inf) for _ in range(k)]
    spare, sinking = torch.empty_like(slices[0]), torch.empty_like(slices[0])
    for value in slices:
        falling = value
        for place, held in enumerate(best):
            best[place] = torch.maximum(held, falling, out=spare)
            if place + 1 < k:
                falling = torch.minimum(held, falling, out=sinking)
            spare = held
    return best


def _shares(
    products: Float[Tensor, "t row u column"], least: Tensor, side: int, how: Matching
) -> Float[Tensor, "t row u column"]:
    """1 for each partner and 0 for others; products equal to the least partner share what room the others leave."""
    # Of the type of the products at once, without a detour over truth values.
    chosen = torch.ge(products, least.unsqueeze(side), out=torch.empty_like(products))
    counts = _reach(side, how).to(products)
    # There are never fewer than there should be, so the total tells whether there are more; the sum of sums is exact.
    pairs = products.shape[1] * products.shape[3]
    if chosen.sum(3).sum(dtype=torch.float64) == pairs * counts.sum(dtype=torch.float64):
        return chosen
    # Encoders that compute in sixteen bits give equal products often, but to few of the tokens.
    crowded = chosen.sum(side) > counts
    found, limit = products.movedim(side, -1)[crowded], least[crowded][:, None]
    above, equal = (found > limit).to(found), (found == limit).to(found)
    room = counts.expand_as(crowded)[crowded][:, None] - above.sum(1, keepdim=True)
    chosen.movedim(side, -1)[crowded] = above + equal * room / equal.sum(1, keepdim=True)
    return chosen


def _reach(side: int, how: Matching) -> Tensor:
    """How many partners each token has, at most K, along the axes that `side` leaves."""
    place = torch.arange(how.n_tokens)
    partners = (place + how.window).clamp_max(how.n_tokens - 1) - (place - how.window).clamp_min(0) + 1
    counts = partners.clamp_max(how.top_k)
    return counts[:, None, None] if side == _ROWS else counts[:, None]


def _products(rows: Tensor, columns: Tensor, how: Matching) -> Float[Tensor, "t row u column"]:
    n, w = how.n_tokens, how.window
    products = (_by_token(rows) @ _by_token(columns).T).view(n, len(rows), n, len(columns))
    if how.span > 1:
        products.div_(_terms(how).to(products))
    if w < n - 1:
        place = torch.arange(n)
        far = ((place[:, None] - place).abs() > w)[:, None, :, None]
        products += torch.zeros(far.shape).masked_fill_(far, -torch.inf).to(products)
    return products


def _terms(how: Matching) -> Float[Tensor, "t 1 u 1"]:
    """How many products of neighbours with the same latency there are within the span and both windows."""
    place = torch.arange(how.n_tokens)
    before, after = torch.minimum(place[:, None], place), how.n_tokens - 1 - torch.maximum(place[:, None], place)
    half = how.span // 2
    return (before.clamp_max(half) + 1 + after.clamp_max(half))[:, None, :, None].double()


def _by_token(windows: Float[Tensor, "window token dim"]) -> Float[Tensor, "item dim"]:
    return windows.transpose(0, 1).flatten(0, 1)
