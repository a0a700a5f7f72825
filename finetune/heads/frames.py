"""A dense head: for every sample of every lead, which wave it belongs to and how near it is to a wave's peak."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from pretrain.specs.architecture import Spec

# Millivolts below which a lead is a flat line.
_FLAT = 1e-4


class FrameSpec(Spec):
    """Sizes of a `FrameNet`.

    Attributes:
        classes: Kinds of waves, without the class of no wave.
        widths: Channels of each level; every level has half the rate of the one above, the first half the input's.
        kernel: Samples that a convolution sees; odd.
        dropout: Of whole channels of the lowest level.
    """

    classes: PositiveInt = 3
    widths: tuple[PositiveInt, ...] = Field(default=(32, 48, 64, 96), min_length=1)
    kernel: PositiveInt = 7
    dropout: float = Field(default=0.1, ge=0, lt=1)


class Frames(NamedTuple):
    """What a `FrameNet` says of every sample.

    Attributes:
        waves: Logits of no wave, then of each kind.
        peaks: Logits of each kind's peak.
    """

    waves: Float[Tensor, "batch lead klass time"]
    peaks: Float[Tensor, "batch lead kind time"]


class FrameNet(nn.Module):
    r"""A one-dimensional U-Net with one set of weights for all leads, which see each other through their mean.

    Every lead is divided by its own standard deviation, so that gain and unit do not matter. On the way down each level
    adds to the features h_l of lead l a projection of their mean over the leads that are there,

        h_l + W mean_m h_m,

    which knows neither their order nor their number (Deep Sets). A wave that drowns in the noise of one lead is placed
    by the others, as a cardiologist does; and one lead alone can be read too.

    Args:
        spec: Sizes.

    Shape:
        signal `(B, L, T)` of any T, mask `(B, L)` -> `Frames` of `(B, L, 1 + classes, T)` and `(B, L, classes, T)`.

    References:
        Ronneberger et al., U-Net, arXiv 1505.04597; Moskalenko et al., Deep learning for ECG segmentation, arXiv
        2001.04689; Zaheer et al., Deep Sets, arXiv 1703.06114.
    """

    def __init__(self, spec: FrameSpec) -> None:
        super().__init__()
        self.spec = spec
        widths, kernel = spec.widths, spec.kernel
        self.stem = nn.Sequential(
            nn.Conv1d(1, widths[0], 15, stride=2, padding=7), nn.BatchNorm1d(widths[0]), nn.ReLU()
        )
        self.down = nn.ModuleList(_twice(width, width, kernel) for width in widths)
        self.others = nn.ModuleList(nn.Linear(width, width) for width in widths)
        self.lower = nn.ModuleList(nn.Conv1d(upper, lower, 2, stride=2) for upper, lower in pairwise(widths))
        self.dropout = nn.Dropout1d(spec.dropout)
        self.raise_ = nn.ModuleList(nn.ConvTranspose1d(lower, upper, 2, stride=2) for upper, lower in pairwise(widths))
        self.up = nn.ModuleList(_twice(2 * width, width, kernel) for width in widths[:-1])
        # Two samples of the input lie in one of the first level: each gets outputs of its own.
        self.outputs = 1 + 2 * spec.classes
        self.out = nn.Conv1d(widths[0], 2 * self.outputs, 5, padding=2)

    def forward(self, signal: Float[Tensor, "batch lead time"], mask: Bool[Tensor, "batch lead"]) -> Frames:
        batch, leads, time = signal.shape
        std, mean = torch.std_mean(signal, dim=-1, keepdim=True, correction=0)
        there = mask & (std[..., 0] > _FLAT)
        x = (signal - mean) / std.clamp_min(_FLAT) * there[..., None]
        multiple = 2 ** len(self.spec.widths)
        x = nn.functional.pad(x, (0, -time % multiple)).reshape(batch * leads, 1, -1)
        h = self.stem(x)
        kept = []
        for level, block in enumerate(self.down):
            h = block(h)
            h = h + self._of_others(h, there, level)
            if level < len(self.lower):
                kept.append(h)
                h = self.lower[level](h)
        h = self.dropout(h)
        for level in reversed(range(len(self.up))):
            h = self.up[level](torch.cat([kept[level], self.raise_[level](h)], dim=1))
        y = self.out(h).reshape(batch, leads, self.outputs, 2, -1).transpose(-1, -2).flatten(-2)[..., :time]
        return Frames(*y.split([1 + self.spec.classes, self.spec.classes], dim=2))

    def _of_others(
        self, h: Float[Tensor, "row channel time"], there: Bool[Tensor, "batch lead"], level: int
    ) -> Float[Tensor, "row channel time"]:
        """The projected mean over leads, the same for every lead of a record."""
        each = h.reshape(*there.shape, *h.shape[1:])
        weight = (there / there.sum(1, keepdim=True).clamp_min(1)).to(h.dtype)
        mean = torch.einsum("blct,bl->btc", each, weight)
        return self.others[level](mean).transpose(1, 2)[:, None].expand_as(each).flatten(0, 1)


def _twice(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    half = kernel // 2
    return nn.Sequential(
        nn.Conv1d(inputs, outputs, kernel, padding=half), nn.BatchNorm1d(outputs), nn.ReLU(),
        nn.Conv1d(outputs, outputs, kernel, padding=half), nn.BatchNorm1d(outputs), nn.ReLU(),
    )  # fmt: skip
