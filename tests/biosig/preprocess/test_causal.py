"""What is called causal knows nothing of the future; what is not, does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig import resample
from biosig.causal_resample import PASS, causal_resample
from biosig.preprocess import BadChannels, Bandpass, Crop, Montage, Notch, Preprocessing, Reference, Resample
from biosig.presets import load
from biosig.recording import Modality, Recording
from tests.biosig.preprocess.brain import eeg, smooth

CAUSAL = [
    Bandpass(low=0.5, high=45, phase="causal"),
    Bandpass(high=10, phase="causal"),
    Notch(frequency=50, harmonics=True, phase="causal"),
    Resample(rate=128, phase="causal"),
    Resample(rate=400, phase="causal"),
    Reference(),
    Reference(channels="rest"),
    Montage(channels=("Cz", "Fp1-F7")),
]
AHEAD = [Bandpass(low=0.5, high=45), Notch(frequency=50), Resample(rate=128), BadChannels(too_many="flag")]


def changed_after(x: np.ndarray, sample: int) -> np.ndarray:
    other = x.copy()
    other[:, sample:] = 500 * np.random.default_rng(1).normal(size=other[:, sample:].shape)
    other[2, sample + 100 : sample + 300] = np.nan
    return other


def before(step: Any, x: np.ndarray, moment: float) -> np.ndarray:
    found = step.apply(eeg(x))
    return found.signal[:, : int(np.ceil(moment * found.sampling_rate))]


@pytest.mark.parametrize("step", [*CAUSAL, load("eeg-causal")], ids=lambda step: getattr(step, "kind", "eeg-causal"))
def test_a_causal_step_does_not_depend_on_what_follows(step: Any) -> None:
    x = smooth(8)
    x[4, 300:360] = np.nan
    assert step.causal
    np.testing.assert_array_equal(before(step, x, 4.0), before(step, changed_after(x, 1000), 4.0))


@pytest.mark.parametrize("step", [*AHEAD, load("eeg")], ids=lambda step: getattr(step, "kind", "eeg"))
def test_the_others_do_and_say_so(step: Any) -> None:
    x = smooth(8)
    x[7] *= 1 + 20 * isinstance(step, BadChannels)
    assert not step.causal
    one, other = before(step, x, 4.0), before(step, changed_after(x, 1000), 4.0)
    assert not np.allclose(one, other, atol=1e-3)


def test_a_pipeline_is_as_causal_as_its_steps() -> None:
    assert Preprocessing(steps=tuple(CAUSAL)).causal
    assert Preprocessing(steps=(Crop(start=1.0),)).causal
    assert not Preprocessing(steps=(*CAUSAL, AHEAD[0])).causal


def test_a_causal_filter_starts_from_rest_at_the_first_sample() -> None:
    x = np.full((1, 1000), 4000.0)
    found = Bandpass(low=0.5, high=45, phase="causal").apply(eeg(x, ("Cz",))).signal
    np.testing.assert_allclose(found, 0, atol=1e-3)
    low = Bandpass(high=45, phase="causal").apply(eeg(x, ("Cz",))).signal
    np.testing.assert_allclose(low, 4000, atol=1e-2)


def test_a_causal_filter_passes_its_band_later_and_once() -> None:
    time = np.arange(2500) / 250
    x = np.sin(2 * np.pi * 10 * time) + np.sin(2 * np.pi * 100 * time)
    found = Bandpass(low=1, high=40, phase="causal").apply(eeg(x[None], ("Cz",))).signal[0, 1250:]
    size = 2 * np.abs(np.mean(found * np.exp(-2j * np.pi * 10 * time[1250:])))
    assert size == pytest.approx(1.0, abs=0.02)
    delay = -np.angle(np.mean(found * np.exp(-2j * np.pi * 10 * time[1250:])) * 1j) / (2 * np.pi * 10)
    assert 0.002 < delay < 0.02


@pytest.mark.parametrize(("rate", "target"), [(500.0, 128.0), (512.0, 128.0), (128.0, 250.0), (360.0, 250.0)])
def test_causal_resampling_keeps_what_both_rates_hold_and_folds_nothing_back(rate: float, target: float) -> None:
    time, half = np.arange(int(20 * rate)) / rate, min(rate, target) / 2
    kept = np.sin(2 * np.pi * 0.3 * half * time)
    folding = np.sin(2 * np.pi * 1.2 * half * time) if rate > target else 0 * time
    found = causal_resample((kept + folding)[None].astype(np.float32) + 7000, rate, target)[0] - 7000
    assert len(found) == resample.resample(kept[None].astype(np.float32), rate, target).shape[1]
    middle = slice(int(5 * target), int(15 * target))
    clock = np.arange(len(found))[middle] / target
    wave = 2 * np.mean(found[middle] * np.exp(-2j * np.pi * 0.3 * half * clock))
    assert abs(wave) == pytest.approx(1.0, abs=2e-3)
    left = found[middle] - np.real(wave * np.exp(2j * np.pi * 0.3 * half * clock))
    assert np.abs(left).max() < 5e-3
    # Two and a half samples of the lower rate, a little more in the middle of the band.
    delay = -np.angle(wave * 1j) / (2 * np.pi * 0.3 * half)
    assert 1.5 < delay * 2 * half < 4
    assert PASS > 0.3


def test_causal_resampling_of_a_constant_and_of_nothing() -> None:
    np.testing.assert_array_equal(causal_resample(np.full((2, 500), 3e4, np.float32), 500.0, 128.0), np.float32(3e4))
    assert causal_resample(np.zeros((2, 0), np.float32), 500.0, 128.0).shape == (2, 0)
    x = np.ones((1, 5), np.float32)
    assert causal_resample(x, 128.0, 128.0) is x
    with pytest.raises(ValueError, match="positive rates"):
        causal_resample(x, 0.0, 128.0)


@settings(max_examples=40, deadline=None)
@given(
    n=st.integers(1, 300),
    rates=st.sampled_from([(500.0, 128.0), (128.0, 250.0), (250.0, 125.0), (100.0, 128.0)]),
    cut=st.floats(0, 1),
    gap=st.integers(0, 299),
)
def test_causal_resampling_never_sees_ahead(n: int, rates: tuple[float, float], cut: float, gap: int) -> None:
    rng = np.random.default_rng(n)
    x = rng.normal(size=(1, n)).astype(np.float32)
    if gap < n:
        x[0, gap] = np.nan
    last = int(cut * (n - 1))
    whole, part = causal_resample(x, *rates), causal_resample(x[:, : last + 1], *rates)
    until = int(last / rates[0] * rates[1] + 1e-9) + 1
    np.testing.assert_array_equal(whole[:, :until], part[:, :until])


def test_a_trigger_is_held_not_filtered() -> None:
    codes = np.repeat([0.0, 4.0, 255.0, 0.0], 500)
    given_ = Recording(
        np.stack([np.zeros(2000), codes]).astype(np.float32), ("Cz", "STI"), 500.0, (Modality.EEG, Modality.STIMULUS)
    )
    found = load("eeg-causal").apply(given_)
    assert set(np.unique(found.signal[1])) == {0.0, 4.0, 255.0}
