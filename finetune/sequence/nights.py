"""Nights cut into epochs of 30 seconds: a log spectrogram of each channel, and the stage that a scorer gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from jaxtyping import Float16, Float32, Int8
from scipy.signal import stft

from biosig.corpora import CORPORA
from biosig.errors import BiosigError
from biosig.recording import Event, Modality, Recording
from biosig.resample import bridge, resample
from biosig.store import Store
from ontology import crosswalk
from pretrain.errors import ModelError

#: As the AASM names them; what Rechtschaffen and Kales call stages 3 and 4 is N3.
STAGES = ("W", "N1", "N2", "N3", "R")
CONCEPTS = tuple(f"biosig:stage-{name.lower()}" for name in STAGES)
EPOCH, RATE = 30.0, 100.0
#: A stage is not known.
UNKNOWN = -1
#: Bins of 0.5 Hz to 8 Hz, then of 1 and 2 Hz to 36 Hz: narrow where sleep differs most.
EDGES = np.concatenate([np.arange(0.5, 8, 0.5), np.arange(8, 16, 1.0), np.arange(16, 37, 2.0)])
BINS = len(EDGES) - 1
_SEGMENT, _HOP = 2.0, 1.5
FRAMES = int((EPOCH - _SEGMENT) / _HOP) + 1
# Microvolts squared a hertz: a dead channel.
_FLOOR = 1e-4
_SYSTEMS = ("edf-sleep", "aasm", "rechtschaffen-kales")
_KINDS = (Modality.EEG, Modality.EOG)
# Wake before the first and after the last epoch of sleep that is kept, in epochs: half an hour.
_WAKE = 60


@dataclass(frozen=True)
class Night:
    """One recording.

    Attributes:
        record: Its name.
        subject: Whose.
        spectra: Natural logarithm of microvolts squared a hertz; a channel that is one gap is NaN.
        stage: Number in `STAGES`, or `UNKNOWN`.
    """

    record: str
    subject: str
    spectra: Float16[np.ndarray, "epoch channel bin frame"]
    stage: Int8[np.ndarray, " epoch"]

    def part(self, first: int, last: int) -> Night:
        """Some of its epochs."""
        return Night(self.record, self.subject, self.spectra[first:last], self.stage[first:last])


def spectra(recording: Recording, channels: Sequence[str]) -> Float16[np.ndarray, "epoch channel bin frame"]:
    """A log spectrogram of each whole epoch: Hann windows of 2 s, every 1.5 s, in bands of 0.5 to 2 Hz up to 36 Hz.

    Nothing but the epoch itself is looked at (and a few samples beside it, in resampling to 100 Hz); there are no
    statistics of the night.

    Args:
        recording: At any rate.
        channels: In the order they are wanted; one that is not there, or only a gap, is NaN.

    Raises:
        ModelError: If none of them is there, or not one epoch.
    """
    there = [name for name in channels if name in recording.channels]
    name = recording.record_id or "recording"
    if not there:
        raise ModelError(f"{name}: expected one of {', '.join(channels)}, got {', '.join(recording.channels)}")
    picked = recording.pick(there)
    gone = ~np.isfinite(picked.signal).any(axis=1)
    x = resample(bridge(np.array(picked.signal))[0], picked.sampling_rate, RATE)
    epochs = int((x.shape[1] + 0.5) / (EPOCH * RATE))
    if epochs < 1:
        raise ModelError(f"{name}: expected an epoch of {EPOCH:g} s or more, got {recording.duration:.3g} s")
    cut = x[:, : int(epochs * EPOCH * RATE)].reshape(len(there), epochs, -1)
    found = np.full((epochs, len(channels), BINS, FRAMES), np.nan, np.float16)
    for place, one in enumerate(cut):
        if not gone[place]:
            found[:, channels.index(there[place])] = _log_power(one)
    return found


def _log_power(epochs: Float32[np.ndarray, "epoch time"]) -> Float32[np.ndarray, "epoch bin frame"]:
    samples = round(_SEGMENT * RATE)
    frequency, _, z = stft(
        epochs, RATE, window="hann", nperseg=samples, noverlap=samples - round(_HOP * RATE),
        boundary=None, padded=False, detrend="constant", scaling="psd",
    )  # fmt: skip
    # One-sided: every frequency stands for its negative as well.
    power = 2 * np.square(np.abs(z))
    which = [(frequency >= low) & (frequency < high) for low, high in pairwise(EDGES)]
    return np.log(np.stack([power[:, one].mean(axis=1) for one in which], axis=1) + _FLOOR)


def stages_of(events: Sequence[Event], epochs: int) -> Int8[np.ndarray, " epoch"]:
    """The stage that covers most of each epoch, if it covers more than half."""
    seconds = np.zeros((epochs, len(STAGES)))
    for event in events:
        stage = stage_of(event.code)
        if stage == UNKNOWN:
            continue
        first, last = event.onset / EPOCH, (event.onset + event.duration) / EPOCH
        for epoch in range(max(int(first), 0), min(int(np.ceil(last)), epochs)):
            seconds[epoch, stage] += min(last, epoch + 1) - max(first, epoch)
    best = seconds.argmax(axis=1)
    return np.where(seconds.max(axis=1) > 0.5, best, UNKNOWN).astype(np.int8)


@lru_cache(maxsize=256)
def stage_of(code: str) -> int:
    """The number of a stage in `STAGES`, by the crosswalks of the ontology; `UNKNOWN` for other words."""
    for system in _SYSTEMS:
        if crosswalk.listed(system, code):
            found = crosswalk.concepts(system, code) & set(CONCEPTS)
            return CONCEPTS.index(min(found)) if found else UNKNOWN
    return UNKNOWN


def trimmed(night: Night) -> Night:
    """Half an hour of wake before the first and after the last epoch of sleep; all if nobody slept.

    A cassette of Sleep-EDF runs for a day: otherwise wake would be four of five epochs.
    """
    asleep = np.flatnonzero(night.stage > 0)
    if not len(asleep):
        return night
    return night.part(max(int(asleep[0]) - _WAKE, 0), int(asleep[-1]) + 1 + _WAKE)


@dataclass(frozen=True)
class Nights:
    """What a source holds.

    Attributes:
        corpus: Its name.
        channels: The EEG and EOG channels of the nights.
        nights: With at least one known stage.
        skipped: What was left out, and why.
    """

    corpus: str
    channels: tuple[str, ...]
    nights: list[Night]
    skipped: list[str]


def read_nights(
    source: Path, channels: Sequence[str] | None = None, *, say: Callable[[str], None] = lambda _: None
) -> Nights:
    """The nights of a store, or of a folder of Sleep-EDF as it is downloaded.

    Args:
        source: Store or folder.
        channels: Which; by default the EEG and EOG channels of the first night.
        say: Told what is read.

    Raises:
        BiosigError: If it holds no night with a stage.
    """
    corpus, recordings = _recordings(source)
    wanted = tuple(channels) if channels else ()
    nights, skipped = [], []
    for name, read in recordings:
        say(f"reading {name}")
        try:
            recording = read()
            if not wanted:
                kinds = zip(recording.channels, recording.modality, strict=True)
                wanted = tuple(channel for channel, kind in kinds if kind in _KINDS)
                if not wanted:
                    raise ModelError(f"{name}: expected EEG or EOG channels, got {', '.join(recording.channels)}")
            cut = spectra(recording, wanted)
        except BiosigError as error:
            skipped.append(str(error))
            continue
        night = trimmed(Night(name, recording.subject_id, cut, stages_of(recording.events, len(cut))))
        if (night.stage != UNKNOWN).any():
            nights.append(night)
        else:
            skipped.append(f"{name}: no stage of sleep among its events")
    if not nights:
        why = f": {skipped[0]}" if skipped else ""
        raise BiosigError(f"{source}: no night with stages of sleep{why}")
    return Nights(corpus, wanted, nights, skipped)


def _recordings(source: Path) -> tuple[str, Iterable[tuple[str, Callable[[], Recording]]]]:
    """The name of the corpus; of each recording its name, and what reads it."""
    if (source / "store.json").is_file():
        store = Store(source)
        rows = range(len(store))
        return store.info.corpus.name, ((store.record(row), partial(store.recording, row)) for row in rows)
    corpus = CORPORA["sleep-edf"]
    return corpus.name, ((entry.record_id, partial(corpus.read, entry)) for entry in corpus.find(source))
