"""Contrast of two views that are drawn behind the encoder: nothing is done to the signal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from ontology.graph import ConceptGraph
from pretrain.objectives.base import OBJECTIVES, Objective, Options, feature, parse
from pretrain.objectives.contrast import Groups, soft_info_nce


class LatentViewsOptions(Options):
    """Options of `latent_views`.

    Attributes:
        temperature: Of the contrast; it is not trained.
        dropout: Share of a view's numbers that are set to 0.
    """

    temperature: float = Field(default=0.07, gt=0)
    dropout: float = Field(default=0.1, gt=0, lt=1)


@OBJECTIVES.register("latent_views")
class LatentViews(Objective):
    r"""MERL's uni-modal alignment: two views of one pooled feature find each other, each behind a layer and a dropout.

    The model's `views` tower gives a_i = A f_i and b_i = B f_i of the mean token f_i; then

        L = symmetric InfoNCE( normalise(dropout(a_i)), normalise(dropout(b_i)) ),

    every record its own positive; fewer than two records are no contrast. Dropout is here, behind what processes and
    micro-batches share, so that all of them drop the same numbers. In evaluation there is none.

    Loss: `views`.

    Args:
        temperature: Of the contrast; it is not trained.
        dropout: Share of a view's numbers that are set to 0.

    References:
        Liu et al., Zero-shot ECG classification with multimodal learning and test-time clinical knowledge enhancement
        (MERL), arXiv 2403.06659.
    """

    options = LatentViewsOptions

    def __init__(self, *, temperature: float = 0.07, dropout: float = 0.1) -> None:
        super().__init__()
        self.temperature, self.dropout = temperature, dropout

    @classmethod
    def build(cls, options: Mapping[str, Any], graph: ConceptGraph | None = None) -> Self:  # noqa: ARG003
        """See `Objective.build`; the graph is not used."""
        return cls(**parse(cls.options, options).model_dump())

    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Objective.forward`. Uses `view_a`, `view_b` and `mask`."""
        there = batch["mask"].any(1)
        one, other = (self._view(feature(features, name, "latent_views")[there]) for name in ("view_a", "view_b"))
        if len(one) < 2:
            return {}
        each = torch.arange(len(one), device=one.device)
        scale = one.new_tensor(1 / self.temperature)
        return {"views": soft_info_nce(one, other, scale=scale, targets=Groups(each, each))}

    def _view(self, layer: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return functional.normalize(functional.dropout(layer, self.dropout, training=self.training), dim=1)
