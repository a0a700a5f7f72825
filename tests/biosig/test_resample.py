"""Resampling: nothing folds back, the passband keeps its amplitude, ends are quiet, gaps stay gaps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal as scipy_signal

from biosig.resample import bridge, nearest, ratio, resample


def tone(frequency: float, rate: float, seconds: float = 10.0, phase: float = 0.3) -> np.ndarray:
    time = np.arange(round(seconds * rate)) / rate
    return np.sin(2 * np.pi * frequency * time + phase)[None].astype(np.float32)


ABOVE = [
    (rate, target, where * target / 2)
    for rate, target in ((500.0, 250.0), (500.0, 100.0), (360.0, 250.0), (257.0, 128.0), (1000.0, 250.0))
    for where in (1.01, 1.1, 1.5, 1.9)
    if where * target < 0.95 * rate  # what the old rate can hold
]


@pytest.mark.parametrize(("rate", "target", "frequency"), ABOVE)
def test_a_tone_above_the_new_nyquist_vanishes(rate: float, target: float, frequency: float) -> None:
    found = resample(tone(frequency, rate), rate, target)[0]
    inner = found[len(found) // 5 : -len(found) // 5]
    assert np.abs(inner).max() < 1e-3


@pytest.mark.parametrize(
    ("rate", "target"), [(500.0, 250.0), (360.0, 250.0), (100.0, 250.0), (128.0, 200.0), (400.0, 100.0)]
)
@pytest.mark.parametrize("where", [0.02, 0.2, 0.5, 0.88])
def test_a_tone_in_the_passband_keeps_amplitude_and_phase(rate: float, target: float, where: float) -> None:
    frequency = where * min(rate, target) / 2
    found = resample(tone(frequency, rate), rate, target)[0]
    expected = tone(frequency, target)[0]
    assert len(found) == len(expected)
    inner = slice(len(found) // 5, -len(found) // 5)
    assert np.abs(found - expected)[inner].max() < 2e-3


@pytest.mark.parametrize(("rate", "target"), [(500.0, 250.0), (500.0, 100.0), (360.0, 250.0), (100.0, 250.0)])
def test_ends_do_not_ring(rate: float, target: float) -> None:
    # A large offset, a slope, and a slow wave that begins and ends anywhere: what drifting electrodes look like.
    time, new = np.arange(round(10 * rate)) / rate, np.arange(round(10 * target)) / target
    for shape in (
        lambda t: np.full_like(t, 4000.0),
        lambda t: -3000.0 + 700.0 * t,
        lambda t: 1000.0 * np.cos(2 * np.pi * 0.23 * t + 1.0),
    ):
        found = resample(shape(time)[None].astype(np.float32), rate, target)[0]
        assert np.abs(found - shape(new)).max() < 2.0


def test_a_pulse_is_as_the_library_filters_it() -> None:
    # A QRS complex within the passband: scipy's polyphase filter with a long window agrees.
    time = np.arange(5000) / 500
    x = np.exp(-0.5 * ((time - 4.7) / 0.02) ** 2)[None].astype(np.float32)
    found = resample(x, 500.0, 250.0)
    assert np.abs(found - x[:, ::2]).max() < 1e-3
    assert np.abs(found - scipy_signal.resample_poly(x, 1, 2, axis=1, window=("kaiser", 8.0))).max() < 1e-2


def test_the_same_rate_is_the_same_array() -> None:
    x = tone(10.0, 500.0)
    assert resample(x, 500.0, 500.0) is x


@pytest.mark.parametrize("target", [250.0, 100.0, 200.0, 1000.0])
def test_gaps_survive_and_do_not_spread(target: float) -> None:
    x = np.repeat(tone(5.0, 500.0), 2, axis=0)
    x[0, 1001] = np.nan
    x[0, 2000:2500] = np.nan
    x[0, :50] = np.nan
    x[1, -30:] = np.inf
    found = resample(x, 500.0, target)
    time = np.arange(found.shape[1]) / target
    gone = np.isnan(found)
    half = 0.5 / min(target, 500.0)
    assert gone[0, np.argmin(np.abs(time - 1001 / 500))]
    assert gone[0, (time >= 4.0) & (time < 5.0 - 1 / 500)].all()
    assert gone[1, time > 10 - 30 / 500 + half].all()
    away = (time > 0.1 + half) & ((np.abs(time - 2.002) > 0.01) & ((time < 4.0 - 0.01) | (time > 5.0 + 0.01)))
    assert not gone[0, away].any()
    # Away from a gap, at the edge of which a line replaces the wave, the signal is what it was.
    clear = (time > 0.6) & (time < 1.5)
    assert np.abs(found[0, clear] - tone(5.0, target)[0, : len(time)][clear]).max() < 0.02


def test_long_recordings_are_resampled_channel_by_channel(monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(3, 2000)).astype(np.float32)
    x[1, 30] = np.nan
    together = resample(x, 500.0, 250.0)
    monkeypatch.setattr("biosig.resample._MOST_AT_ONCE", 5000)
    np.testing.assert_allclose(resample(x, 500.0, 250.0), together, atol=1e-6)


def test_a_channel_that_is_one_long_gap_stays_one() -> None:
    x = np.stack([np.full(500, np.nan), np.ones(500)]).astype(np.float32)
    found = resample(x, 500.0, 250.0)
    assert np.isnan(found[0]).all()
    np.testing.assert_allclose(found[1], 1.0, atol=1e-5)


@settings(deadline=None, max_examples=60)
@given(
    n=st.integers(1, 700),
    rate=st.sampled_from([100.0, 128.0, 250.0, 257.0, 360.0, 400.0, 500.0, 512.5, 1000.0]),
    target=st.sampled_from([50.0, 100.0, 128.0, 250.0, 500.0]),
)
def test_any_length_and_rate_gives_the_right_number_of_finite_samples(n: int, rate: float, target: float) -> None:
    x = np.random.default_rng(n).normal(size=(2, n)).astype(np.float32)
    found = resample(x, rate, target)
    up, down = ratio(rate, target)
    assert found.shape == (2, -(-n * up // down))
    assert found.dtype == np.float32
    assert np.isfinite(found).all()
    assert np.abs(found).max() < 4 * np.abs(x).max() + 1e-6


def test_rates_without_a_ratio_are_refused() -> None:
    assert ratio(500.0, 250.0) == (1, 2)
    assert ratio(360.0, 250.0) == (25, 36)
    assert ratio(512.5, 250.0) == (20, 41)
    with pytest.raises(ValueError, match="no ratio of integers"):
        ratio(1e9, 3.0)
    with pytest.raises(ValueError, match="expected positive rates"):
        resample(tone(1.0, 100.0), 0.0, 100.0)


def test_a_trigger_keeps_its_codes() -> None:
    codes = np.repeat(np.array([0, 7, 255, 3], np.float32), 50)[None]
    assert set(np.unique(nearest(codes, 500.0, 200.0))) == {0, 3, 7, 255}
    assert nearest(codes, 500.0, 200.0).shape == (1, 80)


def test_bridging_draws_lines_and_leaves_the_input_alone() -> None:
    x = np.array([[1, np.nan, np.nan, 4, np.nan], [np.nan] * 5, [1, 2, 3, 4, 5]], np.float32)
    before = x.copy()
    filled, gaps = bridge(x)
    np.testing.assert_array_equal(filled, [[1, 2, 3, 4, 4], [0] * 5, [1, 2, 3, 4, 5]])
    np.testing.assert_array_equal(gaps, np.isnan(x))
    np.testing.assert_array_equal(x, before)
    # A sum that overflows is no gap.
    huge = np.full((1, 4), 3e38, np.float32)
    assert bridge(huge)[1] is None
