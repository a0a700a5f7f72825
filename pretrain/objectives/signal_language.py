"""Signal-language contrast: a recording finds its report among those of the batch, and the report its recording."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import torch
from pydantic import Field
from torch import Tensor

from ontology.graph import ConceptGraph
from pretrain.objectives.base import OBJECTIVES, LogitScale, Objective, Options, feature, parse
from pretrain.objectives.contrast import Groups, soft_info_nce


class SignalLanguageOptions(Options):
    """Options of `signal_language`.

    Attributes:
        temperature: At first; it is trained.
    """

    temperature: float = Field(default=0.07, gt=0)


@OBJECTIVES.register("signal_language")
class SignalLanguage(Objective):
    r"""Symmetric contrast of signals and reports, `T_ij = 1` where record j has the report of record i, word for word.

    Reports that are equal after normalising (equal `report_id`) are positives of each other, never negatives. Records
    without a report (`report_id` -1) are left out as rows and as columns; without two different reports there is no
    loss.

    Losses: `report`.

    Args:
        temperature: At first; it is trained.

    References:
        Liu et al., Zero-shot ECG classification with multimodal learning and test-time clinical knowledge enhancement
        (MERL), arXiv 2403.06659; Yu et al. (ECGCLIP), arXiv 2605.25446.
    """

    options = SignalLanguageOptions
    learns_from = "reports"

    def __init__(self, *, temperature: float = 0.07) -> None:
        super().__init__()
        self.logit_scale = LogitScale(temperature)

    @classmethod
    def build(cls, options: Mapping[str, Any], graph: ConceptGraph | None = None) -> Self:  # noqa: ARG003
        """See `Objective.build`; the graph is not used."""
        return cls(**parse(cls.options, options).model_dump())

    def forward(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """See `Objective.forward`. Uses `signal`, `text` and `report_id`."""
        signal, text = feature(features, "signal", "signal_language"), feature(features, "text", "signal_language")
        ids = batch["report_id"]
        stated = ids >= 0
        if len(torch.unique(ids[stated])) < 2:
            return {}
        targets = Groups(ids[stated], ids[stated])
        return {"report": soft_info_nce(signal[stated], text[stated], scale=self.logit_scale(), targets=targets)}
