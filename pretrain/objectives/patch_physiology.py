"""Patch physiology: each token tells what its patch looks like in numbers, and whether it holds an R peak."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

from ontology.graph import ConceptGraph
from pretrain.objectives.base import OBJECTIVES, Objective, Options, feature, parse


def known_huber(
    predicted: Float[Tensor, "*item number"], target: Float[Tensor, "*item number"]
) -> Float[Tensor, ""] | None:
    r"""Mean over the known targets t (not NaN) of h(y - t), h(d) = d^2 / 2 up to |d| = 1 and |d| - 1/2 beyond.

    None if none is known. Beyond one deviation it grows linearly: a single wild beat must not rule the gradient.
    """
    known = target.isfinite()
    return functional.smooth_l1_loss(predicted[known], target[known]) if known.any() else None


def known_cross_entropy(logit: Float[Tensor, "*item"], target: Float[Tensor, "*item"]) -> Float[Tensor, ""] | None:
    """Mean binary cross-entropy over the known targets (0 or 1, not NaN); None if none is known."""
    known = target.isfinite()
    return functional.binary_cross_entropy_with_logits(logit[known], target[known]) if known.any() else None


@OBJECTIVES.register("patch_physiology")
class PatchPhysiology(Objective):
    """Statistics of each patch, and whether an R peak falls into it.

    The statistics are amplitude, energy, zero crossings and band powers (`pretrain.physiology.patch_statistics`).
    Padding is left out, and so are the beats of a record in which none was found.

    Losses: `statistics` (`known_huber`, standardised targets), `beats` (`known_cross_entropy`).

    References:
        Xu et al. (MAR-ECG), arXiv 2605.25883, which names patch-level supervision; the numbers are ours.
    """

    options = Options
    learns_from = "R peaks"

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
        """See `Objective.forward`. Uses `patch_physiology` and `patch_target`."""
        predicted = feature(features, "patch_physiology", "patch_physiology")
        target = feature(features, "patch_target", "patch_physiology").detach()
        parts = {
            "statistics": known_huber(predicted[..., :-1], target[..., :-1]),
            "beats": known_cross_entropy(predicted[..., -1], target[..., -1]),
        }
        return {name: value for name, value in parts.items() if value is not None}
