"""What is wrong with a recording as it came: gaps, flat and clipped channels, impossible ranges, wrong units, leads.

A flag is a fact about the samples, found by rule, and excludes nothing: who trains or tests decides what to leave out.
Two flags come from preprocessing, which looks for bad electrodes where it is told to (`biosig.preprocess.BadChannels`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float32, Float64, Int

from biosig.channels import parse, positions
from biosig.event_quality import outside, overlapping
from biosig.recording import Modality, Recording

# Microvolts. Surface ECG stays within some millivolts; beyond 20 mV an amplifier saturates or an electrode is off.
ECG_RANGE = 20_000.0
# Standard deviation of a typical channel, in microvolts, between which the unit can be what it is said to be. ECG in
# true millivolts read as microvolts has about 0.2, the other way round 200,000.
PLAUSIBLE = {Modality.ECG: (5.0, 10_000.0), Modality.EEG: (0.5, 5_000.0)}
FLAT_SECONDS = 1.0
PADDED_SECONDS = 0.5
SHORT_SECONDS = 2.5
# A smooth peak repeats its value for some samples too, but is reached gently and seldom twice at the same value: an
# amplifier at its limit is reached with a jump (as a fraction of the channel's range), or again and again.
CLIPPED_SAMPLES, CLIPPED_SECONDS, CLIPPED_JUMP, CLIPPED_TIMES = 5, 0.01, 0.05, 3
# Distinct values below which a channel is too coarse to tell a limit from a step of the converter.
CLIPPED_LEVELS = 64
# Residual of Einthoven's and Goldberger's equations, over the size of the leads in them. Real devices stay below 0.15.
LEADS_RESIDUAL = 0.2


class QualityFlag(StrEnum):
    """What can be wrong with a recording."""

    NAN = "nan"
    """Some sample is missing."""
    FLAT = "flat"
    """A channel does not move for a second or more (or not at all)."""
    PADDED = "padded"
    """Every channel stands still together, for half a second or more, at the beginning or at the end."""
    CLIPPED = "clipped"
    """A channel is cut off at its own highest or lowest value."""
    RANGE = "range"
    """An ECG channel goes beyond 20 mV."""
    UNIT = "unit"
    """ECG or EEG of a size that its unit makes impossible."""
    LEADS = "leads"
    """Limb leads that contradict Einthoven's or Goldberger's equations: misnamed, or of inconsistent gains."""
    CHECKSUM = "checksum"
    """The samples do not add up to the checksum in the file's own header."""
    SHORT = "short"
    """Shorter than 2.5 seconds, a column of a printed ECG."""
    UNCALIBRATED = "uncalibrated"
    """The header of a channel gives no scale; its samples are missing."""
    UNANNOTATED = "unannotated"
    """The corpus has labels or events for its recordings, but none for this one."""
    OVERLAP = "overlap"
    """Two events that exclude one another last at the same time, for more than a sample."""
    OUTSIDE = "outside"
    """An event begins before the recording or ends after it."""
    RATE = "rate"
    """Sampled at another rate than the corpus is."""
    UNKNOWN_UNIT = "unknown-unit"
    """An electrode or a lead for which the file names no unit, or one that is no voltage."""
    UNPLACED = "unplaced"
    """An EEG channel whose name does not tell where it sits."""
    BAD_CHANNELS = "bad-channels"
    """The preprocessing found bad electrodes, and mended or marked them: `meta["bad_channels"]` names them."""
    UNMENDED = "unmended"
    """So many electrodes were bad that the preprocessing left all of them as they are."""


#: What each means, for a person.
WORDS: Mapping[str, str] = {
    QualityFlag.NAN: "samples are missing",
    QualityFlag.FLAT: "a channel stands still for a second or more",
    QualityFlag.PADDED: "all channels stand still at the beginning or the end",
    QualityFlag.CLIPPED: "a channel is cut off at its highest or lowest value",
    QualityFlag.RANGE: "an ECG channel goes beyond 20 mV",
    QualityFlag.UNIT: "too large or too small for the unit that is named",
    QualityFlag.LEADS: "limb leads do not add up by Einthoven and Goldberger: misnamed, or of unequal gains",
    QualityFlag.CHECKSUM: "samples do not add up to the file's own checksum",
    QualityFlag.SHORT: "shorter than 2.5 s",
    QualityFlag.UNCALIBRATED: "a channel has no scale",
    QualityFlag.UNANNOTATED: "no labels or events, though the corpus has them",
    QualityFlag.OVERLAP: "events that exclude one another overlap",
    QualityFlag.OUTSIDE: "an event lies outside the recording",
    QualityFlag.RATE: "another sampling rate than the corpus has",
    QualityFlag.UNKNOWN_UNIT: "no unit of voltage is named",
    QualityFlag.UNPLACED: "an EEG channel whose name tells no place",
    QualityFlag.BAD_CHANNELS: "bad electrodes were mended or marked",
    QualityFlag.UNMENDED: "too many bad electrodes to mend",
}


def in_words(found: Iterable[str]) -> str:
    """Flags with what they mean, in a line; flags that nobody knows stand as they are."""
    return "; ".join(f"{flag} ({WORDS[flag]})" if flag in WORDS else flag for flag in found)


def flags(recording: Recording) -> tuple[str, ...]:
    """The sorted names of everything that is wrong with a recording, before any preprocessing.

    Flags that a reader has found already (`meta["flags"]`) are kept.
    """
    found = {str(flag) for flag in recording.meta.get("flags", ())}
    if recording.duration < SHORT_SECONDS:
        found.add(QualityFlag.SHORT.value)
    found |= {flag.value for flag, holds in _FACTS.items() if holds(recording)}
    # A trigger channel is flat and clipped by nature.
    rows = [row for row, kind in enumerate(recording.modality) if kind is not Modality.STIMULUS]
    if rows and recording.n_times:
        look = _Look(recording, rows)
        found |= {flag.value for flag, holds in _RULES.items() if holds(look)}
    return tuple(sorted(found))


# Rounding of onsets, and a last event that ends with the last sample, are no mistakes.
_SAMPLES = 1.001


def _overlap(recording: Recording) -> bool:
    # Sources may spell a channel otherwise than it is named here.
    texts = {event.text for event in recording.events if event.text}
    channels = {text for text in texts if parse(text).name in recording.channels}
    return bool(overlapping(recording.events, _SAMPLES / recording.sampling_rate, channels))


def _outside(recording: Recording) -> bool:
    return bool(outside(recording.events, recording.duration, _SAMPLES / recording.sampling_rate))


def _unknown_unit(recording: Recording) -> bool:
    # Readers list the units that are no voltage, the missing ones among them.
    return any(parse(name).modality in PLAUSIBLE for name in recording.meta.get("units", {}))


def _unplaced(recording: Recording) -> bool:
    rows = np.array([kind is Modality.EEG for kind in recording.modality], dtype=bool)
    return bool(np.isnan(positions(recording.channels, recording.modality)[rows]).any())


_FACTS: dict[QualityFlag, Callable[[Recording], bool]] = {
    QualityFlag.OVERLAP: _overlap,
    QualityFlag.OUTSIDE: _outside,
    QualityFlag.UNKNOWN_UNIT: _unknown_unit,
    QualityFlag.UNPLACED: _unplaced,
}


class _Look:
    """What several rules need to know of a recording, computed once."""

    def __init__(self, recording: Recording, rows: list[int]) -> None:
        whole = len(rows) == len(recording.modality)
        self.x = recording.signal if whole else recording.signal[rows]
        self.rate = recording.sampling_rate
        self.channels = tuple(recording.channels[row] for row in rows)
        self.modality = tuple(recording.modality[row] for row in rows)
        self.high, self.low = self.x.max(axis=1), self.x.min(axis=1)
        # A gap spreads to the extremes of its channel, so most recordings need no mask.
        self.gaps = not bool(np.isfinite(self.high - self.low).all())
        if self.gaps:
            known = np.isfinite(self.x)
            self.high = np.where(known, self.x, -np.inf).max(axis=1)
            self.low = np.where(known, self.x, np.inf).min(axis=1)
        self.moves = self.low < self.high
        # A thousand samples tell the size of a channel, and whether leads add up, as well as all of them.
        self.sample = self.x[:, :: max(self.x.shape[1] // 1000, 1)].astype(np.float64)
        self.variance = self.spread(self.sample)

    def spread(self, x: Float64[np.ndarray, "row sample"]) -> Float64[np.ndarray, " row"]:
        """Variance of what is known of each row."""
        if not self.gaps:
            return x.var(axis=1)
        known = np.isfinite(x)
        count = np.maximum(known.sum(axis=1, keepdims=True), 1)
        centred = np.where(known, x - np.where(known, x, 0).sum(axis=1, keepdims=True) / count, 0)
        return (centred**2).sum(axis=1) / count[:, 0]

    def samples(self, seconds: float) -> int:
        return max(round(seconds * self.rate), 1)

    def of(self, modality: Modality) -> Bool[np.ndarray, " channel"]:
        return np.array([kind is modality for kind in self.modality])


def _nan(look: _Look) -> bool:
    return look.gaps


def _flat(look: _Look) -> bool:
    if not look.moves.all():
        return True
    # A still second holds a still half-second on the grid of half-seconds: only those channels are walked through.
    half = max(look.samples(FLAT_SECONDS) // 2, 1)
    count = look.x.shape[1] // half
    blocks = look.x[:, : count * half].reshape(len(look.x), count, half)
    suspects = np.flatnonzero((blocks.max(axis=2) == blocks.min(axis=2)).any(axis=1))
    return any(int(_runs(look.x[row])[1].max()) >= look.samples(FLAT_SECONDS) for row in suspects)


def _padded(look: _Look) -> bool:
    n = look.samples(PADDED_SECONDS)
    if n >= look.x.shape[1] or not look.moves.any():
        return False
    ends = (look.x[:, :n], look.x[:, -n:])
    return any(bool((end[:, 0] == end[:, -1]).all() and (end == end[:, :1]).all()) for end in ends)


def _clipped(look: _Look) -> bool:
    enough = max(CLIPPED_SAMPLES, look.samples(CLIPPED_SECONDS))
    for limit in (look.high, look.low):
        at_limit = look.x == limit[:, None]
        # Counting all at once is many times cheaper, and every channel that moves is at its limit once.
        if np.count_nonzero(at_limit) < np.count_nonzero(look.moves) + enough - 1:
            continue
        there = np.count_nonzero(at_limit, axis=1)
        if any(_cut_off(look.x[row], limit[row], enough) for row in np.flatnonzero((there >= enough) & look.moves)):
            return True
    return False


def _cut_off(x: Float32[np.ndarray, " time"], limit: np.float32, enough: int) -> bool:
    """Whether a channel stays at this extreme of its own as an amplifier does, and not as a smooth peak does."""
    starts, lengths = _runs(x)
    long = np.flatnonzero((x[starts] == limit) & (lengths >= enough))
    if len(long) == 0 or len(np.unique(x)) < CLIPPED_LEVELS:
        return False
    values = x[starts]
    neighbours = np.concatenate([values[long[long > 0] - 1], values[long[long < len(values) - 1] + 1]])
    jump = np.nanmax(np.abs(neighbours - limit), initial=0.0)
    return bool(jump >= CLIPPED_JUMP * (np.nanmax(x) - np.nanmin(x)) or len(long) >= CLIPPED_TIMES)


def _runs(x: Float32[np.ndarray, " time"]) -> tuple[Int[np.ndarray, " run"], Int[np.ndarray, " run"]]:
    """Starts and lengths of the stretches of equal samples."""
    starts = np.concatenate([[0], np.flatnonzero(x[1:] != x[:-1]) + 1])
    return starts, np.diff(starts, append=len(x))


def _range(look: _Look) -> bool:
    ecg = look.of(Modality.ECG)
    return bool((np.maximum(look.high, -look.low)[ecg] > ECG_RANGE).any())


def _unit(look: _Look) -> bool:
    for modality, (least, most) in PLAUSIBLE.items():
        rows = look.of(modality) & look.moves
        if not rows.any():
            continue
        if not least <= np.median(np.sqrt(look.variance[rows])) <= most:
            return True
    return False


def _leads(look: _Look) -> bool:
    row = {
        name: row
        for row, (name, kind) in enumerate(zip(look.channels, look.modality, strict=True))
        if kind is Modality.ECG and look.moves[row]
    }
    equations = [equation for equation in _EQUATIONS if all(name in row for name in equation)]
    if not equations:
        return False
    weights, involved = np.zeros((2, len(equations), len(look.x)))
    for k, equation in enumerate(equations):
        for name, weight in equation.items():
            weights[k, row[name]], involved[k, row[name]] = weight, 1 / len(equation)
    used = involved.any(axis=0)
    # Leads may have offsets of their own; only what moves must add up.
    residual = look.spread(weights[:, used] @ look.sample[used])
    return bool((residual > LEADS_RESIDUAL**2 * (involved[:, used] @ look.variance[used])).any())


# Each sums to zero, whatever the heart does: Einthoven's law and Goldberger's augmented leads.
_EQUATIONS = (
    {"I": 1.0, "II": -1.0, "III": 1.0},
    {"aVR": 1.0, "I": 0.5, "II": 0.5},
    {"aVL": 1.0, "I": -0.5, "III": 0.5},
    {"aVF": 1.0, "II": -0.5, "III": -0.5},
)
_RULES: dict[QualityFlag, Callable[[_Look], bool]] = {
    QualityFlag.NAN: _nan,
    QualityFlag.FLAT: _flat,
    QualityFlag.PADDED: _padded,
    QualityFlag.CLIPPED: _clipped,
    QualityFlag.RANGE: _range,
    QualityFlag.UNIT: _unit,
    QualityFlag.LEADS: _leads,
}
