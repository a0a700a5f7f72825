"""From a recording and the times of its beats to what a network reads: windows of signal, and RR features."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, Int8

from biosig.plot import annotated_beats
from biosig.recording import Recording
from finetune.beats.aami import BEATS, beat_class
from finetune.beats.choices import Context
from finetune.beats.rhythm import at_beats
from finetune.beats.rr import HALF, rr_features
from finetune.delineation.intake import intake

#: Hz inside the network.
RATE = 128.0
#: Samples of a window before and after the R peak: 375 ms each, from P to most of T.
REACH = 48
#: Samples by which a window may be moved in training.
MARGIN = 4
_BLOCK = 16
_FLAT = 1e-3
_MOST = 10.0
UNKNOWN = -1


@dataclass(frozen=True)
class Strip:
    """The beats of one recording.

    Attributes:
        record_id: Whose.
        subject_id: The person.
        peaks: Seconds.
        windows: Of each beat and lead: the signal about its R peak, and the same less the person's running median
            beat; both in units of the standard deviation of that median beat.
        rr: See `rr_features`.
        irregularity: Of the half minute about each beat; see `rhythm.at_beats`.
        labels: Place in `BEATS`, or -1 where there is none.
    """

    record_id: str
    subject_id: str
    peaks: Float64[np.ndarray, " beat"]
    windows: Float32[np.ndarray, "beat lead 2 time"]
    rr: Float32[np.ndarray, "beat feature"]
    irregularity: Float64[np.ndarray, "beat number"]
    labels: Int8[np.ndarray, " beat"]

    def __len__(self) -> int:
        return len(self.peaks)


def annotated_classes(recording: Recording) -> tuple[Float64[np.ndarray, " beat"], Int8[np.ndarray, " beat"]]:
    """Seconds of the annotated beats of a recording, and their places in `BEATS`."""
    found = [(event.onset, beat_class(event.code)) for event in annotated_beats(recording)]
    known = [(onset, kind) for onset, kind in found if kind is not None and 0 <= onset < recording.duration]
    peaks = np.array([onset for onset, _ in known], dtype=np.float64)
    return peaks, np.array([BEATS.index(kind) for _, kind in known], dtype=np.int8)


def labelled_strip(recording: Recording, context: Context = Context.BOTH) -> Strip:
    """The annotated beats of a recording, with their classes."""
    peaks, labels = annotated_classes(recording)
    return strip(recording, peaks, labels, context)


def strip(
    recording: Recording,
    peaks: Float64[np.ndarray, " beat"],
    labels: Int8[np.ndarray, " beat"] | None = None,
    context: Context = Context.BOTH,
) -> Strip:
    """The beats of a recording at the given times.

    Raises:
        ModelError: If there is no ECG, or less than a second of it.
    """
    x = intake(recording, RATE)
    cut = windows(x, peaks)
    median = median_beats(cut, context)
    scale = np.maximum(median.std(axis=-1, keepdims=True), _FLAT)
    both = np.stack([cut, cut - median], axis=2) / scale[:, :, None]
    # A lead that shows nothing stays flat, so that the network leaves it out.
    both[cut.std(axis=-1) < _FLAT] = 0
    return Strip(
        recording.record_id,
        recording.subject_id,
        peaks,
        np.clip(both, -_MOST, _MOST).astype(np.float32),
        rr_features(peaks, context),
        at_beats(peaks, context),
        np.full(len(peaks), UNKNOWN, np.int8) if labels is None else labels,
    )


def windows(
    x: Float32[np.ndarray, "lead time"], peaks: Float64[np.ndarray, " beat"]
) -> Float32[np.ndarray, "beat lead time"]:
    """The signal about each peak, less its own mean; beyond the ends the last value stands."""
    half = REACH + MARGIN
    padded = np.pad(x, ((0, 0), (half, half)), mode="edge")
    first = np.clip(np.rint(peaks * RATE).astype(np.int64), 0, x.shape[1] - 1)
    cut = padded[:, first[:, None] + np.arange(2 * half)].transpose(1, 0, 2)
    return np.asarray(cut - cut.mean(axis=-1, keepdims=True))


def median_beats(cut: Float32[np.ndarray, "beat lead time"], context: Context) -> Float32[np.ndarray, "beat lead time"]:
    """The median beat of the person about each beat, lead by lead.

    Taken anew every 16 beats: over `HALF` beats before and after the middle of the sixteen, or without the future over
    the 2 `HALF` beats before the first of them (itself included; the first 16 beats each take those so far).
    """
    median = np.empty_like(cut)
    for begin, end, first, last in _stretches(len(cut), context):
        median[begin:end] = np.median(cut[first:last], axis=0)
    return median


def _stretches(n: int, context: Context) -> Iterator[tuple[int, int, int, int]]:
    """Which beats get the median of which."""
    if context is Context.BOTH:
        for begin in range(0, n, _BLOCK):
            middle = begin + _BLOCK // 2
            yield begin, min(begin + _BLOCK, n), max(middle - HALF, 0), min(middle + HALF + 1, n)
    else:
        for begin in range(min(_BLOCK, n)):
            yield begin, begin + 1, 0, begin + 1
        for begin in range(_BLOCK, n, _BLOCK):
            yield begin, min(begin + _BLOCK, n), max(begin - 2 * HALF, 0), begin + 1
