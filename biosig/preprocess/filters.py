"""The steps that filter: a band kept, and the mains taken out."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np
from jaxtyping import Float64
from pydantic import Field, model_validator

from biosig.errors import BiosigError
from biosig.filtering import Phase, run
from biosig.preprocess.step import BaseStep, Hertz, Unfit, name_of
from biosig.recording import Modality, Recording


class Filter(BaseStep):
    """A filter of some channels, by default without phase distortion: gaps bridged meanwhile, ends extended."""

    added: ClassVar[frozenset[str]] = frozenset({"phase"})

    modality: Modality | None = None
    """Filter the channels of this modality only; None: every channel that is not a trigger."""
    phase: Phase = Phase.ZERO
    """`zero` runs forwards and backwards; `causal` forwards only, from rest at the first sample, and delays waves."""

    @property
    def causal(self) -> bool:
        return self.phase is Phase.CAUSAL

    def apply(self, recording: Recording) -> Recording:
        rows = [row for row, kind in enumerate(recording.modality) if self._concerns(kind)]
        if not rows or recording.n_times == 0:
            return recording
        sections = self.design(recording)
        if not len(sections):
            return recording
        x = recording.signal.copy()
        settle = int(recording.sampling_rate / self.slowest)
        x[rows] = run(recording.signal[rows], sections, phase=self.phase, settle=settle)
        return replace(recording, signal=x)

    @property
    @abstractmethod
    def slowest(self) -> float:
        """The lowest frequency, in Hz, that the filter has an edge at."""

    @abstractmethod
    def design(self, recording: Recording) -> Float64[np.ndarray, "section 6"]:
        """Second-order sections for the recording's rate; none where nothing is to be filtered."""

    def _concerns(self, kind: Modality) -> bool:
        return kind is self.modality if self.modality is not None else kind is not Modality.STIMULUS


class Bandpass(Filter):
    """Butterworth: a high-pass at `low`, a low-pass at `high`, or both.

    Raises:
        BiosigError: On `apply`, if an edge is not below the Nyquist frequency.
    """

    kind: Literal["bandpass"] = "bandpass"
    low: Hertz | None = None
    high: Hertz | None = None
    order: int = Field(default=4, ge=1, le=10)

    @model_validator(mode="after")
    def _edges(self) -> Bandpass:
        if self.low is None and self.high is None:
            raise ValueError("a band-pass needs `low`, `high` or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"expected low < high, got {self.low:g} and {self.high:g} Hz")
        return self

    @property
    def slowest(self) -> float:
        return min(edge for edge in (self.low, self.high) if edge is not None)

    def design(self, recording: Recording) -> Float64[np.ndarray, "section 6"]:
        from scipy import signal  # noqa: PLC0415 -- a second to import, and resampling does without

        edges = [edge for edge in (self.low, self.high) if edge is not None]
        if not _holds(recording, max(edges)):
            raise _beyond(recording, max(edges), self.kind)
        kind: Literal["bandpass", "highpass", "lowpass"] = (
            "bandpass" if len(edges) == 2 else "highpass" if self.low is not None else "lowpass"
        )
        return signal.butter(
            self.order, edges if len(edges) == 2 else edges[0], kind, fs=recording.sampling_rate, output="sos"
        )


class Notch(Filter):
    """The mains frequency taken out, with its harmonics below the Nyquist frequency if asked.

    Raises:
        BiosigError: On `apply`, if the frequency is not below the Nyquist frequency and `beyond` says to refuse.
    """

    added: ClassVar[frozenset[str]] = frozenset({"phase", "beyond"})

    kind: Literal["notch"] = "notch"
    frequency: Hertz
    quality: float = Field(default=30.0, gt=0)
    """Frequency over bandwidth at -3 dB."""
    harmonics: bool = False
    beyond: Unfit = Unfit.REFUSE
    """What to do with a recording too slow to hold the frequency: there is nothing to take out of it."""

    @property
    def slowest(self) -> float:
        return self.frequency / self.quality

    def design(self, recording: Recording) -> Float64[np.ndarray, "section 6"]:
        from scipy import signal  # noqa: PLC0415 -- as above

        if not _holds(recording, self.frequency):
            if self.beyond is Unfit.SKIP:
                return np.empty((0, 6))
            raise _beyond(recording, self.frequency, self.kind)
        rate = recording.sampling_rate
        count = int(np.ceil(rate / 2 / self.frequency)) - 1 if self.harmonics else 1
        # One bandwidth in Hz for all: the quality grows with the harmonic.
        return np.concatenate(
            [
                signal.tf2sos(*signal.iirnotch(k * self.frequency, k * self.quality, fs=rate))
                for k in range(1, count + 1)
            ]
        )


def _holds(recording: Recording, frequency: float) -> bool:
    return frequency < recording.sampling_rate / 2


def _beyond(recording: Recording, frequency: float, step: str) -> BiosigError:
    return BiosigError(
        f"{name_of(recording)}: {step}: {frequency:g} Hz is not below half the sampling rate of "
        f"{recording.sampling_rate:g} Hz"
    )
