"""Masked prediction: what a hidden patch looks like, told from those that are not hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from jaxtyping import Bool, Float
from torch import Tensor

from ontology.graph import ConceptGraph
from pretrain.objectives.base import OBJECTIVES, Objective, Options, feature, parse


def masked_error(
    predicted: Float[Tensor, "batch patch channel sample"],
    patches: Float[Tensor, "batch patch channel sample"],
    masked: Bool[Tensor, "batch patch channel"],
) -> Float[Tensor, ""]:
    r"""Mean squared error over the hidden patches.

        L = 1 / |M| sum_{(i, n, c) in M} 1 / P sum_p (predicted_incp - patches_incp)^2

    Every hidden patch of every record and channel weighs the same.

    Args:
        predicted: Guesses.
        patches: What they should be.
        masked: M, which of them count; at least one.
    """
    return (predicted[masked] - patches[masked]).square().mean()


@OBJECTIVES.register("masked_prediction")
class MaskedPrediction(Objective):
    """Hidden patches are predicted from visible ones; see `masked_error`, and `pretrain.masked` for what is hidden.

    A batch in which nothing is hidden, because its records are shorter than two patches, has no loss.

    Loss: `patch`.

    References:
        He et al., arXiv 2111.06377; Li et al. (MAR), arXiv 2406.11838; Na et al. (ST-MEM), arXiv 2402.09450.
    """

    options = Options

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
        """See `Objective.forward`. Uses `predicted`, `patches` and `masked`."""
        predicted, masked = feature(features, "predicted", "masked_prediction"), features["masked"]
        if not masked.any():
            return {}
        return {"patch": masked_error(predicted, features["patches"].detach(), masked)}
