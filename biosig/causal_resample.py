"""Another sampling rate without a look at the future: for what must work live, or be shown to."""

from __future__ import annotations

import functools

import numpy as np
from jaxtyping import Bool, Float32, Float64

from biosig.resample import bridge, ratio

# The low-pass lets pass up to this part of the lower Nyquist frequency, and nothing from there on.
PASS = 0.8
# Decibels by which what would fold back is damped.
_DAMPING = 80.0
# Length of the transform that finds the minimum phase, over that of the filter.
_OVERSAMPLED = 32


def causal_resample(
    x: Float32[np.ndarray, "channel time"], rate: float, target: float
) -> Float32[np.ndarray, "channel new"]:
    """Resample every channel from `rate` to `target` Hz; sample k depends on nothing after k / target seconds.

    A polyphase filter of minimum phase, which has the least delay that its steepness allows: two and a half samples of
    the lower rate, and five near the edge of what it passes; 20 and 40 ms at 128 Hz. There are as many samples as
    `biosig.resample.resample` gives. Before the first sample a channel is taken to have stood where it begins.

    Gaps (NaN) are bridged for the filter's sake, and are gaps again: a sample of the result is NaN when any old sample
    since the one before it was.

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
    from scipy import signal  # noqa: PLC0415 -- a second to import

    filled, gaps = bridge(x)
    n_new = -(-x.shape[1] * up // down)
    first = filled[:, :1].astype(np.float64)
    # Sample k of the result is the sum over n of x_n h(k down - n up): of the past alone.
    moved = signal.upfirdn(_impulse_response(up, down), filled - first, up, down, axis=1)[:, :n_new]
    out = (moved + first).astype(np.float32)
    if gaps is not None:
        out[_gaps_before(gaps, n_new, up, down)] = np.nan
    return out


@functools.lru_cache(maxsize=16)
def _impulse_response(up: int, down: int) -> Float64[np.ndarray, " tap"]:
    """A low-pass of minimum phase at `up` times the old rate."""
    from scipy import fft, signal  # noqa: PLC0415 -- as above

    # In units of the Nyquist frequency of the rate in between.
    stop = 1 / max(up, down)
    taps, beta = signal.kaiserord(_DAMPING, (1 - PASS) * stop)
    linear = signal.firwin(taps | 1, (1 + PASS) / 2 * stop, window=("kaiser", beta))
    # As exact as with scipy's own, many times longer transform, which takes seconds.
    length = fft.next_fast_len(_OVERSAMPLED * len(linear))
    response = np.asarray(signal.minimum_phase(linear, half=False, n_fft=length), dtype=np.float64)
    # Each of the interleaved filters passes a constant as it is: an offset must not come out as a pattern.
    response = np.pad(response, (0, -len(response) % up)).reshape(-1, up)
    response = (response / response.sum(axis=0)).reshape(-1)
    response.setflags(write=False)
    return response


def _gaps_before(
    gaps: Bool[np.ndarray, "channel time"], n_new: int, up: int, down: int
) -> Bool[np.ndarray, "channel new"]:
    """New samples since whose predecessor some old sample was a gap; where there was none, as the last one was."""
    last = np.minimum(np.arange(n_new) * down // up, gaps.shape[1] - 1)
    first = np.minimum(np.concatenate([[0], last[:-1] + 1]), last)
    count = np.concatenate([np.zeros((len(gaps), 1), np.int64), gaps.cumsum(axis=1)], axis=1)
    return count[:, last + 1] > count[:, first]
