"""Gaussian noise of a given spectrum."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

#: From and to, Hz.
Band = tuple[float, float]


def band_noise(
    count: int, n_times: int, rate: float, band: Band, rng: np.random.Generator
) -> Float[np.ndarray, "count time"]:
    """Noise of a flat spectrum within a band and nothing outside it; unit variance, expected.

    Args:
        count: Independent rows.
        n_times: Samples.
        rate: Hz.
        band: From and to, Hz; at least one frequency of `k rate / n_times` must lie in it.
        rng: The only source of chance.
    """
    frequencies = np.fft.rfftfreq(n_times, 1 / rate)
    return _shaped(count, n_times, (frequencies >= band[0]) & (frequencies <= band[1]), rng)


def pink_noise(
    count: int, n_times: int, rate: float, rng: np.random.Generator, *, lowest: float = 0.5
) -> Float[np.ndarray, "count time"]:
    """Noise whose power falls as 1/f from `lowest` Hz on, nothing below; unit variance, expected.

    Args:
        count: Independent rows.
        n_times: Samples.
        rate: Hz.
        rng: The only source of chance.
        lowest: Hz.
    """
    frequencies = np.fft.rfftfreq(n_times, 1 / rate)
    return _shaped(count, n_times, np.where(frequencies >= lowest, np.maximum(frequencies, lowest) ** -0.5, 0), rng)


def _shaped(
    count: int, n_times: int, amplitude: Float[np.ndarray, " frequency"], rng: np.random.Generator
) -> Float[np.ndarray, "count time"]:
    """Gaussian Fourier coefficients of given sizes, as a time course."""
    amplitude = np.asarray(amplitude, dtype=float)
    real, imaginary = rng.standard_normal((2, count, len(amplitude)))
    # Every frequency but 0 and half the rate stands for two.
    twice = np.full(len(amplitude), 2.0)
    twice[0] = 1.0
    if n_times % 2 == 0:
        twice[-1] = 1.0
        imaginary[:, -1] = 0
        real[:, -1] *= np.sqrt(2)
    imaginary[:, 0] = 0
    real[:, 0] *= np.sqrt(2)
    scale = amplitude / np.sqrt(2 * (twice * amplitude**2).sum())
    return np.asarray(np.fft.irfft((real + 1j * imaginary) * scale, n_times, norm="forward"))
