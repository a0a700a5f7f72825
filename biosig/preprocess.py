"""A declarative pipeline from a recording to the signal that a network sees; stored with every store and model.

A pipeline is data: it prints, compares, hashes and round-trips as JSON, so that a model can refuse or repeat exactly
what its training data went through.

Example:
    >>> pipeline = Preprocessing(steps=(Resample(rate=100.0), Bandpass(low=0.5, high=40.0)))
    >>> Preprocessing.model_validate_json(pipeline.model_dump_json()) == pipeline
    True
"""

from abc import abstractmethod
from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
from jaxtyping import Float64
from pydantic import BaseModel, ConfigDict, Field, model_validator

from biosig import resample
from biosig.errors import BiosigError
from biosig.recording import Event, Modality, Recording

Hertz = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class _Step(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Resample(_Step):
    """Another sampling rate, anti-aliased (see `biosig.resample`). Trigger channels take the nearest sample.

    A recording that has the rate already passes untouched, bit for bit.
    """

    kind: Literal["resample"] = "resample"
    rate: Hertz

    def apply(self, recording: Recording) -> Recording:
        if recording.sampling_rate == self.rate:
            return recording
        rates = (recording.sampling_rate, self.rate)
        triggers = [kind is Modality.STIMULUS for kind in recording.modality]
        if not any(triggers):
            x = resample.resample(recording.signal, *rates)
        else:
            held = resample.nearest(recording.signal, *rates)
            x = np.where(np.array(triggers)[:, None], held, resample.resample(recording.signal, *rates))
        return replace(recording, signal=x, sampling_rate=self.rate)


class _Filter(_Step):
    """A zero-phase filter of some channels: forwards and backwards, gaps bridged meanwhile, ends extended."""

    modality: Modality | None = None
    """Filter the channels of this modality only; None: every channel that is not a trigger."""

    def apply(self, recording: Recording) -> Recording:
        rows = [row for row, kind in enumerate(recording.modality) if _concerns(self.modality, kind)]
        if not rows or recording.n_times == 0:
            return recording
        from scipy import signal  # noqa: PLC0415 -- a second to import, and resampling does without

        sections = self.design(recording)
        filled, gaps = resample.bridge(recording.signal[rows])
        # Long enough for the slowest pole to settle, as scipy's own default, and never longer than the signal allows.
        margin = min(3 * (2 * len(sections) + 1), recording.n_times - 1)
        slow = min(int(recording.sampling_rate / self.slowest), recording.n_times - 1)
        filtered = signal.sosfiltfilt(sections, filled.astype(np.float64), axis=1, padlen=max(margin, slow))
        if gaps is not None:
            filtered[gaps] = np.nan
        x = recording.signal.copy()
        x[rows] = filtered
        return replace(recording, signal=x)

    @property
    @abstractmethod
    def slowest(self) -> float:
        """The lowest frequency, in Hz, that the filter has an edge at."""

    @abstractmethod
    def design(self, recording: Recording) -> Float64[np.ndarray, "section 6"]:
        """Second-order sections for the recording's rate."""


class Bandpass(_Filter):
    """Butterworth, zero-phase: a high-pass at `low`, a low-pass at `high`, or both.

    Raises:
        BiosigError: On `apply`, if an edge is not below the Nyquist frequency.
    """

    kind: Literal["bandpass"] = "bandpass"
    low: Hertz | None = None
    high: Hertz | None = None
    order: int = Field(default=4, ge=1, le=10)

    @model_validator(mode="after")
    def _edges(self) -> "Bandpass":
        if self.low is None and self.high is None:
            raise ValueError("a band-pass needs `low`, `high` or both")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError(f"expected low < high, got {self.low:g} and {self.high:g} Hz")
        return self

    @property
    def slowest(self) -> float:
        return min(edge for edge in (self.low, self.high) if edge is not None)

    def design(self, recording: Recording) -> Float64[np.ndarray, "section 6"]:
        from scipy import signal  # noqa: PLC0415 -- as above

        edges = [edge for edge in (self.low, self.high) if edge is not None]
        _below_nyquist(recording, max(edges), "bandpass")
        kind: Literal["bandpass", "highpass", "lowpass"] = (
            "bandpass" if len(edges) == 2 else "highpass" if self.low is not None else "lowpass"
        )
        return signal.butter(
            self.order, edges if len(edges) == 2 else edges[0], kind, fs=recording.sampling_rate, output="sos"
        )


class Notch(_Filter):
    """The mains frequency taken out, zero-phase, with its harmonics below the Nyquist frequency if asked.

    Raises:
        BiosigError: On `apply`, if the frequency is not below the Nyquist frequency.
    """

    kind: Literal["notch"] = "notch"
    frequency: Hertz
    quality: float = Field(default=30.0, gt=0)
    """Frequency over bandwidth at -3 dB."""
    harmonics: bool = False

    @property
    def slowest(self) -> float:
        return self.frequency / self.quality

    def design(self, recording: Recording) -> Float64[np.ndarray, "section 6"]:
        from scipy import signal  # noqa: PLC0415 -- as above

        _below_nyquist(recording, self.frequency, "notch")
        rate = recording.sampling_rate
        count = int(np.ceil(rate / 2 / self.frequency)) - 1 if self.harmonics else 1
        # One bandwidth in Hz for all: the quality grows with the harmonic.
        return np.concatenate(
            [
                signal.tf2sos(*signal.iirnotch(k * self.frequency, k * self.quality, fs=rate))
                for k in range(1, count + 1)
            ]
        )


class Reference(_Step):
    """Channels of one modality less their common reference: the average, or named channels, which are kept.

    Raises:
        BiosigError: On `apply`, if a named channel is not in the recording.
    """

    kind: Literal["reference"] = "reference"
    channels: tuple[str, ...] | Literal["average"] = "average"
    modality: Modality = Modality.EEG

    def apply(self, recording: Recording) -> Recording:
        rows = [row for row, kind in enumerate(recording.modality) if kind is self.modality]
        if not rows:
            return recording
        among = recording.signal[rows] if self.channels == "average" else recording.pick(self.channels).signal
        known = np.isfinite(among)
        count = known.sum(axis=0)
        # A gap of one electrode must not make a gap of all; where no electrode is known, all are gaps anyway.
        common = np.where(known, among, 0).sum(axis=0) / np.maximum(count, 1)
        x = recording.signal.copy()
        x[rows] -= np.where(count > 0, common, np.nan).astype(np.float32)
        return replace(recording, signal=x)


class Crop(_Step):
    """The part from `start` to `stop` seconds (None: the end); events move with it, those outside are dropped.

    Raises:
        BiosigError: On `apply`, if nothing of the recording is left.
    """

    kind: Literal["crop"] = "crop"
    start: Seconds = 0.0
    stop: Seconds | None = None

    @model_validator(mode="after")
    def _order(self) -> "Crop":
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"expected start < stop, got {self.start:g} and {self.stop:g} s")
        return self

    def apply(self, recording: Recording) -> Recording:
        rate = recording.sampling_rate
        first = round(self.start * rate)
        last = recording.n_times if self.stop is None else min(round(self.stop * rate), recording.n_times)
        if first >= last:
            raise BiosigError(
                f"{recording.record_id or 'recording'}: nothing between {self.start:g} s and "
                f"{'the end' if self.stop is None else f'{self.stop:g} s'} of its {recording.duration:g} s"
            )
        begin, end = first / rate, last / rate
        events = tuple(
            _cropped(event, begin, end)
            for event in recording.events
            if event.onset < end and event.onset + event.duration >= begin
        )
        return replace(recording, signal=recording.signal[:, first:last], events=events)


Step = Annotated[Resample | Bandpass | Notch | Reference | Crop, Field(discriminator="kind")]


class Preprocessing(BaseModel):
    """Steps applied in order. The default resamples to 250 Hz and leaves everything else as recorded.

    Example:
        >>> Preprocessing().apply(recording).sampling_rate
        250.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[Step, ...] = (Resample(rate=250.0),)

    def apply(self, recording: Recording) -> Recording:
        """The recording after every step; the given one is not changed."""
        for step in self.steps:
            recording = step.apply(recording)
        return recording


def _concerns(modality: Modality | None, kind: Modality) -> bool:
    return kind is modality if modality is not None else kind is not Modality.STIMULUS


def _below_nyquist(recording: Recording, frequency: float, step: str) -> None:
    if frequency >= recording.sampling_rate / 2:
        raise BiosigError(
            f"{recording.record_id or 'recording'}: {step}: {frequency:g} Hz is not below half the sampling rate of "
            f"{recording.sampling_rate:g} Hz"
        )


def _cropped(event: Event, begin: float, end: float) -> Event:
    """The part of an event that lies within, on the new clock."""
    onset, stop = max(event.onset, begin), min(event.onset + event.duration, end)
    return replace(event, onset=onset - begin, duration=max(stop - onset, 0.0))
