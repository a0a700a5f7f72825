"""Front ends: from the channels a record happens to have to the channels a backbone expects."""

from __future__ import annotations

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from biosig.encoders.base import FRONT_ENDS, FrontEnd
from biosig.encoders.places import SensorPlaces


@FRONT_ENDS.register("montage_free")
class MontageFree(SensorPlaces, FrontEnd):
    r"""Any channels in any order -> virtual channels, by attention from where the sensors are.

        x'_v(t) = sum_c softmax_c( q_v . k_c / sqrt(d) ) g_vc x_c(t)

    Key k_c and gain g_vc are functions of the position and the modality of channel c alone, so the mixing is one
    matrix a montage, and does not depend on the signal. Channels that are not there have no weight and no influence.
    Weights of those there sum to 1 before the signed gains: with half the channels, the scale stays. An unknown
    position has an embedding of its own. A record without any channel gives zeros.

    Args:
        n_chans: Virtual channels.
        dim: Of keys and queries.

    References:
        Vaswani et al., Attention is all you need, arXiv 1706.03762; Mildenhall et al. (sinusoids of positions),
        arXiv 2003.08934; Defossez et al. (spatial attention over sensor positions), arXiv 2208.12266.
    """

    def __init__(self, n_chans: int = 12, dim: int = 64) -> None:
        super().__init__(dim)
        self.n_chans = n_chans
        self.norm = nn.LayerNorm(dim)
        # Of length 3 sqrt(d): sharp enough that virtual channels differ from the start, soft enough to learn.
        self.queries = nn.Parameter(3 * torch.randn(n_chans, dim))
        self.gain = nn.Linear(dim, n_chans)
        nn.init.ones_(self.gain.bias)

    def forward(
        self,
        signal: Float[Tensor, "batch channel time"],
        positions: Float[Tensor, "batch channel 3"],
        mask: Bool[Tensor, "batch channel"],
        modality: Int[Tensor, "batch channel"] | None = None,
    ) -> Float[Tensor, "batch fixed time"]:
        """See `Encoder.forward`."""
        mixing = self.mixing(positions, mask, modality).to(signal.dtype)
        # Zero times NaN is NaN: what is masked may hold anything.
        return mixing @ signal.masked_fill(~mask[..., None], 0)

    def mixing(
        self,
        positions: Float[Tensor, "batch channel 3"],
        mask: Bool[Tensor, "batch channel"],
        modality: Int[Tensor, "batch channel"] | None = None,
    ) -> Float[Tensor, "batch fixed channel"]:
        """The matrix from channels to virtual channels; zero where a channel is masked."""
        keys = self.norm(self.embed(positions, modality))
        scores = (keys @ self.queries.T).float() / math.sqrt(keys.shape[-1])
        # The lowest number, not -inf: softmax over no channel at all must not be NaN.
        scores = scores.masked_fill(~mask[..., None], torch.finfo(scores.dtype).min)
        weights = scores.softmax(dim=1) * mask[..., None] * self.gain(keys)
        return weights.transpose(1, 2)


@FRONT_ENDS.register("leads12")
class Leads12(FrontEnd):
    """A fixed montage, channel by channel: the twelve leads in standard order unless told otherwise.

    Positions are not looked at: that every record has the same channels in the same order is for the caller to see to.
    A masked channel is zero.

    Args:
        n_chans: Channels of the montage.
    """

    def __init__(self, n_chans: int = 12) -> None:
        super().__init__()
        self.n_chans = n_chans

    def forward(
        self,
        signal: Float[Tensor, "batch channel time"],
        positions: Float[Tensor, "batch channel 3"],  # noqa: ARG002 -- every front end is called alike
        mask: Bool[Tensor, "batch channel"],
        modality: Int[Tensor, "batch channel"] | None = None,  # noqa: ARG002 -- every front end is called alike
    ) -> Float[Tensor, "batch fixed time"]:
        """See `Encoder.forward`.

        Raises:
            ValueError: If the number of channels is another one.
        """
        if signal.shape[1] != self.n_chans:
            raise ValueError(
                f"leads12: expected {self.n_chans} channels, got {signal.shape[1]}; montage_free takes any number"
            )
        return signal.masked_fill(~mask[..., None], 0)
