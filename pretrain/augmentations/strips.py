"""The windows of a batch, and what an augmentation may know of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from biosig.recording import Modality
from biosig.store import MODALITIES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True)
class Strips:
    """Windows side by side, as `biosig.store.batch` makes them; never changed in place.

    Attributes:
        signal: Zero where a channel is missing and from `valid` on. 1.0 is 1 mV of ECG, 50 microvolts of EEG
            (`biosig.store.SCALE`).
        mask: Which channels are there.
        modality: Of each channel, places in `biosig.store.MODALITIES`.
        valid: Samples of each window before its padding.
        names: Of the channels of each record, canonical; padding channels have none.
        sampling_rate: Hz.
    """

    signal: Float[Tensor, "record channel time"]
    mask: Bool[Tensor, "record channel"]
    modality: Int64[Tensor, "record channel"]
    valid: Int64[Tensor, " record"]
    names: tuple[tuple[str, ...], ...]
    sampling_rate: float

    @classmethod
    def of(cls, batch: Mapping[str, Tensor], names: Sequence[tuple[str, ...]], sampling_rate: float) -> Strips:
        """What a batch holds of it."""
        return cls(batch["signal"], batch["mask"], batch["modality"], batch["valid"], tuple(names), sampling_rate)

    def __len__(self) -> int:
        return len(self.signal)

    @property
    def samples(self) -> int:
        """Of every window, padding included."""
        return self.signal.shape[-1]

    @property
    def own(self) -> Int64[Tensor, " record"]:
        """How many channels a record has of its own, up to the last that is there: not how many the batch has."""
        places = torch.arange(1, self.mask.shape[1] + 1)
        return (places * self.mask).amax(1) if len(places) else torch.zeros(len(self), dtype=torch.int64)

    def seconds(self) -> Float[Tensor, " time"]:
        """Of each sample, from the first."""
        return torch.arange(self.samples) / self.sampling_rate

    def of_kind(self, modality: Modality | None) -> Bool[Tensor, "record channel"]:
        """Channels of that kind that are there; of any kind but triggers for None."""
        if modality is None:
            return self.mask & (self.modality != MODALITIES.index(Modality.STIMULUS))
        return self.mask & (self.modality == MODALITIES.index(modality))

    def plus(self, addition: Float[Tensor, "record channel time"], factor: Float[Tensor, "record channel"]) -> Strips:
        """With so many times something added, as far as the windows reach.

        Args:
            addition: For the first channels of the batch, or all.
            factor: For each channel of the batch; 0 for one that is missing, or not to be changed.
        """
        reach = addition.shape[1]
        added = torch.addcmul(self.signal[:, :reach], addition, factor[:, :reach, None])
        if reach < self.signal.shape[1]:
            added = torch.cat([added, self.signal[:, reach:]], dim=1)
        return replace(self, signal=self.cut(added))

    def cut(self, signal: Float[Tensor, "record channel time"]) -> Float[Tensor, "record channel time"]:
        """A signal of this shape, zero from `valid` on."""
        if bool((self.valid >= self.samples).all()):
            return signal
        return signal * (torch.arange(self.samples) < self.valid[:, None])[:, None]

    def take(self, rows: Int64[Tensor, " row"]) -> Strips:
        """Some of the records."""
        return Strips(
            self.signal[rows],
            self.mask[rows],
            self.modality[rows],
            self.valid[rows],
            tuple(self.names[row] for row in rows.tolist()),
            self.sampling_rate,
        )

    def put(self, rows: Int64[Tensor, " row"], changed: Strips) -> Strips:
        """With those records in the place of its own."""
        return replace(
            self,
            signal=self.signal.index_copy(0, rows, changed.signal),
            mask=self.mask.index_copy(0, rows, changed.mask),
            valid=self.valid.index_copy(0, rows, changed.valid),
        )
