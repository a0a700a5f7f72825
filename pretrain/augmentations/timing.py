"""Where a window begins, and what of it is seen."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from pretrain.augmentations.base import AUGMENTATIONS, Augmentation, OfKind, Positive
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.strips import Strips


@AUGMENTATIONS.register("time_shift")
class TimeShift(Augmentation):
    """A window begins up to so many seconds later: a crop from the left, all channels together.

    Nothing wraps around. What is missing at the end is padding: zero, and no longer counted by `valid`. At least half
    of what is valid stays. It cannot begin earlier: a batch knows padding at the end alone.

    Attributes:
        seconds: The shift is drawn from U(0, seconds).

    References:
        Mehari and Strodthoff, Self-supervised representation learning from 12-lead ECG data, arXiv 2103.12676 (crops);
        Mohsenvand, Izadi and Maes, ML4H (PMLR 136) 2020 (shifts of EEG).
    """

    kind: Literal["time_shift"] = "time_shift"
    seconds: Positive = 0.5

    def concerned(self, strips: Strips) -> Bool[Tensor, "record channel"]:
        return strips.mask

    def change(self, strips: Strips, chance: Chance) -> Strips:
        shift = (chance.uniform() * (self.seconds * strips.sampling_rate + 1)).long()
        shift = torch.minimum(shift, strips.valid // 2)
        later = replace(strips, signal=shifted(strips.signal, shift), valid=strips.valid - shift)
        return replace(later, signal=later.cut(later.signal))


@AUGMENTATIONS.register("time_mask")
class TimeMask(OfKind):
    """Silence a stretch of a record, in all its channels: zero, as a gap in a recording is.

    Attributes:
        seconds: The length is drawn from U(0, seconds), its place from wherever it fits into what is valid; of a
            shorter record at most half is silenced.

    References:
        DeVries and Taylor, Improved regularization of convolutional neural networks with cutout, arXiv 1708.04552; for
        ECG, Mehari and Strodthoff, arXiv 2103.12676 (time out); for EEG, Cheng et al., arXiv 2007.04871.
    """

    kind: Literal["time_mask"] = "time_mask"
    seconds: Positive = 0.5

    def change(self, strips: Strips, chance: Chance) -> Strips:
        length = (chance.uniform() * (self.seconds * strips.sampling_rate + 1)).long()
        length = torch.minimum(length, strips.valid // 2)
        start = (chance.uniform() * (strips.valid - length + 1)).long()
        time = torch.arange(strips.samples)
        silent = (time >= start[:, None]) & (time < (start + length)[:, None])
        silent = silent[:, None] & self.concerned(strips)[..., None]
        return replace(strips, signal=strips.signal.masked_fill(silent, 0.0))


def shifted(
    signal: Float[Tensor, "record channel time"], shift: Int64[Tensor, " record"]
) -> Float[Tensor, "record channel time"]:
    """Each record from its sample `shift` on; zeros follow."""
    moved = torch.zeros_like(signal)
    for into, record, samples in zip(moved, signal, shift.tolist(), strict=True):
        # Copying is all there is to it, and a copy a record is several times faster than gathering samples by index.
        into[:, : into.shape[1] - samples] = record[:, samples:]
    return moved
