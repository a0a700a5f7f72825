"""Signal-language contrast: a recording finds its report among those of the batch, and the report its recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor
from torch.nn import functional

from ontology.graph import ConceptGraph
from pretrain.objectives.base import OBJECTIVES, LogitScale, Objective, Options, feature, parse
from pretrain.objectives.contrast import Groups, soft_info_nce


class SignalLanguageOptions(Options):
    """Options of `signal_language`.

    Attributes:
        temperature: At first; it is trained.
        latent_views: Add MERL's second loss.
        dropout: Of the latent views.
    """

    temperature: float = Field(default=0.07, gt=0)
    latent_views: bool = False
    dropout: float = Field(default=0.1, gt=0, lt=1)


@OBJECTIVES.register("signal_language")
class SignalLanguage(Objective):
    r"""Symmetric contrast of signals and reports, `T_ij = 1` where record j has the report of record i, word for word.

    Reports that are equal after normalising (equal `report_id`) are positives of each other, never negatives. Records
    without a report (`report_id` -1) are left out as rows and as columns. Fewer than two with one are no contrast.

    With `latent_views`, a second contrast of two dropout views of each signal vector, on all records:
    `l(normalise(dropout(z)), normalise(dropout(z)))`. MERL takes the views after a linear layer on the pooled feature;
    here that layer is the projection of the tower.

    Losses: `report`, and `latent_views`.

    Args:
        temperature: At first; it is trained.
        latent_views: Add the second contrast.
        dropout: Share of a vector's numbers set to 0 in a view. In evaluation there is no dropout, and the views are
            the vector itself.

    References:
        Liu et al., Zero-shot ECG classification with multimodal learning and test-time clinical knowledge enhancement
        (MERL), arXiv 2403.06659; Yu et al. (ECGCLIP), arXiv 2605.25446.
    """

    options = SignalLanguageOptions

    def __init__(self, *, temperature: float = 0.07, latent_views: bool = False, dropout: float = 0.1) -> None:
        super().__init__()
        self.logit_scale = LogitScale(temperature)
        self.dropout = dropout
        self.view_scale = LogitScale(temperature) if latent_views else None

    @classmethod
    def build(cls, options: Mapping[str, Any], graph: ConceptGraph | None = None) -> Self:  # noqa: ARG003
        """See `Objective.build`; the graph is not used."""
        return cls(**parse(cls.options, options).model_dump())

    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Objective.forward`. Uses `signal`, `text` and `report_id`."""
        signal, text = feature(features, "signal", "signal_language"), feature(features, "text", "signal_language")
        ids = batch["report_id"]
        stated = ids >= 0
        losses = {}
        if stated.sum() > 1:
            losses["report"] = soft_info_nce(
                signal[stated], text[stated], scale=self.logit_scale(), targets=Groups(ids[stated], ids[stated])
            )
        if self.view_scale is not None and len(signal) > 1:
            each = torch.arange(len(signal), device=signal.device)
            losses["latent_views"] = soft_info_nce(
                self._view(signal),
                self._view(signal),
                scale=self.view_scale(),
                targets=Groups(each, each),
            )
        return losses

    def _view(self, signal: Float[Tensor, "batch dim"]) -> Float[Tensor, "batch dim"]:
        return functional.normalize(functional.dropout(signal, self.dropout, training=self.training), dim=1)
