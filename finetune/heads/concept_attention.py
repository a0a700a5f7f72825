"""A head that looks, for each concept, at the part of a recording that speaks of it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from finetune.heads.base import Head, Reads


class ConceptAttentionHead(Head):
    r"""Attention pooling with one query a concept, and one classifier a concept.

    With normalised tokens x_t, the share of token t in concept k is

        a_kt = softmax_t(q_k . x_t / sqrt(dim)),    logit_k = w_k . sum_t a_kt x_t + b_k.

    Queries start at zero: the first forward pass is the mean over the tokens that are there.

    Args:
        dim: Size of a token.
        n_outputs: Number of concepts.

    Shape:
        tokens `(B, N, dim)`, kept `(B, N)` -> logits `(B, n_outputs)`. A row with no token gives the bias.

    References:
        Liu et al., Query2Label, arXiv 2107.10834.
    """

    reads = Reads.TOKENS

    def __init__(self, dim: int, n_outputs: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.query = nn.Parameter(torch.zeros(n_outputs, dim))
        self.weight = nn.Parameter(torch.zeros(n_outputs, dim))
        self.bias = nn.Parameter(torch.zeros(n_outputs))
        nn.init.normal_(self.weight, std=dim**-0.5)

    def attention(
        self, tokens: Float[Tensor, "batch token dim"], kept: Bool[Tensor, "batch token"]
    ) -> Float[Tensor, "batch concept token"]:
        """The share of every token in every concept; sums to 1 over the tokens that are there."""
        return self._shares(self.norm(tokens), kept)

    def forward(
        self, tokens: Float[Tensor, "batch token dim"], kept: Bool[Tensor, "batch token"]
    ) -> Float[Tensor, "batch concept"]:
        normed = self.norm(tokens)
        pooled = self._shares(normed, kept) @ normed
        return (pooled * self.weight).sum(-1) + self.bias

    def _shares(self, normed: Tensor, kept: Tensor) -> Tensor:
        scores = self.query @ normed.transpose(1, 2) / normed.shape[-1] ** 0.5
        # The lowest number, not minus infinity: a row with no token would be NaN, in its gradient too.
        lowest = torch.finfo(scores.dtype).min
        return scores.masked_fill(~kept[:, None], lowest).softmax(-1) * kept[:, None]
