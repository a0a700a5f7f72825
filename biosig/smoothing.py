"""Features smoothed over time: a moving average, and the linear dynamical system of EEG emotion recognition.

Time is the first axis everywhere, and any features follow: the `(window, channel, band)` of differential entropy goes
in as it is. Each variant says whether it looks ahead: what is reported as causal must not.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

from biosig.errors import BiosigError

# The ratio of variances is looked for on a grid over these decades, which then closes in on the best point.
_DECADES, _POINTS, _ROUNDS = (-6.0, 6.0), 13, 4
# Values filtered at once.
_MOST_AT_ONCE = 1 << 22


def moving_average(
    x: Float[np.ndarray, " time *feature"], width: int, *, causal: bool = False
) -> Float64[np.ndarray, " time *feature"]:
    """The mean of `width` neighbours in time, of those that are known.

    Causal: of the sample and the `width - 1` before it. Otherwise the sample stands in the middle (for an even width
    one more follows than precedes). At the ends the window is cut, not filled.

    Args:
        x: NaN where unknown; the mean over a window without anything known is NaN.
        width: Samples.
        causal: See above.

    Raises:
        BiosigError: If the width is not positive.
    """
    if width < 1:
        raise BiosigError(f"width: expected at least one sample, got {width}")
    before, after = (width - 1, 0) if causal else ((width - 1) // 2, width // 2)
    known = np.isfinite(x)
    wide = np.where(known, x, 0.0).astype(np.float64)
    # Summed window by window: a difference of running sums would let the past into digits of a causal result.
    sums = np.zeros_like(wide)
    count = np.zeros(wide.shape, dtype=np.int64)
    for lag in range(-min(before, len(x)), min(after, len(x)) + 1):
        here, there = slice(max(-lag, 0), max(len(x) - lag, 0)), slice(max(lag, 0), max(len(x) + lag, 0))
        sums[here] += wide[there]
        count[here] += known[there]
    with np.errstate(invalid="ignore"):
        return np.where(count > 0, sums / np.maximum(count, 1), np.nan)


@dataclass(frozen=True, eq=False)
class Dynamics:
    r"""A random walk seen through noise:

        z_t = z_(t-1) + v_t,  v_t ~ N(0, process),
        x_t = z_t + w_t,      w_t ~ N(0, observation),

    with nothing known of z before the first observation (a flat prior), so that no statistics of the stream leak in.
    The estimates depend on the ratio r = process / observation only; the filter remembers about 1 / sqrt(r) samples.
    The default, r = 0.01, remembers about ten; it comes from no paper.

    Attributes:
        process: Variance of a step of the walk: one for all features, or of their shape.
        observation: Variance of the noise.

    Raises:
        BiosigError: If a variance is not positive and finite.
    """  # noqa: D415 -- the formula ends the sentence

    process: Float64[np.ndarray, "*feature"] | float = 0.01
    observation: Float64[np.ndarray, "*feature"] | float = 1.0

    def __post_init__(self) -> None:
        for name in ("process", "observation"):
            value = np.asarray(getattr(self, name), dtype=np.float64)
            if not (np.isfinite(value).all() and (value > 0).all()):
                raise BiosigError(f"{name}: expected positive variances, got {np.min(value):g} to {np.max(value):g}")


def lds(
    x: Float[np.ndarray, " time *feature"], dynamics: Dynamics | None = None, *, causal: bool = False
) -> Float64[np.ndarray, " time *feature"]:
    """Features smoothed by a linear dynamical system, each by its own.

    Shi and Lu take vigilance for a hidden linear process and the feature for a noisy view of it; here their transition
    is one and their offsets are zero, which makes it a random walk. On-line is the Kalman filter, the mean of
    z_t given x_1..x_t, which is causal; off-line is the Rauch-Tung-Striebel smoother, the mean given the whole stream,
    which is not. They fix the variances by experience or find the most likely ones; so can you: give `Dynamics` of
    your own, or those that `fit_dynamics` found **on training data**.

    Args:
        x: NaN where unknown: the walk goes on without being seen. Before the first observation of a feature the filter
            has nothing to say (NaN); the smoother looks back from it. A feature never seen stays NaN.
        dynamics: The variances; see `Dynamics` for the default.
        causal: Whether to filter rather than smooth.

    References:
        Shi and Lu, Off-line and on-line vigilance estimation based on linear dynamical system and manifold learning,
        EMBC 2010. Rauch, Tung and Striebel, AIAA Journal 3 (1965).
    """
    flat = _flat(x)
    process, observation = _variances(dynamics or Dynamics(), x.shape[1:])
    mean, variance = _filter(flat, process, observation)
    return (mean if causal else _smooth(mean, variance, process)).reshape(x.shape)


def fit_dynamics(sequences: Sequence[Float[np.ndarray, " time *feature"]]) -> Dynamics:
    """The variances of each feature that make sequences most likely.

    This is the maximum that expectation-maximisation climbs to. Only the ratio of the two variances needs a search,
    for the best common scale follows from it:

        L(r) = -1/2 sum_t ln F_t - n/2 ln (1/n sum_t e_t^2 / F_t),

    with the innovations e_t and their variances F_t of the filter for process = r and observation = 1.

    All of each sequence is used: a causal result needs variances from other sequences than it smooths.

    Args:
        sequences: Of any lengths, with the same features; NaN where unknown.

    Returns:
        Variances of the features' shape; the ratio lies between 1e-6 and 1e6, exact to half a percent. A feature that
        never moves, or is predicted fewer than twice, tells nothing: it has the default ones.

    Raises:
        BiosigError: If there is no sequence, or features differ.

    References:
        Harvey, Forecasting, structural time series models and the Kalman filter (1989), section 4.2, for the scale.
        Shumway and Stoffer, An approach to time series smoothing and forecasting using the EM algorithm, J. Time Series
        Analysis 3 (1982).
    """
    shapes = {np.shape(sequence)[1:] for sequence in sequences}
    if len(shapes) != 1:
        raise BiosigError(f"expected sequences of the same features, got {sorted(shapes) or 'none'}")
    (shape,) = shapes
    features = math.prod(shape)
    # Shorter sequences are followed by nothing: what is not seen says nothing of the variances.
    stacked = np.full((max(map(len, sequences)), len(sequences), features), np.nan)
    for number, sequence in enumerate(sequences):
        stacked[: len(sequence), number] = _flat(sequence)
    found = np.empty((2, features))
    block = max(_MOST_AT_ONCE // max(stacked[:, :, 0].size, 1), 1) if features else 1
    for first in range(0, features, block):
        found[:, first : first + block] = _most_likely(stacked[:, :, first : first + block])
    return Dynamics(found[0].reshape(shape), found[1].reshape(shape))


def _most_likely(x: Float64[np.ndarray, "time sequence feature"]) -> Float64[np.ndarray, "2 feature"]:
    """Process and observation variances of each feature."""
    centre, reach = np.zeros(x.shape[2]), _DECADES[1]
    for _ in range(_ROUNDS):
        offsets = np.linspace(-reach, reach, _POINTS)
        heights = np.stack([_likelihood(x, 10 ** (centre + offset))[0] for offset in offsets])
        centre = np.clip(centre + offsets[heights.argmax(axis=0)], *_DECADES)
        reach = offsets[-1] - offsets[-2]
    ratio = 10**centre
    _, scale, enough = _likelihood(x, ratio)
    default = np.array([[Dynamics.process], [Dynamics.observation]])
    return np.where(enough & (scale > 0), np.stack([scale * ratio, scale]), default)


def _likelihood(
    x: Float64[np.ndarray, "time sequence feature"], ratio: Float64[np.ndarray, " feature"]
) -> tuple[Float64[np.ndarray, " feature"], Float64[np.ndarray, " feature"], Bool[np.ndarray, " feature"]]:
    """Log-likelihood at the best scale, that scale, and whether there is anything to go by."""
    process = np.tile(ratio, x.shape[1])
    flat = x.reshape(len(x), -1)
    mean, variance = _filter(flat, process, np.ones_like(process))
    # The first observation of a sequence is taken as it is and predicts nothing.
    told = np.isfinite(flat[1:]) & np.isfinite(mean[:-1])
    spread = np.where(told, variance[:-1] + process + 1, 1.0)
    error = np.where(told, flat[1:] - mean[:-1], 0.0)
    by_feature = (-1, *x.shape[1:])
    n = told.reshape(by_feature).sum(axis=(0, 1))
    scale = (error**2 / spread).reshape(by_feature).sum(axis=(0, 1)) / np.maximum(n, 1)
    volume = np.log(spread).reshape(by_feature).sum(axis=(0, 1))
    return -0.5 * volume - 0.5 * n * np.log(np.maximum(scale, np.finfo(float).tiny)), scale, n >= 2


def _flat(x: Float[np.ndarray, " time *feature"]) -> Float64[np.ndarray, "time column"]:
    return np.asarray(x, dtype=np.float64).reshape(len(x), math.prod(np.shape(x)[1:]))


def _variances(dynamics: Dynamics, shape: tuple[int, ...]) -> tuple[Float64[np.ndarray, " feature"], ...]:
    try:
        return tuple(
            np.broadcast_to(np.asarray(value, dtype=np.float64), shape).reshape(-1)
            for value in (dynamics.process, dynamics.observation)
        )
    except ValueError:
        found = np.shape(dynamics.process), np.shape(dynamics.observation)
        raise BiosigError(f"expected variances of features of shape {shape}, got {found[0]} and {found[1]}") from None


def _filter(
    x: Float64[np.ndarray, "time column"],
    process: Float64[np.ndarray, " column"],
    observation: Float64[np.ndarray, " column"],
) -> tuple[Float64[np.ndarray, "time column"], Float64[np.ndarray, "time column"]]:
    """Mean and variance of the hidden value given what was seen so far; NaN and infinite where nothing was."""
    mean, variance = np.empty(x.shape), np.empty(x.shape)
    here, spread = np.full(x.shape[1], np.nan), np.full(x.shape[1], np.inf)
    for t, seen in enumerate(x):
        known = np.isfinite(seen)
        # A flat prior takes the first observation as it is.
        fresh = known & np.isinf(spread)
        spread = np.where(fresh, observation, spread + process)
        gain = np.zeros_like(spread)
        np.divide(spread, spread + observation, out=gain, where=known & ~fresh)
        here = np.where(fresh, seen, here + gain * (np.where(known, seen, here) - here))
        spread = (1 - gain) * spread
        mean[t], variance[t] = here, spread
    return mean, variance


def _smooth(
    mean: Float64[np.ndarray, "time column"],
    variance: Float64[np.ndarray, "time column"],
    process: Float64[np.ndarray, " column"],
) -> Float64[np.ndarray, "time column"]:
    """Means given everything, from those given the past."""
    # How much of a correction of the next value concerns this one; all of it where nothing was seen before.
    blank = np.isinf(variance)
    back = np.ones_like(variance)
    np.divide(variance, variance + process, out=back, where=~blank)
    smoothed = mean.copy()
    for t in range(len(mean) - 2, -1, -1):
        smoothed[t] = np.where(blank[t], smoothed[t + 1], mean[t] + back[t] * (smoothed[t + 1] - mean[t]))
    return smoothed
