"""What an EEG experiment is: who, which stimuli, how late everybody reacts, and how loud the rest of the brain is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from jaxtyping import Int64

from biosig.errors import BiosigError
from biosig.simulate.head import CAPS, electrode_positions
from biosig.simulate.latency import Latency
from biosig.simulate.spectrum import Band
from biosig.simulate.stimulus import Stimulus


class Stream(IntEnum):
    """What each stream of random numbers of an experiment decides; the numbers are part of the format."""

    STIMULUS = 30
    COMMON_PATTERNS = 31
    OWN_PATTERNS = 32
    LATENCY = 33
    ORDER = 34
    PERSON = 35
    BACKGROUND = 36
    SENSOR = 37
    CLASS = 38


@dataclass(frozen=True)
class Experiment:
    """An experiment in which every subject meets every stimulus once, in an order of their own.

    Attributes:
        seed: Equal seeds give equal recordings.
        subjects: How many.
        stimuli: How many; stimulus k has the class k modulo `classes`.
        classes: How many.
        duration: Of a stimulus, seconds.
        sampling_rate: Hz.
        electrodes: Names of the 10-05 system.
        latency: Fixed or drifting.
        spread: Latencies lie between 0 and so many seconds.
        drift_seconds: Over which a drifting latency forgets where it was.
        band: Of the stimulus-locked sources, Hz.
        sources: How many of them.
        snr: Power of the stimulus-locked part over that of everything else without the class rhythm, dB, on average
            over heads and the electrodes of the 10-20 system.
        variation: Share of a spatial pattern's power that is a person's own: 0 makes all heads alike, 1 gives them
            nothing in common.
        strength: Amplitude of the class rhythm over that of the 1/f background. At 0 the class says nothing beyond
            which stimulus it was.

    Raises:
        BiosigError: If a number makes no sense, naming the field.
    """

    seed: int = 0
    subjects: int = 16
    stimuli: int = 8
    classes: int = 2
    duration: float = 60.0
    sampling_rate: float = 128.0
    electrodes: tuple[str, ...] = CAPS[32]
    latency: Latency = Latency.FIXED
    spread: float = 0.5
    drift_seconds: float = 10.0
    band: Band = (1.0, 8.0)
    sources: int = 4
    snr: float = -6.0
    variation: float = 0.3
    strength: float = 0.5

    def __post_init__(self) -> None:
        for name in ("subjects", "stimuli", "classes", "sources"):
            _expect(name, getattr(self, name), getattr(self, name) >= 1, "at least 1")
        for name in ("seed", "spread", "strength"):
            value = getattr(self, name)
            _expect(name, value, math.isfinite(value) and value >= 0, "0 or more")
        _expect("duration", self.duration, 1 <= self.duration <= 3600, "1 to 3600 s")
        _expect("sampling_rate", self.sampling_rate, 16 <= self.sampling_rate <= 10_000, "16 to 10000 Hz")
        _expect("drift_seconds", self.drift_seconds, 1 <= self.drift_seconds < math.inf, "1 s or more")
        _expect("snr", self.snr, math.isfinite(self.snr), "a number of dB")
        _expect("variation", self.variation, 0 <= self.variation <= 1, "0 to 1")
        low, high = self.band
        _expect("band", self.band, 0.2 <= low <= high - 0.5 and high <= 0.5 * self.sampling_rate, _BAND)
        electrode_positions(self.electrodes)

    def stimulus(self, number: int) -> Stimulus:
        """A stimulus, counted from 0: the same whoever meets it."""
        rng = np.random.default_rng([self.seed, Stream.STIMULUS, number])
        label = f"class-{number % self.classes + 1}"
        return Stimulus.draw(
            f"stimulus-{number + 1:02d}", label, rng, duration=self.duration, n_sources=self.sources, band=self.band
        )

    def order(self, subject: int) -> Int64[np.ndarray, " trial"]:
        """The stimulus of each trial of a subject, both counted from 0."""
        return np.random.default_rng([self.seed, Stream.ORDER, subject]).permutation(self.stimuli)


_BAND = "two frequencies at least 0.5 Hz apart, from 0.2 Hz to half the sampling rate"


def _expect(name: str, value: object, fine: bool, expected: str) -> None:
    if not fine:
        raise BiosigError(f"{name}: expected {expected}, got {value!r}")
