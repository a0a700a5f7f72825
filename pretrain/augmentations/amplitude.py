"""Size and sign of whole records."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from pretrain.augmentations.base import AUGMENTATIONS, OfEeg, OfKind, Positive
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.strips import Strips


@AUGMENTATIONS.register("gain")
class Gain(OfKind):
    """Multiply a record by exp(N(0, sigma)): the same for all its channels, so that their geometry stays.

    References:
        Cheng et al., Subject-aware contrastive learning for biosignals, arXiv 2007.04871; the logarithm makes halving
        as likely as doubling.
    """

    kind: Literal["gain"] = "gain"
    sigma: Positive = 0.1

    def change(self, strips: Strips, chance: Chance) -> Strips:
        factor = (self.sigma * chance.normal()).exp()
        return replace(strips, signal=strips.signal * _where(self, strips, factor))


@AUGMENTATIONS.register("sign_flip")
class SignFlip(OfEeg):
    """Turn EEG upside down, all channels of a record together: which electrode is the plus of a pair is a convention.

    References:
        Rommel et al., CADDA: Class-wise automatic differentiable data augmentation for EEG signals, arXiv 2106.13695.
    """

    kind: Literal["sign_flip"] = "sign_flip"
    probability: float = Field(ge=0, le=1, default=0.5)

    def change(self, strips: Strips, chance: Chance) -> Strips:
        del chance  # who is turned has been drawn
        return replace(strips, signal=strips.signal * _where(self, strips, -torch.ones(len(strips))))


def _where(kind: OfKind | OfEeg, strips: Strips, factor: Float[Tensor, " record"]) -> Float[Tensor, "record channel 1"]:
    """The factor for the channels that an augmentation is for, 1 for the others."""
    return torch.where(kind.concerned(strips), factor[:, None], 1.0)[..., None]
