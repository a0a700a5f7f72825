"""The pipeline as data and as arithmetic."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from biosig.errors import BiosigError
from biosig.preprocess import Bandpass, Crop, Notch, Preprocessing, Reference, Resample
from biosig.recording import Event, Modality, Recording

RATE = 500.0
TIME = np.arange(5000) / RATE


def recording(x: np.ndarray, modality: Modality = Modality.ECG, **more: Any) -> Recording:
    x = np.atleast_2d(x).astype(np.float32)
    names = tuple(f"c{row}" for row in range(len(x)))
    return Recording(x, names, RATE, (modality,) * len(x), record_id="r1", **more)


def size(x: np.ndarray, frequency: float, rate: float = RATE) -> float:
    """Amplitude of one frequency in the middle of a signal."""
    middle = x[len(x) // 5 : -len(x) // 5]
    time = np.arange(len(middle)) / rate
    return float(2 * np.abs(np.mean(middle * np.exp(-2j * np.pi * frequency * time))))


def test_unknown_fields_and_steps_are_refused() -> None:
    with pytest.raises(ValidationError, match="rats"):
        Preprocessing.model_validate({"steps": [{"kind": "resample", "rate": 250, "rats": 1}]})
    with pytest.raises(ValidationError, match="whiten"):
        Preprocessing.model_validate({"steps": [{"kind": "whiten"}]})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Resample(rate=0), "greater than 0"),
        (Bandpass, "needs `low`, `high` or both"),
        (lambda: Bandpass(low=40, high=0.5), "expected low < high"),
        (lambda: Crop(start=3, stop=2), "expected start < stop"),
        (lambda: Resample(rate=float("inf")), "finite"),
    ],
)
def test_what_makes_no_sense_is_refused(make: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make()


def test_the_default_resamples_to_250_hz_and_touches_nothing_else() -> None:
    given = recording(np.sin(2 * np.pi * 7 * TIME), events=(Event(1.0, 0.0, "N"),), meta={"age": 50})
    found = Preprocessing().apply(given)
    assert (found.sampling_rate, found.n_times) == (250.0, 2500)
    assert found.events == given.events
    assert found.meta == given.meta
    assert given.n_times == 5000


def test_the_right_rate_is_untouched_bit_for_bit() -> None:
    given = recording(np.random.default_rng(0).normal(size=(2, 5000)))
    found = Preprocessing(steps=(Resample(rate=RATE),)).apply(given)
    assert found.signal.tobytes() == given.signal.tobytes()


def test_a_trigger_is_neither_filtered_nor_interpolated() -> None:
    codes = np.repeat([0.0, 4.0, 255.0, 0.0], 1250)
    given = Recording(
        np.stack([np.sin(2 * np.pi * 5 * TIME), codes]).astype(np.float32),
        ("Cz", "STI"),
        RATE,
        (Modality.EEG, Modality.STIMULUS),
    )
    found = Preprocessing(steps=(Bandpass(low=1.0, high=40.0), Notch(frequency=50.0), Resample(rate=128.0))).apply(
        given
    )
    assert set(np.unique(found.signal[1])) == {0.0, 4.0, 255.0}


def test_bandpass_keeps_its_band_only() -> None:
    x = sum(np.sin(2 * np.pi * f * TIME) for f in (0.1, 10.0, 100.0))
    found = Bandpass(low=0.5, high=40.0).apply(recording(x + 5000)).signal[0]
    assert size(found, 10.0) == pytest.approx(1.0, abs=0.02)
    assert size(found, 100.0) < 0.01
    assert np.abs(found.mean()) < 0.05
    high = Bandpass(low=5.0).apply(recording(x)).signal[0]
    assert size(high, 100.0) == pytest.approx(1.0, abs=0.02)
    low = Bandpass(high=5.0).apply(recording(x)).signal[0]
    assert size(low, 10.0) < 0.1


def test_filters_do_not_shift_a_peak() -> None:
    x = np.exp(-0.5 * ((TIME - 5) / 0.02) ** 2)
    found = Preprocessing(steps=(Bandpass(low=0.5, high=40.0), Notch(frequency=50.0))).apply(recording(x))
    assert np.argmax(found.signal[0]) == 2500


def test_notch_takes_out_the_mains_and_its_harmonics() -> None:
    x = sum(np.sin(2 * np.pi * f * TIME) for f in (20.0, 50.0, 100.0, 150.0))
    one, all_ = (Notch(frequency=50.0, harmonics=h).apply(recording(x)).signal[0] for h in (False, True))
    assert size(one, 50.0) < 0.05
    assert size(one, 100.0) == pytest.approx(1.0, abs=0.05)
    assert max(size(all_, 100.0), size(all_, 150.0)) < 0.05
    assert size(all_, 20.0) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("step", [Bandpass(high=250.0), Notch(frequency=300.0)])
def test_an_edge_beyond_nyquist_names_the_record(step: Any) -> None:
    with pytest.raises(BiosigError, match=r"r1: .*is not below half the sampling rate of 500 Hz"):
        step.apply(recording(TIME))


def test_gaps_survive_every_step() -> None:
    x = np.random.default_rng(1).normal(size=(3, 5000))
    x[0, 1000:1500] = np.nan
    x[2] = np.nan
    pipeline = Preprocessing(
        steps=(
            Bandpass(low=0.5, high=40.0),
            Notch(frequency=50.0),
            Reference(modality=Modality.ECG),
            Resample(rate=250.0),
            Crop(start=1.0, stop=9.0),
        )
    )
    found = pipeline.apply(recording(x)).signal
    assert found.shape == (3, 2000)
    assert np.isnan(found[0, 251:499]).all()
    assert np.isfinite(found[0, :240]).all()
    assert np.isfinite(found[0, 510:]).all()
    assert np.isfinite(found[1]).all()
    assert np.isnan(found[2]).all()


def test_a_filter_of_one_modality_leaves_the_others_alone() -> None:
    x = np.stack([np.sin(2 * np.pi * 50 * TIME)] * 2).astype(np.float32)
    given = Recording(x, ("Cz", "II"), RATE, (Modality.EEG, Modality.ECG))
    found = Notch(frequency=50.0, modality=Modality.EEG).apply(given).signal
    assert size(found[0], 50.0) < 0.05
    np.testing.assert_array_equal(found[1], x[1])


def test_a_signal_shorter_than_the_filter_settles_is_filtered_all_the_same() -> None:
    found = Bandpass(low=0.5, high=40.0).apply(recording(np.ones(7)))
    assert found.signal.shape == (1, 7)
    assert np.isfinite(found.signal).all()


def test_average_reference_sums_to_zero_over_what_is_known() -> None:
    x = np.random.default_rng(2).normal(size=(4, 100)) + 30
    x[1, 50:] = np.nan
    found = Reference().apply(recording(x, Modality.EEG)).signal
    np.testing.assert_allclose(np.nansum(found, axis=0), 0, atol=1e-4)
    assert np.isfinite(found[[0, 2, 3]]).all()
    named = Reference(channels=("c0",)).apply(recording(x, Modality.EEG)).signal
    np.testing.assert_array_equal(named[0], 0)
    np.testing.assert_allclose(named[2], x[2] - x[0], atol=1e-4)
    with pytest.raises(BiosigError, match="no channel 'A1'"):
        Reference(channels=("A1",)).apply(recording(x, Modality.EEG))


def test_crop_moves_events_and_drops_those_outside() -> None:
    events = (Event(0.5, 0, "a"), Event(1.5, 2.0, "b"), Event(3.0, 0, "c"), Event(4.0, 0, "d"), Event(9, 0, "e"))
    found = Crop(start=2.0, stop=4.0).apply(recording(TIME, events=events))
    assert found.duration == 2.0
    assert found.signal[0, 0] == np.float32(2.0)
    # What began before keeps its own clock.
    assert found.events == (Event(-0.5, 2.0, "b"), Event(1.0, 0, "c"))
    with pytest.raises(BiosigError, match=r"r1: nothing between 10 s and the end of its 10 s"):
        Crop(start=10.0).apply(recording(TIME))
