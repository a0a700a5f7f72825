"""Temporal-asynchronous contrast: subjects who met the same moment find each other, whatever their latency."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from ontology.graph import ConceptGraph
from pretrain.objectives.alignment import Aligner, Alignment, Overlap, Summary, aligner, rows_at_once
from pretrain.objectives.base import OBJECTIVES, LogitScale, Objective, Options, parse
from pretrain.objectives.pairs import Partners, pairwise_info_nce


class TemporalAsynchronousOptions(Options):
    """Options of `temporal_asynchronous`.

    Attributes:
        alignment: How the tokens of two windows meet.
        window_seconds: The largest latency between two subjects, for `top_k`, `coherent` and `banded`; null for any.
        top_k: Partners of each token, for `top_k` and `banded`. The paper does not say how many it takes.
        span_seconds: How long a stretch looks for partners together, for `banded`.
        softness: Of the maximum over latencies, for `coherent`.
        overlap: What the sum at a latency is divided by, for `coherent`.
        summary: Of the windows, for `pooled`.
        same_subject: Whether windows of a subject at other moments are among the candidates.
        temperature: At first; it is trained.
    """

    alignment: Alignment = Alignment.COHERENT
    window_seconds: float | None = Field(default=2.0, ge=0)
    top_k: int = Field(default=3, ge=1)
    span_seconds: float = Field(default=0.3, gt=0)
    softness: float = Field(default=0.0, ge=0)
    overlap: Overlap = Overlap.WINDOW
    summary: Summary = Summary.MEAN
    same_subject: bool = True
    temperature: float = Field(default=0.07, gt=0)


@OBJECTIVES.register("temporal_asynchronous")
class TemporalAsynchronous(Objective):
    r"""Contrast of all windows of a batch: those of one moment and of different subjects are each other's partners.

    Their similarity is late interaction of tokens, by the alignment of the options; the loss is
    `pretrain.objectives.pairs.pairwise_info_nce`. Windows without a partner, or without a moment (-1), are candidates
    only; without any pair, and a third window, there is no loss. In a batch with them, windows must be full: padding
    has no token.

    `pooled` is CLISA's contrast, `top_k` TA2CL's as far as it is known; `coherent` and `banded` are ours.

    Loss: `moment`.

    Args:
        options: What to compare, and how.

    References:
        Xie et al. (TA2CL), arXiv 2605.22379; Shen et al. (CLISA), arXiv 2109.09559.
    """

    options = TemporalAsynchronousOptions
    learns_from = "stimuli that several subjects met"

    def __init__(self, options: TemporalAsynchronousOptions | None = None) -> None:
        super().__init__()
        self.chosen = options or TemporalAsynchronousOptions()
        self.logit_scale = LogitScale(self.chosen.temperature)

    @classmethod
    def build(cls, options: Mapping[str, Any], graph: ConceptGraph | None = None) -> Self:  # noqa: ARG003 -- all are built alike
        """See `Objective.build`; the graph is not used."""
        return cls(parse(cls.options, options))

    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Objective.forward`. Uses `tokens`, `token_rate`, `moment` and `subject`."""
        if "tokens" not in features:
            raise ValueError(
                f"temporal_asynchronous: expected features of a tokens tower, got those of {', '.join(features)}; "
                "give the model a `token`"
            )
        partners = Partners(batch["moment"], batch["subject"], self.chosen.same_subject)
        if len(partners) < 3 or not partners.counts().any():
            return {}
        tokens, scale = _full(features["tokens"]), self.logit_scale()
        kind = self.aligner(tokens.shape[1], float(features["token_rate"]))
        prepared = kind.prepare(tokens)
        chunk = rows_at_once(kind, prepared)
        return {"moment": pairwise_info_nce(prepared, kind.compare, scale=scale, partners=partners, chunk=chunk)}

    def aligner(self, n_tokens: int, token_rate: float) -> Aligner:
        """The similarity of the options, for windows of so many tokens at so many a second."""
        chosen = self.chosen
        seconds = chosen.window_seconds
        return aligner(
            chosen.alignment,
            n_tokens,
            window=None if seconds is None else round(seconds * token_rate),
            top_k=chosen.top_k,
            # The odd number nearest to it.
            span=2 * round((max(chosen.span_seconds * token_rate, 1) - 1) / 2) + 1,
            softness=chosen.softness,
            overlap=chosen.overlap,
            summary=chosen.summary,
        )


def _full(tokens: Float[Tensor, "window token dim"]) -> Float[Tensor, "window token dim"]:
    """The tokens.

    Raises:
        ValueError: If a window has padding.
    """
    missing = (tokens.detach() == 0).all(2).sum(1)
    if missing.any():
        first = int(missing.nonzero()[0])
        raise ValueError(
            f"temporal_asynchronous: window {first}: expected {tokens.shape[1]} tokens, got "
            f"{tokens.shape[1] - int(missing[first])} and padding; sample windows that lie within their recording"
        )
    return tokens
