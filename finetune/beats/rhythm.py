"""Atrial fibrillation or flutter over time, from the irregularity of RR intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float64
from pydantic import Field, PositiveFloat
from sklearn.linear_model import LogisticRegression

from biosig.recording import Recording
from finetune.beats.choices import Context
from pretrain.specs.architecture import Spec

#: Seconds of a window.
WINDOW = 30.0
FIBRILLATION, FLUTTER = "(AFIB", "(AFL"
FEATURES = ("1 apart", "2 apart", "3 apart", "4 apart", "least", "quadratic entropy", "rate")
_LAGS = (1, 2, 3, 4)
_LEAST_INTERVALS = 8
# Added to relative differences before the logarithm: about what a sampling of 360 Hz cannot tell.
_FLOOR = 0.005
_TOLERANCE = 0.05
_SHORTEST_EPISODE = 15.0

_Each = Field(min_length=len(FEATURES), max_length=len(FEATURES))


class RhythmModel(Spec):
    """A logistic regression on standardised features.

    Attributes:
        mean: Of each feature in training.
        scale: Its standard deviation.
        weights: Of each.
        intercept: Log odds at the mean, both rhythms as frequent.
    """

    mean: tuple[float, ...] = _Each
    scale: tuple[PositiveFloat, ...] = _Each
    weights: tuple[float, ...] = _Each
    intercept: float

    def probability(self, features: Float64[np.ndarray, "window feature"]) -> Float64[np.ndarray, " window"]:
        """Of fibrillation or flutter; NaN where the features are not known."""
        z = (features - self.mean) / self.scale
        return np.asarray(1 / (1 + np.exp(-(z @ np.asarray(self.weights) + self.intercept))))


@dataclass(frozen=True)
class Windows:
    """Windows of one record.

    Attributes:
        begin: Seconds.
        features: See `irregularity`.
        fibrillation: At least half of it is fibrillation.
        flutter: At least half of it is flutter, or flutter and fibrillation together.
    """

    begin: Float64[np.ndarray, " window"]
    features: Float64[np.ndarray, "window feature"]
    fibrillation: Bool[np.ndarray, " window"]
    flutter: Bool[np.ndarray, " window"]


@dataclass(frozen=True)
class Episode:
    """A stretch of fibrillation or flutter, seconds."""

    begin: float
    end: float


def irregularity(peaks: Float64[np.ndarray, " beat"]) -> Float64[np.ndarray, " feature"]:
    r"""Seven numbers of the beats of a window, in the order of `FEATURES`; NaN with fewer than 8 intervals.

    For k = 1 to 4 the median of |rr_i - rr_{i-k}| over the median interval, as log(0.005 + .), and the least of the
    four: a rhythm that repeats every second or third beat (bigeminy, trigeminy) is regular at that k, fibrillation at
    none. Then the quadratic sample entropy of relative intervals with m = 1, r = 0.05,

        -log(A / B) + log(2 r),

    where B counts pairs of intervals closer than r and A those whose next intervals are close too (one added to each);
    and log of the median interval.

    References:
        Lake, Moorman, Accurate estimation of entropy in very short physiological time series, Am. J. Physiol. 300
        (2011).
    """
    rr = np.diff(peaks)
    if len(rr) < _LEAST_INTERVALS:
        return np.full(len(FEATURES), np.nan)
    median = np.median(rr)
    apart = [float(np.log(_FLOOR + np.median(np.abs(rr[k:] - rr[:-k])) / median)) for k in _LAGS]
    close = np.abs(np.subtract.outer(rr, rr)) / median < _TOLERANCE
    pairs = np.triu(np.ones((len(rr) - 1,) * 2, bool), 1)
    here, both = (close[:-1, :-1] & pairs).sum(), (close[:-1, :-1] & close[1:, 1:] & pairs).sum()
    entropy = float(np.log((here + 1) / (both + 1)) + np.log(2 * _TOLERANCE))
    return np.array([*apart, min(apart), entropy, float(np.log(median))])


def windows(recording: Recording, peaks: Float64[np.ndarray, " beat"]) -> Windows:
    """The windows of `WINDOW` seconds, one after another, in which there are enough beats."""
    begin = np.arange(0, recording.duration - WINDOW / 2, WINDOW)
    features = np.array([_of_window(peaks, one) for one in begin]).reshape(-1, len(FEATURES))
    shares = {code: np.array([_share(recording, code, one) for one in begin]) for code in (FIBRILLATION, FLUTTER)}
    fibrillation = shares[FIBRILLATION] >= 0.5
    either = shares[FIBRILLATION] + shares[FLUTTER] >= 0.5
    known = np.isfinite(features).all(axis=1)
    return Windows(begin[known], features[known], fibrillation[known], (either & ~fibrillation)[known])


def fit(found: Sequence[Windows]) -> RhythmModel:
    """A logistic regression over all windows of some people, both rhythms as frequent.

    Raises:
        ValueError: If there is only one rhythm.
    """
    x = np.concatenate([one.features for one in found])
    y = np.concatenate([one.fibrillation | one.flutter for one in found])
    if y.all() or not y.any():
        raise ValueError("expected windows with and without atrial fibrillation or flutter")
    mean, scale = x.mean(0), np.maximum(x.std(0), 1e-6)
    model = LogisticRegression(C=0.1, class_weight="balanced", max_iter=1000).fit((x - mean) / scale, y)
    return RhythmModel(
        mean=tuple(mean.tolist()),
        scale=tuple(scale.tolist()),
        weights=tuple(model.coef_[0].tolist()),
        intercept=float(model.intercept_[0]),
    )


def at_beats(
    peaks: Float64[np.ndarray, " beat"], context: Context = Context.BOTH
) -> Float64[np.ndarray, "beat feature"]:
    """`irregularity` of the window about each beat; without the future, of the window that it ends."""
    ahead = WINDOW / 2 if context is Context.BOTH else 0.0
    first = np.searchsorted(peaks, peaks + ahead - WINDOW)
    end = np.searchsorted(peaks, peaks + ahead, side="right")
    found = [irregularity(peaks[one:other]) for one, other in zip(first, end, strict=True)]
    return np.array(found).reshape(-1, len(FEATURES))


def episodes(peaks: Float64[np.ndarray, " beat"], probability: Float64[np.ndarray, " beat"]) -> list[Episode]:
    """Runs of beats at a probability of one half or more that last 15 s or more."""
    inside = np.nan_to_num(probability) >= 0.5
    steps = np.diff(inside.astype(np.int8), prepend=0, append=0)
    runs = zip(np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1, strict=True)
    found = [Episode(float(peaks[first]), float(peaks[last])) for first, last in runs]
    return [one for one in found if one.end - one.begin >= _SHORTEST_EPISODE]


def annotated_stretches(recording: Recording) -> list[tuple[float, float]]:
    """What annotators called fibrillation or flutter: begin and end, seconds."""
    both = [event for event in recording.events if event.code in (FIBRILLATION, FLUTTER)]
    return [(event.onset, event.onset + event.duration) for event in both]


def _of_window(peaks: Float64[np.ndarray, " beat"], begin: float) -> Float64[np.ndarray, " feature"]:
    first, last = np.searchsorted(peaks, [begin, begin + WINDOW])
    return irregularity(peaks[first:last])


def _share(recording: Recording, code: str, begin: float) -> float:
    """How much of a window is of a rhythm."""
    inside = [
        min(event.onset + event.duration, begin + WINDOW) - max(event.onset, begin)
        for event in recording.events
        if event.code == code
    ]
    return sum(max(part, 0.0) for part in inside) / WINDOW
