"""A network that labels beats: what each looks like in any leads, its RR intervals, and the beats around it."""

from __future__ import annotations

import torch
from jaxtyping import Bool, Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from finetune.beats.aami import SAID
from finetune.beats.choices import Context
from finetune.beats.rr import FEATURES
from pretrain.specs.architecture import Spec


class BeatSpec(Spec):
    """Sizes of a `BeatNet`.

    Attributes:
        context: Whether later beats are seen.
        widths: Channels after the first convolution and after each residual block; each halves the time.
        size: Numbers that stand for one beat.
        dilations: Of the convolutions over the sequence of beats; with kernel 5, 1, 2 and 4 reach 14 beats each way.
        dropout: Of a beat's numbers.
    """

    context: Context = Context.BOTH
    widths: tuple[PositiveInt, ...] = Field(default=(16, 24, 32), min_length=1)
    size: PositiveInt = 48
    dilations: tuple[PositiveInt, ...] = (1, 2, 4)
    dropout: float = Field(default=0.3, ge=0, lt=1)


class BeatNet(nn.Module):
    """Residual convolutions over each beat and lead, and dilated ones over the sequence of beats.

    All leads share one set of weights and their mean goes on, so that neither their order nor their number matters
    (Deep Sets). The beat is then its morphology and its RR features together, and sees its neighbours.

    Args:
        spec: Sizes.

    Shape:
        windows `(B, S, L, 2, T)` of S beats in a row, mask `(B, L)`, rr `(B, S, R)` -> logits `(B, S, 4)` of N, S, V
        and F as if all were as frequent.

    References:
        He et al., arXiv 1512.03385; Zaheer et al., Deep Sets, arXiv 1703.06114; Bai et al., arXiv 1803.01271.
    """

    def __init__(self, spec: BeatSpec) -> None:
        super().__init__()
        self.spec = spec
        first, *others = spec.widths
        self.stem = nn.Sequential(nn.Conv1d(2, first, 7, stride=2, padding=3), nn.BatchNorm1d(first), nn.ReLU())
        blocks, width = [], first
        for other in others:
            blocks.append(_Residual(width, other))
            width = other
        self.blocks = nn.Sequential(*blocks)
        self.shape = nn.Linear(2 * width, spec.size)
        self.rhythm = nn.Sequential(nn.Linear(len(FEATURES), spec.size), nn.ReLU(), nn.Linear(spec.size, spec.size))
        self.dropout = nn.Dropout(spec.dropout)
        self.sequence = nn.ModuleList(_OverBeats(spec.size, dilation, spec) for dilation in spec.dilations)
        self.out = nn.Linear(spec.size, len(SAID))

    def forward(
        self,
        windows: Float[Tensor, "batch beat lead 2 time"],
        mask: Bool[Tensor, "batch lead"],
        rr: Float[Tensor, "batch beat feature"],
    ) -> Float[Tensor, "batch beat klass"]:
        batch, beats, leads = windows.shape[:3]
        h = self.blocks(self.stem(windows.flatten(0, 2)))
        each = self.shape(torch.cat([h.mean(-1), h.amax(-1)], dim=1)).reshape(batch, beats, leads, -1)
        # A lead that is flat at this beat says nothing of it.
        there = mask[:, None] & (windows[..., 0, :].abs().amax(-1) > 0)
        weight = (there / there.sum(-1, keepdim=True).clamp_min(1)).to(each.dtype)
        beat = self.dropout(torch.einsum("bsld,bsl->bsd", each, weight) + self.rhythm(rr))
        for layer in self.sequence:
            beat = layer(beat)
        return self.out(beat)


class _Residual(nn.Module):
    """Two convolutions beside a projection; half the time."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(inputs, outputs, 5, stride=2, padding=2), nn.BatchNorm1d(outputs), nn.ReLU(),
            nn.Conv1d(outputs, outputs, 5, padding=2), nn.BatchNorm1d(outputs),
        )  # fmt: skip
        self.beside = nn.Conv1d(inputs, outputs, 1, stride=2)

    def forward(self, x: Float[Tensor, "row channel time"]) -> Float[Tensor, "row channel half"]:
        return torch.relu(self.body(x) + self.beside(x))


class _OverBeats(nn.Module):
    """One residual convolution over the sequence of beats; without the future, over the beats before."""

    def __init__(self, size: int, dilation: int, spec: BeatSpec) -> None:
        super().__init__()
        reach = 2 * dilation
        self.padding = (reach, reach) if spec.context is Context.BOTH else (2 * reach, 0)
        self.norm = nn.LayerNorm(size)
        self.over = nn.Conv1d(size, size, 5, dilation=dilation)
        self.dropout = nn.Dropout(spec.dropout)

    def forward(self, x: Float[Tensor, "batch beat size"]) -> Float[Tensor, "batch beat size"]:
        h = nn.functional.pad(self.norm(x).transpose(1, 2), self.padding)
        return x + self.dropout(torch.relu(self.over(h)).transpose(1, 2))
