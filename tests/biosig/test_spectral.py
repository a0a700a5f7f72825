"""Differential entropy against closed forms, and what windows may know."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from scipy import signal as sp

from biosig.errors import BiosigError
from biosig.spectral import BANDS, FLOOR, ORDER, differential_entropy, entropy, window_edges

RATE = 200.0


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def test_the_bands_are_those_of_seed_and_touch_each_other() -> None:
    assert list(BANDS) == ["delta", "theta", "alpha", "beta", "gamma"]
    edges = list(BANDS.values())
    assert edges[0][0] == 1
    assert edges[-1][1] == 50
    assert all(below[1] == above[0] for below, above in pairwise(edges))


def test_shapes() -> None:
    found = differential_entropy(noise(2, 3, 4, 1050), RATE)
    assert found.shape == (2, 3, 5, 4, 5)
    assert found.dtype == np.float32
    assert differential_entropy(noise(4, 1000), RATE, seconds=0.5, bands={"mu": (8, 13)}).shape == (10, 4, 1)
    assert differential_entropy(noise(4, 199), RATE).shape == (0, 4, 5)
    assert differential_entropy(noise(0, 400), RATE).shape == (2, 0, 5)


def test_leading_axes_are_recordings_of_their_own() -> None:
    x = noise(2, 3, 800)
    together = differential_entropy(x, RATE)
    for number in range(2):
        np.testing.assert_array_equal(together[number], differential_entropy(x[number], RATE))


@pytest.mark.parametrize("sigma", [0.5, 20.0])
@pytest.mark.parametrize("causal", [False, True])
def test_gaussian_noise_has_the_entropy_of_its_variance_in_the_band(sigma: float, causal: bool) -> None:
    # White noise spreads its variance evenly up to half the rate; a filter passes |H|^2 of it, twice when zero-phase.
    found = differential_entropy(sigma * noise(8, 60 * 200), RATE, seconds=60.0, causal=causal)[0]
    for number, (low, high) in enumerate(BANDS.values()):
        sections = sp.butter(ORDER, [low, high], "bandpass", fs=RATE, output="sos")
        _, response = sp.freqz_sos(sections, 1 << 16)
        share = float(np.mean(np.abs(response) ** (2 if causal else 4)))
        expected = 0.5 * math.log(2 * math.pi * math.e * sigma**2 * share)
        # 2 x bandwidth x time degrees of freedom a channel: half their relative error of a variance.
        error = 0.5 * math.sqrt(2 / (2 * (high - low) * 60 * 8))
        assert found[:, number].mean() == pytest.approx(expected, abs=4 * error)


def test_a_sine_has_half_its_squared_amplitude_in_its_band() -> None:
    time = np.arange(4000) / RATE
    found = differential_entropy((30 * np.sin(2 * np.pi * 10 * time))[None], RATE)
    expected = 0.5 * math.log(2 * math.pi * math.e * 30**2 / 2)
    np.testing.assert_allclose(found[2:-2, 0, 2], expected, atol=0.005)
    assert (found[2:-2, 0, [0, 1, 3, 4]] < expected - 3).all()


def test_ten_times_the_amplitude_adds_the_logarithm_of_ten() -> None:
    x = 20 * noise(2, 2000)
    step = differential_entropy(10 * x, RATE) - differential_entropy(x, RATE)
    np.testing.assert_allclose(step, math.log(10), atol=1e-5)


def test_an_offset_changes_nothing() -> None:
    x = 20 * noise(2, 2000)
    for causal in (False, True):
        found, moved = (differential_entropy(x + offset, RATE, causal=causal) for offset in (0, 4000))
        # The causal filter starts from its first sample, wherever that lies.
        np.testing.assert_allclose(moved, found, atol=0.02)


def test_a_flat_channel_has_the_entropy_of_the_floor() -> None:
    found = differential_entropy(np.full((1, 800), 5.0), RATE)
    np.testing.assert_allclose(found, 0.5 * math.log(2 * math.pi * math.e * FLOOR), rtol=1e-6)
    assert (differential_entropy(np.zeros((1, 800)), RATE, floor=1.0) == np.float32(entropy(np.ones(1)))[0]).all()


def test_gaps_take_the_windows_that_they_fill() -> None:
    x = 20 * noise(2, 2000)
    whole = differential_entropy(x, RATE)
    x[0, 450:550] = np.nan  # the second half of one second, the first half of nothing else
    x[0, 1000:1300] = np.nan
    found = differential_entropy(x, RATE)
    assert np.isnan(found[5, 0]).all()
    known = [k for k in range(10) if k != 5]
    assert np.isfinite(found[known, 0]).all()
    np.testing.assert_array_equal(found[:, 1], whole[:, 1])
    np.testing.assert_allclose(found[8:, 0], whole[8:, 0], atol=0.05)
    x[0] = np.nan
    assert np.isnan(differential_entropy(x, RATE)[:, 0]).all()


def test_a_causal_window_does_not_depend_on_what_follows() -> None:
    x = 20 * noise(2, 2000)
    other = x.copy()
    other[:, 1000:] = 500 * noise(2, 1000, seed=1)
    other[0, 1200:1300] = np.nan
    causal, changed = (differential_entropy(y, RATE, causal=True) for y in (x, other))
    np.testing.assert_array_equal(causal[:5], changed[:5])
    assert not np.allclose(causal[5:], changed[5:], equal_nan=True)
    zero, changed = (differential_entropy(y, RATE) for y in (x, other))
    assert not np.allclose(zero[4], changed[4], atol=0.1)


def test_windows_do_not_drift_where_their_length_is_no_whole_number() -> None:
    assert list(window_edges(100, 12.5, 1.0)) == [0, 12, 25, 38, 50, 62, 75, 88, 100]
    assert list(window_edges(1280, 128.0, 0.1))[-1] == 1280
    assert list(window_edges(10, 4.0, 1.0)) == [0, 4, 8]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"sampling_rate": 100.0}, r"band 'gamma': .*half the sampling rate of 100 Hz, got 31 to 50 Hz"),
        ({"bands": {"x": (8.0, 4.0)}}, r"band 'x'"),
        ({"bands": {"x": (0.0, 4.0)}}, r"band 'x'"),
        ({"bands": {}}, "at least one band"),
        ({"floor": 0.0}, "floor: expected a positive power"),
        ({"seconds": 0.005}, "at least two samples"),
    ],
)
def test_what_makes_no_sense_is_refused(more: dict, message: str) -> None:
    with pytest.raises(BiosigError, match=message):
        differential_entropy(noise(1, 400), **{"sampling_rate": RATE, **more})
    with pytest.raises(BiosigError, match="channel, time"):
        differential_entropy(noise(400), RATE)
