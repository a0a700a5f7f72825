"""A small convolutional network for EEG: spatio-temporal filters, then dilated convolutions over tokens."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from biosig.encoders.base import ENCODERS, FRONT_ENDS, Backbone, Composed, Encoder, Padding, odd, samples_between
from biosig.encoders.norm import GroupNorm

# As long as CLISA's filters: two periods of the slowest alpha wave. They leave 32 frames a second, rectified before
# they are averaged to tokens, so that a token tells of power in every band and not only of slow waves. With 64 frames
# they would cost twice as much, and they are most of what the network costs.
_FILTER_SECONDS = 0.25
_FRAME_RATE = 32.0
DILATIONS = (1, 3, 6, 12)


class EegConv(Backbone):
    """Spatial mixing and temporal filters of 0.25 s, then convolutions of three tokens, each further apart.

    A filter is a pattern over the front end's channels and over time. What the filters find is normalised, rectified
    and averaged to tokens, about `token_rate` a second, which four residual convolutions relate to their neighbours up
    to 22 tokens away on either side.

    Normalisation is within a record (see `GroupNorm`), so that a batch may be split in any way.

    Args:
        n_chans: Channels that come in.
        sfreq: Hz.
        width: Filters, and width of a token; a multiple of 8.
        token_rate: Tokens a second, as near as whole frames, 32 a second, allow; at most 32.
        dilations: Tokens between the three that each convolution sees.

    References:
        Shen et al. (CLISA: the length of the filters), arXiv 2109.09559; Shen et al. (DAEST: the dilations),
        arXiv 2411.04568.
    """

    def __init__(
        self,
        n_chans: int,
        sfreq: float,
        width: int = 64,
        token_rate: float = 16.0,
        dilations: Sequence[int] = DILATIONS,
    ) -> None:
        super().__init__()
        if width % 8:
            raise ValueError(f"width: expected a multiple of 8, got {width}")
        if not 0 < token_rate <= _FRAME_RATE:
            raise ValueError(f"token_rate: expected tokens a second up to {_FRAME_RATE:g}, got {token_rate}")
        if min(dilations, default=1) < 1:
            raise ValueError(f"dilations: expected whole numbers from 1, got {', '.join(map(str, dilations))}")
        self.dim, self.frame_hop = width, samples_between(sfreq, _FRAME_RATE)
        self.frames_per_token = max(1, round(sfreq / token_rate / self.frame_hop))
        self.hop = self.frame_hop * self.frames_per_token
        kernel = odd(_FILTER_SECONDS * sfreq)
        self.filters = nn.Conv1d(n_chans, width, kernel, self.frame_hop, padding=kernel // 2, bias=False)
        self.norm = GroupNorm(width)
        self.layers = nn.ModuleList(_Dilated(width, dilation) for dilation in dilations)
        nn.init.kaiming_normal_(self.filters.weight, nonlinearity="relu")

    def forward(
        self, signal: Float[Tensor, "batch channel time"], padding: Padding | None = None
    ) -> Float[Tensor, "batch token dim"]:
        """See `Backbone.forward`."""
        if padding is not None:
            signal = signal * padding.frames(1)[:, None]
        frames = None if padding is None else padding.frames(self.frame_hop)
        found = functional.gelu(self.norm(self.filters(signal), frames))
        x = self._average(found, None if frames is None else frames[:, None].to(found.dtype))
        for layer in self.layers:
            x = layer(x, padding, self.hop)
        return x.transpose(1, 2)

    def _average(
        self, found: Float[Tensor, "batch width frame"], there: Float[Tensor, "batch 1 frame"] | None
    ) -> Float[Tensor, "batch width token"]:
        """Of the frames of each token; the last token may have fewer, and padding has none."""
        there = torch.ones_like(found[:1, :1]) if there is None else there

        def sums(x: Tensor) -> Tensor:
            whole = functional.pad(x, (0, -x.shape[-1] % self.frames_per_token))
            return whole.reshape(*whole.shape[:2], -1, self.frames_per_token).sum(-1)

        return sums(found) / sums(there).clamp_min(1)


class _Dilated(nn.Module):
    """A convolution of three tokens, so many apart, and a way around it."""

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv = nn.Conv1d(width, width, 3, dilation=dilation, padding=dilation, bias=False)
        self.norm = GroupNorm(width)
        nn.init.kaiming_normal_(self.conv.weight, nonlinearity="relu")

    def forward(
        self, x: Float[Tensor, "batch width token"], padding: Padding | None, hop: int
    ) -> Float[Tensor, "batch width token"]:
        there = None if padding is None else padding.frames(hop)
        return x + functional.gelu(self.norm(self.conv(x), there))


@ENCODERS.register("eeg_conv")
def eeg_conv(
    *,
    sfreq: float,
    n_chans: int = 16,
    front_end: str = "montage_free",
    width: int = 64,
    token_rate: float = 16.0,
    dilations: Sequence[int] = DILATIONS,
) -> Encoder:
    """Spatio-temporal filters and dilated convolutions behind a front end.

    Args:
        sfreq: Hz.
        n_chans: Channels behind the front end.
        front_end: In `FRONT_ENDS`.
        width: Filters, and width of a token; a multiple of 8.
        token_rate: Tokens a second, at most 32.
        dilations: Of the convolutions over tokens.
    """
    return Composed(FRONT_ENDS[front_end](n_chans), EegConv(n_chans, sfreq, width, token_rate, dilations))
