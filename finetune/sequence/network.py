"""A network of a night: each epoch from its spectrogram, then its neighbours."""

from __future__ import annotations

from enum import StrEnum

import torch
from jaxtyping import Float
from pydantic import Field, PositiveInt
from torch import Tensor, nn

from finetune.sequence.nights import BINS, STAGES
from pretrain.specs.architecture import Spec


class Context(StrEnum):
    """Which other epochs a stage may be told from.

    `both`: past and future, as a scorer does afterwards. `past`: causal, as at the bedside. `none`: the epoch alone.
    """

    BOTH = "both"
    PAST = "past"
    NONE = "none"


class StageSpec(Spec):
    """Sizes of a `StageNet`.

    Attributes:
        channels: Of the recording, in order.
        context: Which other epochs it looks at.
        width: Of an epoch's vector, and of the recurrent network.
        dropout: Of an epoch's vector.
    """

    channels: tuple[str, ...]
    context: Context = Context.BOTH
    width: PositiveInt = 64
    dropout: float = Field(default=0.2, ge=0, lt=1)


class StageNet(nn.Module):
    """Convolutions over the frames of an epoch, their mean and maximum, and a GRU over epochs.

    Spectra are standardised by the training epochs, channel and bin by bin; a channel that is missing (NaN) is the
    mean. With the context `past` nothing after an epoch reaches its logits.

    Args:
        spec: Sizes.

    Shape:
        spectra `(B, N, C, bin, frame)` of N epochs -> logits `(B, N, 5)`.

    References:
        Phan et al., SeqSleepNet, arXiv 1809.10932 (time-frequency images, epochs in sequence); Supratak and Guo,
        TinySleepNet, EMBC 2020.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, spec: StageSpec) -> None:
        super().__init__()
        self.spec = spec
        inputs, width = len(spec.channels) * BINS, spec.width
        self.register_buffer("mean", torch.zeros(len(spec.channels), BINS, 1))
        self.register_buffer("std", torch.ones(len(spec.channels), BINS, 1))
        self.frames = nn.Sequential(
            nn.Conv1d(inputs, width, 3, padding=1), nn.BatchNorm1d(width), nn.GELU(),
            nn.Conv1d(width, width, 3, padding=1), nn.BatchNorm1d(width), nn.GELU(),
        )  # fmt: skip
        self.epoch = nn.Sequential(nn.Linear(2 * width, width), nn.GELU(), nn.Dropout(spec.dropout))
        self.context: nn.GRU | None = None
        seen = width
        if spec.context is not Context.NONE:
            both = spec.context is Context.BOTH
            self.context = nn.GRU(width, width, batch_first=True, bidirectional=both)
            seen += width * (2 if both else 1)
        self.out = nn.Linear(seen, len(STAGES))

    def forward(self, spectra: Float[Tensor, "batch epoch channel bin frame"]) -> Float[Tensor, "batch epoch stage"]:
        batch, epochs = spectra.shape[:2]
        x = torch.nan_to_num((spectra - self.mean) / self.std, nan=0.0)
        h = self.frames(x.flatten(0, 1).flatten(1, 2))
        h = self.epoch(torch.cat([h.mean(-1), h.amax(-1)], dim=1)).reshape(batch, epochs, -1)
        if self.context is not None:
            h = torch.cat([h, self.context(h)[0]], dim=-1)
        logits: Tensor = self.out(h)
        return logits
