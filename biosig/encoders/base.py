"""What every signal encoder is: a front end that takes any montage to fixed channels, and a temporal backbone."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from ontology.registry import Registry


class Padding:
    """Where the records of a batch end.

    Args:
        valid: Samples before the padding.
        n_times: Samples in all.
    """

    def __init__(self, valid: Int[Tensor, " batch"], n_times: int) -> None:
        self._valid, self._n_times = valid.clamp_min(1), n_times
        self._frames: dict[int, Tensor] = {}

    def frames(self, hop: int) -> Bool[Tensor, "batch frame"]:
        """Which frames, one every `hop` samples, begin before the padding; at least the first one."""
        if hop not in self._frames:
            onsets = torch.arange(0, self._n_times, hop, device=self._valid.device)
            self._frames[hop] = onsets < self._valid[:, None]
        return self._frames[hop]

    def cut(self) -> Bool[Tensor, " batch"]:
        """Which records end before the batch does."""
        return self._valid < self._n_times

    def take(self, rows: Int[Tensor, " row"]) -> Padding:
        """That of some of the records."""
        return Padding(self._valid[rows], self._n_times)


class FrontEnd(nn.Module, ABC):
    """Channels of any montage -> a fixed number of channels.

    Attributes:
        n_chans: Channels that come out.
    """

    n_chans: int

    @abstractmethod
    def forward(
        self,
        signal: Float[Tensor, "batch channel time"],
        positions: Float[Tensor, "batch channel 3"],
        mask: Bool[Tensor, "batch channel"],
        modality: Int[Tensor, "batch channel"] | None = None,
    ) -> Float[Tensor, "batch fixed time"]:
        """See `Encoder.forward`."""


class Backbone(nn.Module, ABC):
    """Fixed channels -> tokens.

    Attributes:
        dim: Width of a token.
        hop: Samples from one token to the next.
        fuses: Whether there are layers that `fuse` compiles.
    """

    dim: int
    hop: int
    fuses: bool = False

    @abstractmethod
    def forward(
        self, signal: Float[Tensor, "batch channel time"], padding: Padding | None = None
    ) -> Float[Tensor, "batch token dim"]:
        """Tokens of a signal; padding is of no influence."""

    def fuse(self, *, on: bool) -> None:
        """Compile layers that gain by it, from now on, or no longer."""


class Encoder(nn.Module, ABC):
    """Signal -> tokens, one every `hop` samples; pooling is separate.

    There is no statistic over the batch: the tokens of a record do not depend on its neighbours.

    Attributes:
        dim: Width of a token.
        hop: Samples from one token to the next.
    """

    dim: int
    hop: int

    def n_tokens(self, n_times: int) -> int:
        """Tokens of so many samples: ceil(n_times / hop)."""
        return -(-n_times // self.hop)

    def token_mask(self, valid: Int[Tensor, " batch"], n_times: int) -> Bool[Tensor, "batch token"]:
        """Which tokens begin before the padding; at least the first one.

        Args:
            valid: Samples before the padding.
            n_times: Samples in all.
        """
        return Padding(valid, n_times).frames(self.hop)

    @abstractmethod
    def forward(
        self,
        signal: Float[Tensor, "batch channel time"],
        positions: Float[Tensor, "batch channel 3"],
        mask: Bool[Tensor, "batch channel"],
        modality: Int[Tensor, "batch channel"] | None = None,
        valid: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch token dim"]:
        """Tokens.

        Args:
            signal: In units of order 1 (`biosig.store.SCALE`).
            positions: Of the sensors; (0, 0, 0) or NaN where unknown.
            mask: Which channels there are; the others have no influence, whatever they hold.
            modality: Places in `biosig.store.MODALITIES`.
            valid: Samples before the padding; all by default. With it, the tokens of `token_mask` are those of the
                signal cut there, to rounding, and the other tokens mean nothing.
        """


class Composed(Encoder):
    """A front end, then a backbone.

    Args:
        front_end: Any montage -> fixed channels.
        backbone: Fixed channels -> tokens.
    """

    def __init__(self, front_end: FrontEnd, backbone: Backbone) -> None:
        super().__init__()
        self.front_end = front_end
        self.backbone = backbone
        self.dim, self.hop = backbone.dim, backbone.hop

    def forward(
        self,
        signal: Float[Tensor, "batch channel time"],
        positions: Float[Tensor, "batch channel 3"],
        mask: Bool[Tensor, "batch channel"],
        modality: Int[Tensor, "batch channel"] | None = None,
        valid: Int[Tensor, " batch"] | None = None,
    ) -> Float[Tensor, "batch token dim"]:
        """See `Encoder.forward`."""
        padding = padding_of(valid, signal.shape[-1])
        tokens: Tensor = self.backbone(self.front_end(signal, positions, mask, modality), padding)
        return tokens


def padding_of(valid: Int[Tensor, " batch"] | None, n_times: int) -> Padding | None:
    """The padding of a batch; None where there is none, which is the fast way."""
    padded = valid is not None and bool((valid < n_times).any())
    return Padding(valid, n_times) if valid is not None and padded else None


ENCODERS: Registry[Callable[..., Encoder]] = Registry("encoder")
FRONT_ENDS: Registry[Callable[[int], FrontEnd]] = Registry("front end")


def build(name: str, **options: Any) -> Encoder:
    """The encoder of a name, freshly initialised from torch's random state.

    Args:
        name: In `ENCODERS`.
        options: `sfreq` (Hz), `front_end` (in `FRONT_ENDS`), `n_chans`, `width`, ...; see the encoder.

    Raises:
        UnknownNameError: If there is no such encoder or front end.
        TypeError: If the encoder has no such option, or lacks one.
    """
    return ENCODERS[name](**options)


def odd(samples: float) -> int:
    """The odd kernel length nearest to a duration, so that frames stay centred."""
    return 2 * round((samples - 1) / 2) + 1 if samples > 1 else 1


def samples_between(sfreq: float, rate: float) -> int:
    """Samples from one frame to the next at about `rate` frames a second; at least one.

    Raises:
        ValueError: If the sampling rate is not a positive number.
    """
    if not 0 < sfreq < math.inf:
        raise ValueError(f"sfreq: expected a positive rate in Hz, got {sfreq}")
    return max(1, round(sfreq / rate))
