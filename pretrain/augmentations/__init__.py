"""Augmentations by name: what a recipe's `data.augment` may do to training batches. See docs/augmentations.md."""

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from pretrain.augmentations.amplitude import Gain, SignFlip
from pretrain.augmentations.base import AUGMENTATIONS, Augmentation, augment
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.hemispheres import HemisphereSwap
from pretrain.augmentations.hidden import ChannelDropout, LeadMask
from pretrain.augmentations.noise import BandNoise, Muscle, Noise
from pretrain.augmentations.spectrum import BandStop, PhaseSurrogate
from pretrain.augmentations.strips import Strips
from pretrain.augmentations.timing import TimeMask, TimeShift
from pretrain.augmentations.vcg import VcgRotation
from pretrain.augmentations.waves import BaselineWander, Mains

if TYPE_CHECKING:
    AnyAugmentation = Augmentation
else:
    # Pydantic wants the kinds one by one; a type checker wants what they have in common.
    AnyAugmentation = Annotated[
        reduce(or_, (AUGMENTATIONS[kind] for kind in AUGMENTATIONS)), Field(discriminator="kind")
    ]

__all__ = [
    "AUGMENTATIONS",
    "AnyAugmentation",
    "Augmentation",
    "BandNoise",
    "BandStop",
    "BaselineWander",
    "Chance",
    "ChannelDropout",
    "Gain",
    "HemisphereSwap",
    "LeadMask",
    "Mains",
    "Muscle",
    "Noise",
    "PhaseSurrogate",
    "SignFlip",
    "Strips",
    "TimeMask",
    "TimeShift",
    "VcgRotation",
    "augment",
]
