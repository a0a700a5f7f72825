"""One-dimensional residual networks, their first layer measured in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from biosig.encoders.base import ENCODERS, FRONT_ENDS, Backbone, Composed, Encoder, Padding, odd, samples_between
from biosig.encoders.fused import normalised
from biosig.encoders.norm import GroupNorm

# The first layer sees about a QRS complex, and leaves 50 frames a second whatever the sampling rate.
_STEM_SECONDS = 0.15
_FRAME_RATE = 50.0
_GROUPS = 8
# Torch's group norm is slow where the channels lie side by side and a group of them does not fill a vector.
_FILLED = 128


class ResNet1d(Backbone):
    """Residual network over time: about 6 tokens a second.

    Normalisation is by groups of channels within a record, not over the batch: a record's tokens, and so the gradient
    of a contrast, are the same however a batch is split over processes or micro-batches, and in training and
    evaluation. It keeps relative amplitudes along time, which a norm of each frame would not.

    Args:
        n_chans: Channels that come in.
        sfreq: Hz. The first layer spans 0.15 s with a stride of 1/50 s, or one sample below 75 Hz.
        width: Channels of the first stage; every stage doubles them. A multiple of 8.
        blocks: In each stage.
        bottleneck: Blocks of three convolutions with four times the channels out.

    References:
        He et al., arXiv 1512.03385; Wu and He (group normalisation), arXiv 1803.08494.
    """

    fuses = True

    def __init__(self, n_chans: int, sfreq: float, width: int, blocks: Sequence[int], *, bottleneck: bool) -> None:
        super().__init__()
        if width % _GROUPS:
            raise ValueError(f"width: expected a multiple of {_GROUPS}, got {width}")
        hop = samples_between(sfreq, _FRAME_RATE)
        self.stem = _Stem(n_chans, width, odd(_STEM_SECONDS * sfreq), stride=hop, hop=hop)
        kind = Bottleneck if bottleneck else Basic
        layers: list[Basic | Bottleneck] = []
        channels = width
        for stage, count in enumerate(blocks):
            for place in range(count):
                stride = 2 if stage and not place else 1
                layers.append(kind(channels, width << stage, stride, hop))
                channels, hop = layers[-1].out, hop * stride
        self.blocks = nn.ModuleList(layers)
        self.dim, self.hop = channels, hop

    def forward(
        self, signal: Float[Tensor, "batch channel time"], padding: Padding | None = None
    ) -> Float[Tensor, "batch token dim"]:
        """See `Backbone.forward`."""
        if padding is None or self.stem.compiled or (cut := padding.cut()).all():
            return self._tokens(signal, padding)
        # What padding does to a norm is slow; records without any are spared it.
        whole, cut = (~cut).nonzero().squeeze(1), cut.nonzero().squeeze(1)
        tokens = torch.cat([self._tokens(signal[whole], None), self._tokens(signal[cut], padding.take(cut))])
        return tokens[torch.cat([whole, cut]).argsort()]

    def _tokens(self, signal: Tensor, padding: Padding | None) -> Tensor:
        if padding is not None:
            signal = signal * padding.frames(1)[:, None]
        x: Tensor = self.stem(signal.unsqueeze(2), padding)
        for block in self.blocks:
            x = block(x, padding)
        return x.squeeze(2).transpose(1, 2)

    def fuse(self, *, on: bool) -> None:
        """See `Backbone.fuse`: norms with what follows them, in bfloat16."""
        for module in self.modules():
            if isinstance(module, _Conv):
                module.compiled = on


class Basic(nn.Module):
    """Two convolutions of three frames, and a way around them."""

    def __init__(self, channels: int, inner: int, stride: int, hop: int) -> None:
        super().__init__()
        self.out, hop_out = inner, hop * stride
        self.first = _Conv(channels, inner, 3, stride=stride, hop=hop_out)
        self.second = _Conv(inner, inner, 3, hop=hop_out)
        self.around = _way_around(channels, inner, stride, hop_out)

    def forward(self, x: Tensor, padding: Padding | None) -> Tensor:
        around = x if self.around is None else self.around(x, padding, relu=False)
        y: Tensor = self.second(self.first(x, padding), padding, around)
        return y


class Bottleneck(nn.Module):
    """A convolution of three frames between two that change the number of channels, and a way around them."""

    def __init__(self, channels: int, inner: int, stride: int, hop: int) -> None:
        super().__init__()
        self.out, hop_out = 4 * inner, hop * stride
        self.narrow = _Conv(channels, inner, 1, hop=hop)
        self.middle = _Conv(inner, inner, 3, stride=stride, hop=hop_out)
        self.widen = _Conv(inner, self.out, 1, hop=hop_out)
        self.around = _way_around(channels, self.out, stride, hop_out)

    def forward(self, x: Tensor, padding: Padding | None) -> Tensor:
        around = x if self.around is None else self.around(x, padding, relu=False)
        y: Tensor = self.widen(self.middle(self.narrow(x, padding), padding), padding, around)
        return y


def _way_around(channels: int, out: int, stride: int, hop: int) -> _Conv | None:
    return _Conv(channels, out, 1, stride=stride, hop=hop) if channels != out or stride > 1 else None


class _Conv(nn.Module):
    """Convolution, group norm, what is added, ReLU.

    Out come ceil(time / stride) frames, one every `hop` samples, 0 in the padding.

    Frames are a picture one pixel high, `(batch, channel, 1, frame)`. In bfloat16 its channels lie side by side in
    memory: matrix units want that, and torch leaves it so for pictures only. Not in float32, where the gradient of such
    a convolution writes beyond its memory on a CPU with two threads, for few channels and records (torch 2.13).
    """

    def __init__(self, channels: int, out: int, kernel: int, *, hop: int, stride: int = 1) -> None:
        super().__init__()
        self.hop, self.compiled = hop, False
        self.conv = nn.Conv1d(channels, out, kernel, stride, padding=kernel // 2, bias=False)
        self.norm = GroupNorm(out)
        nn.init.kaiming_normal_(self.conv.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, x: Tensor, padding: Padding | None, added: Tensor | None = None, *, relu: bool = True) -> Tensor:
        there = None if padding is None else padding.frames(self.hop)
        if self.compiled and torch.bfloat16 in (x.dtype, _computed_in(x)):
            return normalised(self._side_by_side(x), self.norm, there, added, relu=relu)
        y = self._normal(x, there)
        y = y if added is None else y.add_(added)
        return functional.relu(y, inplace=True) if relu else y

    def _normal(self, x: Tensor, there: Tensor | None) -> Tensor:
        """Convolution and norm, a layer each."""
        if torch.bfloat16 not in (x.dtype, _computed_in(x)):
            x, kernel, stride, reach = self.arranged(x)
            # In training a record by itself is computed twice over: alone, torch gives it another kernel, which rounds
            # otherwise, and gradients would depend on how a batch is cut, by up to 5e-5.
            alone = self.training and len(x) == 1
            x = x.squeeze(2).expand(2 if alone else -1, -1, -1)
            x = functional.conv1d(x, kernel, stride=stride, padding=reach)[: 1 if alone else None]
            # A picture before the norm, not behind it: what comes next works in place, which upon a view costs a copy.
            normal: Tensor = self.norm(x.unsqueeze(2), there)
            return normal
        x = self._side_by_side(x)
        if self.conv.out_channels < _FILLED:
            x = x.contiguous()
        return self.norm(x, there).contiguous(memory_format=torch.channels_last)

    def _side_by_side(self, x: Tensor) -> Tensor:
        """The convolution, channels side by side in memory."""
        x, kernel, stride, reach = self.arranged(x)
        # By way of a row of numbers, so that its gradient comes back in the order that DDP wants.
        kernel = kernel.flatten().view(*kernel.shape[:2], 1, -1)
        x = x.contiguous(memory_format=torch.channels_last)
        return functional.conv2d(x, kernel, stride=(1, stride), padding=(0, reach))

    def arranged(self, x: Tensor) -> tuple[Tensor, Tensor, int, int]:
        """What is convolved, with which kernel, at what stride, and how many zeros are around it."""
        return x, self.conv.weight, self.conv.stride[0], self.conv.kernel_size[0] // 2


class _Stem(_Conv):
    """A first layer of few channels and a long stride, computed as one of many channels and a stride of one.

    So many samples as it strides over become one frame of as many times the channels: the same sums, but for the zeros
    that fill the kernel up to whole frames, and a convolution that fills vectors and matrix units.
    """

    def arranged(self, x: Tensor) -> tuple[Tensor, Tensor, int, int]:
        """See `_Conv.arranged`."""
        hop, kernel = self.conv.stride[0], self.conv.weight
        if hop == 1:
            return super().arranged(x)
        size, reach = kernel.shape[2], kernel.shape[2] // 2
        ahead = -(-reach // hop)
        before = ahead * hop - reach
        frames = ahead - (-(size - reach) // hop)
        kernel = functional.pad(kernel, (before, frames * hop - size - before))
        # Not as -(-time // hop): in an exported graph that is rounded towards zero.
        behind = ((x.shape[3] + hop - 1) // hop + frames - 1 - ahead) * hop - x.shape[3]
        x = functional.pad(x.to(_computed_in(x)), (ahead * hop, behind))
        return _folded(x.squeeze(2), hop).unsqueeze(2), _folded(kernel, hop), 1, 0


def _folded(x: Tensor, hop: int) -> Tensor:
    """`(row, channel, frame x hop)` as `(row, channel x hop, frame)`, a frame's numbers side by side in memory."""
    return x.reshape(*x.shape[:2], -1, hop).permute(0, 2, 1, 3).flatten(2).transpose(1, 2)


def _computed_in(x: Tensor) -> torch.dtype:
    """The number format of a convolution of it."""
    device = x.device.type
    return torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else x.dtype


def resnet1d(
    *,
    blocks: Sequence[int],
    bottleneck: bool = False,
    sfreq: float,
    n_chans: int = 12,
    front_end: str = "montage_free",
    width: int = 64,
) -> Encoder:
    """A residual network behind a front end; tokens of 8 x width, with bottlenecks 32 x width.

    Args:
        blocks: In each stage.
        bottleneck: Blocks of three convolutions with four times the channels out.
        sfreq: Hz.
        n_chans: Channels behind the front end.
        front_end: In `FRONT_ENDS`.
        width: Channels of the first stage; a multiple of 8.
    """
    return Composed(FRONT_ENDS[front_end](n_chans), ResNet1d(n_chans, sfreq, width, blocks, bottleneck=bottleneck))


ENCODERS.add("resnet1d18", partial(resnet1d, blocks=(2, 2, 2, 2)))
ENCODERS.add("resnet1d34", partial(resnet1d, blocks=(3, 4, 6, 3)))
ENCODERS.add("resnet1d50", partial(resnet1d, blocks=(3, 4, 6, 3), bottleneck=True))
