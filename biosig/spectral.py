"""Differential entropy of EEG bands: the classical feature of emotion recognition."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Float32, Float64, Int64

from biosig.errors import BiosigError
from biosig.filtering import Phase, run

# Hz, as the SEED corpora have them.
BANDS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"delta": (1.0, 4.0), "theta": (4.0, 8.0), "alpha": (8.0, 14.0), "beta": (14.0, 31.0), "gamma": (31.0, 50.0)}
)
# Microvolts squared: (0.01 µV)², a tenth of the noise of a good amplifier in a band. A dead electrode has this power.
FLOOR = 1e-4
ORDER = 4
# A window of which less is known has no feature.
LEAST_KNOWN = 0.5
# Samples filtered at once: a day of 64 electrodes should not take many times its size in memory.
_MOST_AT_ONCE = 1 << 22


def differential_entropy(
    signal: Float[np.ndarray, "*batch channel time"],
    sampling_rate: float,
    *,
    bands: Mapping[str, tuple[float, float]] = BANDS,
    seconds: float = 1.0,
    causal: bool = False,
    floor: float = FLOOR,
) -> Float32[np.ndarray, "*batch window channel band"]:
    """The differential entropy of every channel in every band, once a window.

    A band-passed signal is close to Gaussian, and the entropy of a Gaussian is

        DE = 1/2 ln(2 pi e sigma^2),

    in nats, for sigma^2 in the square of the signal's unit: half the logarithm of the band's power, and a constant.
    sigma^2 is the mean square of the window (a band-passed signal has mean zero), over those of its samples that are
    known. Give whole recordings or trials rather than single windows: a filter needs some tenths of a second to settle.

    Args:
        signal: Microvolts; NaN in gaps.
        sampling_rate: Hz.
        bands: Names and edges in Hz, in the order of the result's last axis; Butterworth filters of fourth order.
        seconds: Length of a window; windows follow each other without overlap, and a rest at the end is left out.
        causal: Filter forwards only, so that no window depends on what comes after it. By default the filter is
            zero-phase.
        floor: Least power, in the square of the signal's unit: a flat channel has the entropy of that, not minus
            infinity.

    Returns:
        `(..., window, channel, band)`. NaN where less than half of a window is known. With fewer samples than a window
        has there are no windows.

    Raises:
        BiosigError: If a band does not lie between zero and half the sampling rate, or a number makes no sense.

    References:
        Shi, Jiao and Lu, Differential entropy feature for EEG-based vigilance estimation, EMBC 2013.
        Zheng and Lu, Investigating critical frequency bands and channels for EEG-based emotion recognition with deep
        neural networks, IEEE Trans. Autonomous Mental Development 7 (2015).
    """
    signal = np.asarray(signal, dtype=np.float32)
    _check(signal, sampling_rate, bands, seconds, floor)
    rows = signal.reshape(-1, signal.shape[-1])
    edges = window_edges(signal.shape[-1], sampling_rate, seconds)
    out = np.empty((len(rows), len(bands), len(edges) - 1), dtype=np.float32)
    step = max(_MOST_AT_ONCE // max(signal.shape[-1], 1), 1)
    if out.size:
        for first in range(0, len(rows), step):
            part = slice(first, first + step)
            for number, band in enumerate(bands.values()):
                power = _power(rows[part], sampling_rate, band, edges, Phase.CAUSAL if causal else Phase.ZERO)
                out[part, number] = entropy(power, floor=floor)
    shaped = out.reshape(*signal.shape[:-1], len(bands), len(edges) - 1)
    return np.ascontiguousarray(np.moveaxis(shaped, -1, -3))


def entropy(variance: Float64[np.ndarray, "*any"], *, floor: float = FLOOR) -> Float64[np.ndarray, "*any"]:
    """The differential entropy, in nats, of Gaussians of that variance: 1/2 ln(2 pi e sigma^2). NaN stays NaN."""
    return 0.5 * np.log(2 * math.pi * math.e * np.maximum(variance, floor))


def window_edges(samples: int, sampling_rate: float, seconds: float) -> Int64[np.ndarray, " edge"]:
    """First samples of the windows that fit, and the end of the last: rounded one by one, so that they never drift."""
    # Half a sample of mercy: 10 s at 128 Hz are ten windows even where the product of floats falls short.
    count = int((samples + 0.5) / (seconds * sampling_rate))
    return np.minimum(np.rint(np.arange(count + 1) * seconds * sampling_rate), samples).astype(np.int64)


def _power(
    x: Float32[np.ndarray, "row time"],
    rate: float,
    band: tuple[float, float],
    edges: Int64[np.ndarray, " edge"],
    phase: Phase,
) -> Float64[np.ndarray, "row window"]:
    from scipy import signal  # noqa: PLC0415 -- a second to import

    sections = signal.butter(ORDER, band, "bandpass", fs=rate, output="sos")
    filtered = run(x, sections, phase=phase, settle=int(rate / band[0]))[:, : edges[-1]]
    known = np.isfinite(filtered)
    squares = np.where(known, filtered, 0.0) ** 2
    count = np.add.reduceat(known, edges[:-1], axis=1, dtype=np.int64)
    power = np.add.reduceat(squares, edges[:-1], axis=1) / np.maximum(count, 1)
    return np.where(count >= LEAST_KNOWN * np.diff(edges), power, np.nan)


def _check(
    signal: Float32[np.ndarray, "*any"],
    rate: float,
    bands: Mapping[str, tuple[float, float]],
    seconds: float,
    floor: float,
) -> None:
    if signal.ndim < 2:
        raise BiosigError(f"expected a (..., channel, time) signal, got {signal.shape}")
    if not bands:
        raise BiosigError("expected at least one band, got none")
    for name, (low, high) in bands.items():
        if not 0 < low < high < rate / 2:
            raise BiosigError(
                f"band {name!r}: expected 0 < low < high < half the sampling rate of {rate:g} Hz, got {low:g} to "
                f"{high:g} Hz"
            )
    if not (floor > 0 and math.isfinite(floor)):
        raise BiosigError(f"floor: expected a positive power, got {floor!r}")
    if not (math.isfinite(seconds) and seconds * rate >= 2):
        raise BiosigError(f"seconds: expected a window of at least two samples, got {seconds!r} s at {rate:g} Hz")
