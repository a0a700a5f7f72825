"""Channels taken away: they are zero and marked missing, as if never recorded."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor

from pretrain.augmentations.base import AUGMENTATIONS, OfEeg, OfKind
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.strips import Strips


@AUGMENTATIONS.register("lead_mask")
class LeadMask(OfKind):
    """Hide each channel with a probability; one channel of a record always stays.

    Attributes:
        probability: Here that of each channel, not of a record: any record may lose some.

    References:
        Oh et al., Lead-agnostic self-supervised learning for local and global representations of electrocardiogram,
        arXiv 2203.06889 (random lead masking).
    """

    kind: Literal["lead_mask"] = "lead_mask"
    probability: float = Field(gt=0, lt=1, default=0.1)

    def taken(self, chance: Chance) -> Bool[Tensor, " record"]:
        return torch.ones(len(chance), dtype=torch.bool)

    def change(self, strips: Strips, chance: Chance) -> Strips:
        return hide(strips, self.concerned(strips), chance.uniform(strips.mask.shape[1]), self.probability)


@AUGMENTATIONS.register("channel_dropout")
class ChannelDropout(OfEeg):
    """Hide each EEG channel of a record with a probability; one channel of the record always stays.

    Attributes:
        share: The probability of each channel.

    References:
        Saeed, Grangier, Pietquin and Zeghidour, Learning from heterogeneous EEG signals with differentiable channel
        reordering, arXiv 2010.13694.
    """

    kind: Literal["channel_dropout"] = "channel_dropout"
    share: float = Field(gt=0, lt=1, default=0.2)

    def change(self, strips: Strips, chance: Chance) -> Strips:
        return hide(strips, self.concerned(strips), chance.uniform(strips.mask.shape[1]), self.share)


def hide(
    strips: Strips,
    concerned: Bool[Tensor, "record channel"],
    drawn: Float[Tensor, "record channel"],
    share: float,
) -> Strips:
    """Of the channels concerned, those whose number is below `share` are missing; that of the highest always stays."""
    draw = drawn.masked_fill(~concerned, -1.0)
    keep = strips.mask & (~concerned | (draw >= share) | (draw == draw.amax(1, keepdim=True)))
    return replace(strips, signal=strips.signal * keep[..., None], mask=keep)
