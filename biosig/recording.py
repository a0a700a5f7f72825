"""The one record type for ECG and EEG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
from jaxtyping import Float32

from biosig.errors import BiosigError


class Modality(StrEnum):
    """What a channel measures."""

    ECG = "ecg"
    EEG = "eeg"
    EOG = "eog"
    EMG = "emg"
    RESPIRATION = "respiration"
    STIMULUS = "stimulus"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens in time: a beat, a rhythm, a stimulus, a sleep stage.

    Attributes:
        onset: Seconds after the first sample; negative where it began before.
        duration: Seconds; 0 for an instant.
        code: The source's own symbol (`N`, `(AFIB`, `T1`).
        text: What it means, or a comment of the source.
        stimulus: What was presented meanwhile: the same name for everybody who met it, empty where nothing was.
        trial: Which presentation of the session it was, counted from 1, where the source says or its order tells.
    """

    onset: float
    duration: float
    code: str
    text: str = ""
    stimulus: str = ""
    trial: int | None = None


@dataclass(frozen=True, slots=True)
class Code:
    """A label exactly as the source gives it.

    Attributes:
        system: The coding system: `snomed-ct`, `scp-ecg`, `ludb`, `mitdb`, `cinc2011`, ...
        code: The code in that system.
        likelihood: Percent, where the source gives one (PTB-XL: 0 means "stated, likelihood unknown").
    """

    system: str
    code: str
    likelihood: float | None = None


@dataclass(frozen=True, eq=False)
class Recording:
    """Signals of one person in one sitting, whatever the sensors.

    Attributes:
        signal: `(channel, time)` in **microvolts** (other quantities keep the source's unit); NaN where the source
            marks a gap.
        channels: Canonical names, one a row of the signal (see `biosig.channels`).
        sampling_rate: Hz, the same for every channel.
        modality: One a channel.
        record_id: Unique in its corpus.
        subject_id: The person; splits are made by it. Unique in its corpus.
        session: Which sitting of that person, where the source says.
        codes: Labels as the source gives them.
        concepts: SNOMED-CT identifiers reached from the codes by crosswalk.
        report: The clinical text, as it stands.
        events: What happens when.
        meta: Anything else: `age` (years), `sex` (`female`/`male`), `fold`, `device`, `source` (file name), ...

    Raises:
        BiosigError: If shapes and names do not fit together.
    """

    signal: Float32[np.ndarray, "channel time"]
    channels: tuple[str, ...]
    sampling_rate: float
    modality: tuple[Modality, ...]
    record_id: str = ""
    subject_id: str = ""
    session: str = ""
    codes: tuple[Code, ...] = ()
    concepts: frozenset[str] = frozenset()
    report: str = ""
    events: tuple[Event, ...] = ()
    meta: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        signal = np.asarray(self.signal, dtype=np.float32)
        if signal.ndim != 2:
            raise BiosigError(f"{self.record_id or 'recording'}: expected a (channel, time) signal, got {signal.shape}")
        if len(self.channels) != len(signal) or len(self.modality) != len(signal):
            raise BiosigError(
                f"{self.record_id or 'recording'}: {len(signal)} rows of signal, {len(self.channels)} channel names, "
                f"{len(self.modality)} modalities"
            )
        if len(set(self.channels)) != len(self.channels):
            twice = next(name for name in self.channels if self.channels.count(name) > 1)
            raise BiosigError(f"{self.record_id or 'recording'}: channel {twice!r} occurs twice")
        if not (np.isfinite(self.sampling_rate) and self.sampling_rate > 0):
            raise BiosigError(
                f"{self.record_id or 'recording'}: expected a positive rate in Hz, got {self.sampling_rate!r}"
            )
        signal = signal.view()
        signal.setflags(write=False)
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "meta": dict(self.meta)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, meta=MappingProxyType(state["meta"]))

    @property
    def n_times(self) -> int:
        """Samples a channel."""
        return int(self.signal.shape[1])

    @property
    def duration(self) -> float:
        """Seconds."""
        return self.n_times / self.sampling_rate

    def pick(self, channels: Sequence[str] | Modality) -> Recording:
        """The named channels in the given order, or all channels of one modality.

        Raises:
            BiosigError: If a name is not in the recording; it is never filled with zeros.
        """
        if isinstance(channels, Modality):
            channels = [name for name, kind in zip(self.channels, self.modality, strict=True) if kind is channels]
        missing = [name for name in channels if name not in self.channels]
        if missing:
            raise BiosigError(f"{self.record_id or 'recording'}: no channel {missing[0]!r} among {self.channels}")
        rows = [self.channels.index(name) for name in channels]
        return replace(
            self,
            signal=self.signal[rows],
            channels=tuple(channels),
            modality=tuple(self.modality[row] for row in rows),
        )

    def __repr__(self) -> str:
        kinds = "+".join(dict.fromkeys(self.modality))
        return (
            f"Recording({self.record_id or 'unnamed'}: {kinds}, {len(self.channels)} channels "
            f"x {self.duration:.4g} s at {self.sampling_rate:g} Hz)"
        )
