"""How alike two windows are, each a sequence of tokens: one name for every way to bring their times together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from pretrain.objectives.coherent import Coherent, Overlap
from pretrain.objectives.matching import Matching

__all__ = ["Aligner", "Alignment", "Coherent", "Matching", "Overlap", "Pooled", "Summary", "Synchronous", "similarity"]


class Alignment(StrEnum):
    """How the tokens of one window meet those of another.

    `pooled`: times are forgotten. `synchronous`: token t meets token t. `top_k`: each token looks for its own
    partners within the latency window. `coherent`: all tokens of a pair share one latency. `banded`: as `top_k`, a few
    neighbouring tokens looking together, for a latency that drifts.
    """

    POOLED = "pooled"
    SYNCHRONOUS = "synchronous"
    TOP_K = "top_k"
    COHERENT = "coherent"
    BANDED = "banded"


class Summary(StrEnum):
    """What `pooled` keeps of the tokens: their mean, or their mean and the logarithm of their variance."""

    MEAN = "mean"
    MEAN_VARIANCE = "mean_variance"


class Aligner(Protocol):
    """A similarity of windows. It is symmetric: similarity(A, B) = similarity(B, A).

    What is done once a window is apart from what is done once a pair, so that pairs can be computed in tiles.
    """

    def prepare(self, tokens: Float[Tensor, "window token dim"]) -> Float[Tensor, "window ..."]:
        """What `compare` wants of each window. Differentiable."""

    def compare(
        self, rows: Float[Tensor, "row ..."], columns: Float[Tensor, "column ..."]
    ) -> Float[Tensor, "row column"]:
        """Every row with every column, all prepared. Differentiable."""

    def numbers(self, prepared: Float[Tensor, "window ..."]) -> int:
        """About how many numbers `compare` holds at once for one pair."""


@dataclass(frozen=True)
class Pooled:
    """Cosine of the pooled windows, as in CLISA. No latency matters, and no order.

    The mean of the tokens; or, with `mean_variance`, the mean of two cosines, that of the means and that of the
    logarithms of the variances over time, less their own mean over the dimensions: the common level of the variances
    would make all windows alike.

    The tokens must not have been centred over the window (`TokenSpec.centre`): their mean would be nothing.

    References:
        Shen et al., Contrastive learning of subject-invariant EEG representations (CLISA), arXiv 2109.09559.
    """

    summary: Summary = Summary.MEAN

    def prepare(self, tokens: Float[Tensor, "window token dim"]) -> Float[Tensor, "window pooled"]:
        mean = functional.normalize(tokens.mean(1), dim=1)
        if self.summary is Summary.MEAN:
            return mean
        # Far below the variance 1/dim of unit vectors, and above rounding.
        level = (tokens.var(1, correction=0) + 1e-6).log()
        spread = functional.normalize(level - level.mean(1, keepdim=True), dim=1)
        return torch.cat([mean, spread], dim=1) / 2**0.5

    def compare(
        self, rows: Float[Tensor, "row pooled"], columns: Float[Tensor, "column pooled"]
    ) -> Float[Tensor, "row column"]:
        return rows @ columns.T

    def numbers(self, prepared: Float[Tensor, "window pooled"]) -> int:  # noqa: ARG002 -- every aligner is asked alike
        return 1


@dataclass(frozen=True)
class Synchronous:
    """mean_t <A_t, B_t>: no latency."""

    def prepare(self, tokens: Float[Tensor, "window token dim"]) -> Float[Tensor, "window number"]:
        return tokens.flatten(1) / tokens.shape[1] ** 0.5

    def compare(
        self, rows: Float[Tensor, "row number"], columns: Float[Tensor, "column number"]
    ) -> Float[Tensor, "row column"]:
        return rows @ columns.T

    def numbers(self, prepared: Float[Tensor, "window number"]) -> int:  # noqa: ARG002 -- every aligner is asked alike
        return 1


def aligner(
    alignment: Alignment | str,
    n_tokens: int,
    *,
    window: int | None = None,
    top_k: int = 1,
    span: int = 1,
    softness: float = 0.0,
    overlap: Overlap | str = Overlap.WINDOW,
    summary: Summary | str = Summary.MEAN,
) -> Aligner:
    """The similarity of a name, for windows of so many tokens.

    Args:
        alignment: Which one.
        n_tokens: Of a window.
        window: The largest latency, in tokens, of `top_k`, `coherent` and `banded`; None for any.
        top_k: Partners of a token, for `top_k` and `banded`.
        span: Neighbouring tokens that look together, for `banded`; odd.
        softness: Of the maximum over latencies, for `coherent`.
        overlap: What a latency's products are divided by, for `coherent`.
        summary: Of `pooled`.

    Raises:
        ValueError: If there is no token, a count is not positive or the span is even.
    """
    if n_tokens < 1:
        raise ValueError(f"tokens: expected at least 1 in a window, got {n_tokens}")
    if window is not None and window < 0:
        raise ValueError(f"window: expected at least 0 tokens, got {window}")
    largest = n_tokens - 1 if window is None else min(window, n_tokens - 1)
    match Alignment(alignment):
        case Alignment.POOLED:
            return Pooled(Summary(summary))
        case Alignment.SYNCHRONOUS:
            return Synchronous()
        case Alignment.TOP_K:
            return Matching(n_tokens, largest, top_k)
        case Alignment.COHERENT:
            return Coherent(n_tokens, largest, softness, Overlap(overlap))
        case Alignment.BANDED:
            return Matching(n_tokens, largest, top_k, span)


def similarity(
    a: Float[Tensor, "row token dim"],
    b: Float[Tensor, "column token dim"],
    alignment: Alignment | str,
    *,
    chunk: int | None = None,
    **options: Any,
) -> Float[Tensor, "row column"]:
    """The similarity of every window of one set to every window of another.

    For tokens on the unit sphere it is at most 1 and at least -1. It is symmetric: exchanging the sets transposes it.

    Args:
        a: Windows, each a sequence of unit vectors.
        b: Windows of as many tokens.
        alignment: How their times are brought together.
        chunk: Rows compared at once; by default as many as take 32 MB.
        options: Of `aligner`: `window`, `top_k`, `span`, `softness`, `overlap`, `summary`.

    Raises:
        ValueError: If the windows are not of one shape; see also `aligner`.
    """
    if a.ndim != 3 or a.shape[1:] != b.shape[1:]:
        raise ValueError(f"expected windows of one shape (token, dim), got {tuple(a.shape)} and {tuple(b.shape)}")
    kind = aligner(alignment, a.shape[1], **options)
    if not (len(a) and len(b)):
        return a.new_zeros(len(a), len(b))
    rows, columns = kind.prepare(a), kind.prepare(b)
    size = chunk or rows_at_once(kind, columns)
    # Each tile is computed again on the way back: what a tile holds is far larger than what it gives.
    tiles = [
        checkpoint(kind.compare, rows[i : i + size], columns, use_reentrant=False) for i in range(0, len(rows), size)
    ]
    return torch.cat(tiles)


def rows_at_once(kind: Aligner, columns: Float[Tensor, "column ..."]) -> int:
    """How many rows to compare with all columns, so that a tile takes about 32 MB (256 MB on a GPU)."""
    room = (32 if columns.device.type == "cpu" else 256) << 20
    pairs = room // max(1, columns.element_size() * kind.numbers(columns))
    return max(1, pairs // max(1, len(columns)))
