"""Group norm over time that padding has no influence on."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

_GROUPS = 8


class GroupNorm(nn.GroupNorm):
    """By groups of channels within a record: its statistics are of that record alone, and of what is no padding.

    Args:
        channels: At least 4; they make 8 groups, or fewer: a group of a single channel would amplify the rounding of a
            record that is constant, or one frame long.

    References:
        Wu and He, arXiv 1803.08494.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(min(_GROUPS, channels // 4), channels)

    def forward(
        self, x: Float[Tensor, "batch channel *frame"], there: Bool[Tensor, "batch frame"] | None = None
    ) -> Float[Tensor, "batch channel *frame"]:
        """Normalised.

        Args:
            x: Frames; also as a picture one pixel high, `(batch, channel, 1, frame)`.
            there: Which frames count; the others are 0 afterwards. All by default.
        """
        if there is None:
            # As a function, for it takes a single value as well, which a very short record may come down to.
            return torch.group_norm(x, self.num_groups, self.weight, self.bias, self.eps)
        of_channels = (-1, *[1] * (x.ndim - 2))
        frames = there.view(len(x), *of_channels[1:], x.shape[-1])
        grouped, counted = x.float().reshape(len(x), self.num_groups, -1, x.shape[-1]), there[:, None, None]
        count = counted.sum(-1, keepdim=True) * grouped.shape[2]
        mean = (grouped * counted).sum((2, 3), keepdim=True) / count
        centred = (grouped - mean) * counted
        variance = centred.square().sum((2, 3), keepdim=True) / count
        normal = (centred * (variance + self.eps).rsqrt()).reshape(x.shape)
        return ((normal * self.weight.view(of_channels) + self.bias.view(of_channels)) * frames).to(x.dtype)
