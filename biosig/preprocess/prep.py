"""Which electrodes of an EEG are bad, by criteria of the PREP pipeline.

References:
    Bigdely-Shamlo, Mullen, Kothe, Su and Robbins, The PREP pipeline: standardized preprocessing for large-scale EEG
    analysis, Frontiers in Neuroinformatics 9 (2015), sections on channels bad by deviation, correlation and noisiness.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float32, Float64

from biosig.filtering import run

# From interquartile range to standard deviation, for a Gaussian.
_IQR = 0.7413
# Hz: slower is drift, faster is noise. PREP's.
_DRIFT, _NOISE = 1.0, 50.0
_ORDER = 4
# Seconds of a window of correlation, and the rank among the others that an electrode is held against. PREP's.
_WINDOW, _RANK = 1.0, 0.98
# Noise smaller than this part of the signal harms nothing, however much more it is than in other electrodes.
_LEAST_NOISE = 0.1
# Windows compared at once.
_AT_ONCE = 256
# Electrodes that a comparison among them needs.
FEWEST = 6
# Of which less is known than this is missing.
_LEAST_KNOWN = 0.5


class Fault(StrEnum):
    """What makes an electrode a bad one."""

    MISSING = "missing"
    """Less than half of it is known."""
    FLAT = "flat"
    """It hardly moves."""
    DEVIATION = "deviation"
    """Its size is far from that of the others."""
    NOISE = "noise"
    """It has far more above 50 Hz, for what it has below, than the others."""
    CORRELATION = "correlation"
    """It goes with no other electrode, for too much of the time."""


@dataclass(frozen=True)
class Limits:
    """When an electrode is bad; see the step `BadChannels`."""

    flat: float
    deviation: float
    factor: float
    noise: float
    correlation: float
    uncorrelated: float


def faults(x: Float32[np.ndarray, "electrode time"], rate: float, limits: Limits) -> list[tuple[Fault, ...]]:
    """What is wrong with each electrode.

    With y the signal above 1 Hz, y_low its part below 50 Hz, and a robust z-score over electrodes
    z(v) = (v - median v) / (0.7413 IQR v):

        flat         0.7413 IQR(y) < flat
        deviation    |z(s)| > deviation for s = 0.7413 IQR(y), and s / median s > factor or < 1 / factor
        noise        z(MAD(y - y_low) / MAD(y_low)) > noise
        correlation  in more than `uncorrelated` of the one-second windows, the 98th percentile of |corr| with the other
                     electrodes, below 50 Hz, is under `correlation`

    Robust scores need company: among fewer than six electrodes that are neither missing nor flat only these two are
    looked for. Below 100 Hz there is nothing to call noise.
    """
    found: list[list[Fault]] = [[] for _ in x]
    missing = np.isfinite(x).mean(axis=1) < _LEAST_KNOWN if x.shape[1] else np.ones(len(x), dtype=bool)
    y = np.full(x.shape, np.nan)
    if not missing.all():
        y[~missing] = _filtered(x[~missing], rate, _DRIFT, "highpass")
    size = _spread(y)
    flat = ~missing & (size < limits.flat)
    _note(found, Fault.MISSING, missing)
    _note(found, Fault.FLAT, flat)
    rows = np.flatnonzero(~missing & ~flat)
    if len(rows) < FEWEST:
        return [tuple(each) for each in found]
    low = y[rows]
    bad = np.zeros((3, len(x)), dtype=bool)
    relative = size[rows] / np.median(size[rows])
    bad[0, rows] = (np.abs(_z(size[rows])) > limits.deviation) & (np.maximum(relative, 1 / relative) > limits.factor)
    if rate > 2 * _NOISE:
        low = _filtered(y[rows].astype(np.float32), rate, _NOISE, "lowpass")
        ratio = _deviation(y[rows] - low) / np.maximum(_deviation(low), np.finfo(float).tiny)
        bad[1, rows] = (_z(ratio) > limits.noise) & (ratio > _LEAST_NOISE)
    bad[2, rows] = _lonely(low, round(_WINDOW * rate), limits.correlation) > limits.uncorrelated
    for fault, those in zip((Fault.DEVIATION, Fault.NOISE, Fault.CORRELATION), bad, strict=True):
        _note(found, fault, those)
    return [tuple(each) for each in found]


def _note(found: list[list[Fault]], fault: Fault, those: Bool[np.ndarray, " electrode"]) -> None:
    for row in np.flatnonzero(those):
        found[row].append(fault)


def _filtered(
    x: Float32[np.ndarray, "electrode time"], rate: float, edge: float, kind: Literal["highpass", "lowpass"]
) -> Float64[np.ndarray, "electrode time"]:
    from scipy import signal  # noqa: PLC0415 -- a second to import

    if edge >= rate / 2:
        return x.astype(np.float64)
    sections = signal.butter(_ORDER, edge, kind, fs=rate, output="sos")
    return run(x, sections, settle=int(rate / edge))


def _spread(x: Float64[np.ndarray, "row time"]) -> Float64[np.ndarray, " row"]:
    """Robust standard deviation of what is known of each row; NaN where nothing is."""
    return np.array([_IQR * np.subtract(*np.percentile(row, [75, 25])) if len(row) else np.nan for row in _known(x)])


def _deviation(x: Float64[np.ndarray, "row time"]) -> Float64[np.ndarray, " row"]:
    """Median absolute deviation from the median, of what is known of each row."""
    return np.array([np.median(np.abs(row - np.median(row))) for row in _known(x)])


def _known(x: Float64[np.ndarray, "row time"]) -> list[Float64[np.ndarray, " sample"]]:
    return [row[np.isfinite(row)] for row in x]


def _z(values: Float64[np.ndarray, " electrode"]) -> Float64[np.ndarray, " electrode"]:
    spread = _IQR * np.subtract(*np.percentile(values, [75, 25]))
    return (values - np.median(values)) / np.maximum(spread, np.finfo(float).eps * np.abs(values).max() + 1e-300)


def _lonely(x: Float64[np.ndarray, "electrode time"], length: int, least: float) -> Float64[np.ndarray, " electrode"]:
    """The part of the windows in which each electrode goes with no other; windows with gaps of its own do not count."""
    length = max(min(length, x.shape[1]), 2)
    alone, whole = np.zeros((2, len(x)), dtype=np.int64)
    # A night of windows, each with a matrix of correlations, is not for memory.
    for first in range(0, x.shape[1] - length + 1, _AT_ONCE * length):
        part = x[:, first : first + _AT_ONCE * length]
        count = part.shape[1] // length
        windows = part[:, : count * length].reshape(len(x), count, length).swapaxes(0, 1)
        known = np.isfinite(windows).all(axis=2)
        centred = np.where(known[:, :, None], windows, 0.0)
        centred = centred - centred.mean(axis=2, keepdims=True)
        norm = np.linalg.norm(centred, axis=2, keepdims=True)
        unit = np.divide(centred, norm, out=np.zeros_like(centred), where=norm > 0)
        alike = np.abs(unit @ unit.swapaxes(1, 2))
        alike[:, np.arange(len(x)), np.arange(len(x))] = 0
        alone += ((np.quantile(alike, _RANK, axis=2) < least) & known).sum(axis=0)
        whole += known.sum(axis=0)
    return alone / np.maximum(whole, 1)
