"""The heart turned in the chest: the vectorcardiogram behind twelve leads, rotated and stretched."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from pydantic import Field
from scipy.spatial.transform import Rotation
from torch import Tensor

from biosig.channels import LEADS_12
from biosig.leads import DOWER, TWELVE_FROM_EIGHT
from biosig.recording import Modality
from pretrain.augmentations.base import AUGMENTATIONS, OfEcg
from pretrain.augmentations.chance import Chance
from pretrain.augmentations.electrodes import products
from pretrain.augmentations.strips import Strips

# The leads that the others follow from.
_EIGHT = ("I", "II", "V1", "V2", "V3", "V4", "V5", "V6")
_TWELVE_FROM_VCG = torch.from_numpy(TWELVE_FROM_EIGHT @ DOWER).float()
# The least-squares inverse of Dower's transformation.
_VCG_FROM_EIGHT = torch.from_numpy(np.linalg.pinv(DOWER)).float()


@AUGMENTATIONS.register("vcg_rotation")
class VcgRotation(OfEcg):
    r"""Turn and stretch the vectorcardiogram behind the twelve leads: another body, or electrodes placed otherwise.

    With x the eight independent leads, D Dower's transformation, P its least-squares inverse (P D = 1) and R the change
    of the vectorcardiogram v = P x,

        x' = x + D (R - 1) P x.

    The part of the leads that no vectorcardiogram explains, x - D P x, stays as it is: R = 1 changes nothing, the new
    leads have the vectorcardiogram R v, and turning back gives back the old ones. The other four leads change by what
    Einthoven's and Goldberger's relations say. Records without one of the eight leads, and other channels, stay.

    Attributes:
        degrees: The angles about Frank's axes x, y, z are each drawn from U(-degrees, degrees).
        scale: The factors along them are each drawn from 1 / scale to scale, evenly in their logarithm.

    References:
        Gopal et al., 3KG: Contrastive learning of 12-lead electrocardiograms using physiologically-inspired
        augmentations, arXiv 2106.04452, who rotate D P x alone; Dower, Machado and Osborne, Clin. Cardiol. 3 (1980);
        Edenbrandt and Pahlm, J. Electrocardiol. 21 (1988), for P.
    """

    kind: Literal["vcg_rotation"] = "vcg_rotation"
    degrees: float = Field(ge=0, le=180, default=30.0)
    scale: float = Field(ge=1, le=4, default=1.2)

    def concerned(self, strips: Strips) -> Bool[Tensor, "record channel"]:
        lead, eight = _where(strips)
        ecg = strips.of_kind(Modality.ECG)
        complete = (ecg.gather(1, eight.clamp_min(0)) & (eight >= 0)).all(1)
        return ecg & (lead >= 0) & complete[:, None]

    def change(self, strips: Strips, chance: Chance) -> Strips:
        angles = chance.uniform(3, low=-self.degrees, high=self.degrees)
        # Not as a power: torch rounds powers otherwise in the last few numbers of a tensor, which are other records'.
        factors = (math.log(self.scale) * chance.uniform(3, low=-1.0)).exp()
        turns = torch.from_numpy(Rotation.from_euler("xyz", angles.numpy(), degrees=True).as_matrix()).float()
        lead, eight = _where(strips)
        change = addition(
            strips.signal[torch.arange(len(strips))[:, None], eight], factors[..., None] * turns, _TWELVE_FROM_VCG[lead]
        )
        return strips.plus(change, self.concerned(strips).float())


def addition(
    eight: Float[Tensor, "record 8 time"],
    changes: Float[Tensor, "record 3 3"],
    leads: Float[Tensor, "record channel 3"],
) -> Float[Tensor, "record channel time"]:
    """What a change of the vectorcardiogram adds to the leads.

    Args:
        eight: I, II, V1 to V6.
        changes: R: what becomes of a vector in Frank's axes.
        leads: How each channel sees a vector.
    """
    # Small matrices first: there is one product over the samples.
    vectors = products(changes - torch.eye(3), _VCG_FROM_EIGHT.expand(len(eight), -1, -1))
    return products(products(leads, vectors), eight)


def _where(strips: Strips) -> tuple[Int64[Tensor, "record channel"], Int64[Tensor, "record 8"]]:
    """Which of the twelve leads each channel is, and which channels are the eight; -1 for none."""
    found = [_places(names, strips.mask.shape[1]) for names in strips.names]
    lead, eight = (torch.from_numpy(np.stack(side)) for side in zip(*found, strict=True))
    return lead, eight


@lru_cache(maxsize=4096)
def _places(names: tuple[str, ...], channels: int) -> tuple[Int64[np.ndarray, " channel"], Int64[np.ndarray, " eight"]]:
    lead = [LEADS_12.index(name) if name in LEADS_12 else -1 for name in names] + [-1] * (channels - len(names))
    eight = [names.index(name) if name in names else -1 for name in _EIGHT]
    return np.array(lead, dtype=np.int64), np.array(eight, dtype=np.int64)
