"""Anti-aliased change of the sampling rate, with quiet ends and gaps that stay gaps."""

from __future__ import annotations

import functools
from fractions import Fraction

import numpy as np
from jaxtyping import Bool, Float32
from scipy import fft

# The band below the lower Nyquist frequency over which the low-pass goes from one to zero, as a fraction of it.
TRANSITION = 0.1
# Where the impulse response has died away, in units of one over the transition band; the ends are extended by this.
_SETTLE = 6
# Samples above which channels are taken one by one: a day of ECG should not take ten times its size in memory.
_MOST_AT_ONCE = 1 << 24
# The rate that is reached may differ from the rate asked for by this much: 1e-9 is 3 ms in a month.
_RATE_ERROR = 1e-9


def resample(x: Float32[np.ndarray, "channel time"], rate: float, target: float) -> Float32[np.ndarray, "channel new"]:
    """Resample every channel from `rate` to `target` Hz.

    Sample k of the result is at k / target seconds, and there are ceil(time * target / rate) of them. The low-pass is
    flat up to 0.9 of the lower of the two Nyquist frequencies, zero from there on, with a raised-cosine slope between:
    nothing folds back. It is applied in the frequency domain, which costs a third of a polyphase filter as steep, to
    the signal extended at both ends by its own point reflection, so that ends do not ring.

    Gaps (NaN) are bridged by a straight line for the filter's sake and are gaps again in the result; a sample of the
    result is NaN when any sample that it stands for was.

    Args:
        x: In any unit.
        rate: Hz.
        target: Hz. Equal to `rate`: the same array is returned, untouched.

    Raises:
        ValueError: If a rate is not positive, or the two have no ratio of reasonable integers.
    """
    up, down = ratio(rate, target)
    if up == down or 0 in x.shape:
        return x
    if x.size > _MOST_AT_ONCE and len(x) > 1:
        return np.concatenate([resample(channel[None], rate, target) for channel in x])
    filled, gaps = bridge(x)
    n_new = -(-x.shape[1] * up // down)
    # Both transforms are a small multiple of one fast length, and the first sample falls on both grids.
    margin = int(_SETTLE / (TRANSITION * min(rate, target) / 2) * rate) // down + 1
    length = fft.next_fast_len(-(-x.shape[1] // down) + 2 * margin, real=True)
    # Less its first value, a channel far from zero keeps its digits.
    first = filled[:, :1]
    spectrum = fft.rfft(_extended(filled, first, margin * down, length * down), axis=1)
    response = _low_pass(length * down, length * up)
    resampled = fft.irfft(spectrum[:, : len(response)] * response, length * up, axis=1)
    out = resampled[:, margin * up : margin * up + n_new] + first
    if gaps is not None:
        out[_gaps_after(gaps, n_new, down / up)] = np.nan
    return out


@functools.lru_cache(maxsize=64)
def _low_pass(n: int, n_new: int) -> Float32[np.ndarray, " bin"]:
    """The response at the bins below the lower Nyquist frequency, scaled for transforms of n and n_new samples."""
    edge = min(n, n_new) / 2
    bins = np.arange(int(edge) + 1)
    depth = np.clip((bins - (1 - TRANSITION) * edge) / (TRANSITION * edge), 0, 1)
    response = ((0.5 + 0.5 * np.cos(np.pi * depth)) * (n_new / n)).astype(np.float32)
    response.setflags(write=False)
    return response


def nearest(x: Float32[np.ndarray, "channel time"], rate: float, target: float) -> Float32[np.ndarray, "channel new"]:
    """The sample in force at each new instant: for trigger channels, whose values are codes and not quantities."""
    up, down = ratio(rate, target)
    n_new = -(-x.shape[1] * up // down)
    return x[:, np.arange(n_new) * down // up]


@functools.lru_cache(maxsize=64)
def ratio(rate: float, target: float) -> tuple[int, int]:
    """The smallest integers with up / down = target / rate, to within a billionth.

    Raises:
        ValueError: If a rate is not positive, or there are none below a hundred thousand.
    """
    if not (rate > 0 and target > 0):
        raise ValueError(f"expected positive rates, got {rate:g} and {target:g} Hz")
    exact = Fraction(target) / Fraction(rate)
    for limit in (100, 1_000, 10_000, 100_000):
        found = exact.limit_denominator(limit)
        if found > 0 and abs(found / exact - 1) < _RATE_ERROR:
            return found.numerator, found.denominator
    raise ValueError(f"{rate!r} Hz and {target!r} Hz have no ratio of integers below 100,000")


def bridge(
    x: Float32[np.ndarray, "channel time"],
) -> tuple[Float32[np.ndarray, "channel time"], Bool[np.ndarray, "channel time"] | None]:
    """The signal with its gaps bridged by straight lines, and where they were (None: there are none).

    A channel that is all gap becomes zero.
    """
    # A finite sum spares most recordings the mask: a gap would have spread to it.
    with np.errstate(over="ignore", invalid="ignore"):
        if np.isfinite(x.sum()):
            return x, None
    gaps = ~np.isfinite(x)
    if not gaps.any():
        return x, None
    filled = x.copy()
    time = np.arange(x.shape[1])
    for row in np.flatnonzero(gaps.any(axis=1)):
        known = ~gaps[row]
        filled[row, gaps[row]] = np.interp(time[gaps[row]], time[known], x[row, known]) if known.any() else 0.0
    return filled, gaps


def _extended(
    x: Float32[np.ndarray, "channel time"], first: Float32[np.ndarray, "channel 1"], left: int, length: int
) -> Float32[np.ndarray, "channel long"]:
    """The signal less its first value, with point reflections of both ends, which fade out.

    The Fourier transform sees a periodic signal: with both ends at zero there is no step where the period closes. The
    slow fade is far below the edge of the filter, and half of each reflection is left to keep the ends quiet.
    """
    n = x.shape[1]
    right = left + n
    long = np.empty((len(x), length), np.float32)
    np.subtract(x, first, out=long[:, left:right])
    before, after = min(left, n - 1), min(length - right, n - 1)
    np.negative(long[:, left + 1 : left + before + 1][:, ::-1], out=long[:, left - before : left])
    last = long[:, right - 1 : right]
    np.subtract(2 * last, long[:, right - 1 - after : right - 1][:, ::-1], out=long[:, right : right + after])
    # A signal shorter than the margin is held beyond its reflection.
    long[:, : left - before] = long[:, left - before : left - before + 1]
    long[:, right + after :] = long[:, right + after - 1 : right + after]
    rise = _rise(left // 2)
    long[:, : len(rise)] *= rise
    long[:, length - len(rise) :] *= rise[::-1]
    return long


@functools.lru_cache(maxsize=64)
def _rise(n: int) -> Float32[np.ndarray, " sample"]:
    return (0.5 - 0.5 * np.cos(np.pi * (np.arange(n) + 0.5) / max(n, 1))).astype(np.float32)


def _gaps_after(gaps: Bool[np.ndarray, "channel time"], n_new: int, step: float) -> Bool[np.ndarray, "channel new"]:
    """New samples, `step` old samples apart, whose own stretch of time held a gap."""
    reach = max(step, 1.0) / 2
    centre = np.arange(n_new) * step
    n = gaps.shape[1]
    first = np.clip(np.ceil(centre - reach), 0, n - 1).astype(np.int64)
    last = np.clip(np.floor(centre + reach), 0, n - 1).astype(np.int64)
    count = np.concatenate([np.zeros((len(gaps), 1), np.int64), gaps.cumsum(axis=1)], axis=1)
    return count[:, last + 1] > count[:, first]
