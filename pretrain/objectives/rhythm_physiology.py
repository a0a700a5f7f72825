"""Rhythm physiology: the whole strip tells its rate, how regular it is, and how wide its QRS complexes are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from torch import Tensor

from ontology.graph import ConceptGraph
from pretrain.objectives.base import OBJECTIVES, Objective, Options, feature, parse
from pretrain.objectives.patch_physiology import known_huber


@OBJECTIVES.register("rhythm_physiology")
class RhythmPhysiology(Objective):
    """Heart rate, mean RR interval, SDNN, RMSSD and QRS width of a window (`biosig.physiology.Rhythm`), standardised.

    What cannot be told of a window (no beat found, too few for a variability) is left out.

    Loss: `rhythm` (`pretrain.objectives.patch_physiology.known_huber`).

    References:
        Xu et al. (MAR-ECG), arXiv 2605.25883, which names rhythm-level supervision. Task Force of the ESC and NASPE,
        Heart rate variability, Circulation 93 (1996).
    """

    options = Options
    learns_from = "rhythm statistics"

    @classmethod
    def build(cls, options: Mapping[str, Any], graph: ConceptGraph | None = None) -> Self:  # noqa: ARG003
        """See `Objective.build`; there are no options, and the graph is not used."""
        parse(cls.options, options)
        return cls()

    def forward(
        self,
        features: Mapping[str, Tensor],
        batch: Mapping[str, Tensor],  # noqa: ARG002 -- every objective is called alike
    ) -> dict[str, Tensor]:
        """See `Objective.forward`. Uses `rhythm_physiology` and `rhythm_target`."""
        predicted = feature(features, "rhythm_physiology", "rhythm_physiology")
        loss = known_huber(predicted, feature(features, "rhythm_target", "rhythm_physiology").detach())
        return {} if loss is None else {"rhythm": loss}
