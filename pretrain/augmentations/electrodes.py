"""Noise arises at electrodes: what it is in the leads that are differences of them."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, Int64
from torch import Tensor

from biosig.channels import LEADS_12
from biosig.leads import EIGHT_FROM_ELECTRODES, ELECTRODES, TWELVE_FROM_EIGHT
from biosig.recording import Modality
from pretrain.augmentations.strips import Strips

#: How many electrodes stand behind the twelve leads.
COUNT = len(ELECTRODES)
_ROWS = len(LEADS_12)
# Two equal electrodes make a bipolar lead sqrt(2) times as noisy as one.
_TWELVE_FROM_ELECTRODES = (TWELVE_FROM_EIGHT @ EIGHT_FROM_ELECTRODES / math.sqrt(2)).astype(np.float32)


class Origins:
    """Where the noise of a batch's channels comes from.

    The twelve leads of a record share nine electrodes, so that noise in them obeys Einthoven and Goldberger as the
    heart does; every other channel has a source of its own. Sources of standard deviation 1 make noise of standard
    deviation 1 in the leads I, II, III and in every other channel, 0.87 in aVR, aVL, aVF and 0.82 in V1 to V6.

    Args:
        strips: Records.
        concerned: The channels that are to have noise.
    """

    def __init__(self, strips: Strips, concerned: Bool[Tensor, "record channel"]) -> None:
        channels = strips.mask.shape[1]
        weights = torch.from_numpy(np.stack([_weights(names, channels) for names in strips.names]))
        ecg = concerned & strips.of_kind(Modality.ECG)
        self._weights = weights * ecg[..., None]
        is_lead = self._weights.any(2)
        self._alone = concerned & ~is_lead
        #: How many sources of each kind a record needs: electrodes, and up to its last channel with its own.
        self.electrodes: Int64[Tensor, " record"] = COUNT * is_lead.any(1)
        self.others: Int64[Tensor, " record"] = (torch.arange(1, channels + 1) * self._alone).amax(1)

    def spread(
        self, electrodes: Float[Tensor, "record electrode value"], others: Float[Tensor, "record source value"]
    ) -> Float[Tensor, "record channel value"]:
        """From sources to channels, for samples or for coefficients of the same waves.

        Args:
            electrodes: Of as many electrodes as there are, or of none.
            others: Of the channels with sources of their own, as far as there are any.

        Returns:
            For the first channels of the batch, or all; anything for those that are not concerned.
        """
        if not electrodes.shape[1]:
            return others
        spread = products(self._weights, electrodes)
        if reach := others.shape[1]:
            spread[:, :reach] += others * self._alone[:, :reach, None]
        return spread


def products(
    a: Float[Tensor, "record row inner"], b: Float[Tensor, "record inner column"]
) -> Float[Tensor, "record row column"]:
    """Matrix products of each record, rounded the same however many rows there are.

    The routines behind a product sum in an order that depends on its size; so all are of one size, twelve rows.
    """
    records, rows, inner = a.shape
    if rows == _ROWS:
        return a.bmm(b)
    blocks = -(-rows // _ROWS)
    filled = torch.nn.functional.pad(a, (0, 0, 0, blocks * _ROWS - rows)).view(records * blocks, _ROWS, inner)
    return filled.bmm(b.repeat_interleave(blocks, dim=0)).view(records, blocks * _ROWS, -1)[:, :rows]


@lru_cache(maxsize=4096)
def _weights(names: tuple[str, ...], channels: int) -> Float32[np.ndarray, "channel electrode"]:
    """Of each electrode in each channel, by name; none in channels that are no standard leads."""
    weights = np.zeros((channels, COUNT), np.float32)
    for place, name in enumerate(names):
        if name in LEADS_12:
            weights[place] = _TWELVE_FROM_ELECTRODES[LEADS_12.index(name)]
    return weights
