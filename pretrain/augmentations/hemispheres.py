"""EEG in the mirror: the left of the head changes places with the right."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Int64
from pydantic import Field
from torch import Tensor

from biosig.channels import positions
from biosig.recording import Modality
from pretrain.augmentations.base import AUGMENTATIONS, OfEeg
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.strips import Strips

# An electrode beside the midline: odd numbers are on the left, even ones on the right; `h` is half way to the next.
_LATERAL = re.compile(r"([A-Za-z]+?)(\d+)(h?)")


@AUGMENTATIONS.register("hemisphere_swap")
class HemisphereSwap(OfEeg):
    """What an electrode shows, its mirror image on the other side of the head shows: F3 and F4 change places.

    So do derivations (Fp1-F7 and Fp2-F8); one across the midline (C3-C4) changes its sign. Electrodes on the midline,
    and channels of which nobody knows where they are, stay. A channel whose mirror image was not recorded is missing
    afterwards: nobody knows what it would show. Records without any pair stay as they are.

    References:
        Deiss et al., HAMLET: interpretable human and machine co-learning technique, arXiv 1803.09702.
    """

    kind: Literal["hemisphere_swap"] = "hemisphere_swap"
    probability: float = Field(ge=0, le=1, default=0.5)

    def concerned(self, strips: Strips) -> Bool[Tensor, "record channel"]:
        eeg = strips.of_kind(Modality.EEG)
        place = _mirrors(strips)[0]
        paired = eeg & eeg.gather(1, place.clamp_min(0)) & (place >= 0) & (place != torch.arange(eeg.shape[1]))
        return eeg & paired.any(1, keepdim=True)

    def change(self, strips: Strips, chance: Chance) -> Strips:
        del chance  # who is mirrored has been drawn
        eeg = self.concerned(strips)
        place, sign = _mirrors(strips)
        itself = torch.arange(eeg.shape[1]).expand_as(place)
        place, sign = torch.where(eeg, place, itself), torch.where(eeg, sign, 1)
        source = place.clamp_min(0)
        mask = strips.mask & strips.mask.gather(1, source) & (place >= 0)
        signal = strips.signal[torch.arange(len(strips))[:, None], source] * (sign * mask)[..., None]
        return replace(strips, signal=signal, mask=mask)


def mirrored(name: str) -> str:
    """The electrode or derivation on the other side: F3 -> F4, Fz -> Fz, Fp1-F7 -> Fp2-F8."""
    return "-".join(_other_side(part) for part in name.split("-"))


def _other_side(electrode: str) -> str:
    if not (found := _LATERAL.fullmatch(electrode)):
        return electrode
    number = int(found[2])
    return f"{found[1]}{number + 1 if number % 2 else number - 1}{found[3]}"


def _mirrors(strips: Strips) -> tuple[Int64[Tensor, "record channel"], Int64[Tensor, "record channel"]]:
    """Which channel is the mirror image of each, -1 where there is none, and with which sign."""
    channels = strips.mask.shape[1]
    found = [_pairs(names) for names in strips.names]
    place = np.tile(np.arange(channels), (len(found), 1))
    sign = np.ones_like(place)
    for row, (places, signs) in enumerate(found):
        place[row, : len(places)], sign[row, : len(signs)] = places, signs
    return torch.from_numpy(place), torch.from_numpy(sign)


@lru_cache(maxsize=4096)
def _pairs(names: tuple[str, ...]) -> tuple[Int64[np.ndarray, " channel"], Int64[np.ndarray, " channel"]]:
    place, sign = np.arange(len(names)), np.ones(len(names), dtype=np.int64)
    known = ~np.isnan(positions(names, Modality.EEG)[:, 0])
    for channel in np.flatnonzero(known):
        other = mirrored(names[channel])
        turned = "-".join(reversed(other.split("-")))
        if other in names:
            place[channel] = names.index(other)
        elif turned in names:
            place[channel], sign[channel] = names.index(turned), -1
        else:
            place[channel] = -1
    return place, sign
