"""The recording as an object: laws of the leads, determinism, rates, noise, one person's recordings."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import periodogram

from biosig.errors import BiosigError
from biosig.leads import DOWER, electrical_axis, turn_to_axis
from biosig.simulate import SIMULATED_CONCEPTS, Noise, Subject, conflicts, draw, ecg
from ontology.registry import UnknownNameError
from tests.biosig.simulate.measure import IDS, Measured, clean, r_times


@pytest.mark.parametrize("noise", [None, 25.0, 0.0])
def test_the_laws_of_the_limb_leads_hold_with_and_without_noise(noise: float | None) -> None:
    lead_i, ii, iii, avr, avl, avf = ecg([IDS["AF"]], seed=4, noise=noise).signal[:6].astype(float)
    tolerance = 1e-6 * abs(ii).max()
    assert abs(lead_i + iii - ii).max() <= tolerance
    assert abs(avr + (lead_i + ii) / 2).max() <= tolerance
    assert abs(avl - (lead_i - iii) / 2).max() <= tolerance
    assert abs(avf - (ii + iii) / 2).max() <= tolerance


@given(st.lists(st.floats(-2, 2), min_size=3, max_size=3), st.floats(-180, 180))
@settings(max_examples=200, deadline=None)
def test_turning_to_an_axis_gives_that_axis(vector: list[float], degrees: float) -> None:
    x, y, z = vector
    turned = turn_to_axis(DOWER, np.array(vector), degrees) @ np.array(vector)
    assert np.hypot(turned[0], turned[1]) == pytest.approx(np.hypot(x, y), abs=1e-9)
    assert turned[2] == pytest.approx(z)
    # A vector that points mostly to the back has no frontal axis to speak of.
    if np.hypot(x, y) > 0.5 * abs(z) and np.hypot(x, y) > 1e-3:
        difference = (electrical_axis(DOWER, turned) - degrees + 180) % 360 - 180
        assert abs(difference) < 1e-6


@pytest.mark.filterwarnings("error")
def test_a_vector_that_no_turn_brings_to_the_axis_is_turned_without_overflow() -> None:
    vector = np.array([1e-310, 0.0, 1.0])
    assert np.isfinite(turn_to_axis(DOWER, vector, 30.0) @ vector).all()


def test_equal_seeds_give_equal_recordings_and_others_do_not() -> None:
    one, again, other = (ecg([IDS["PVC"]], seed=seed) for seed in (11, 11, 12))
    assert np.array_equal(one.signal, again.signal)
    assert (one.events, one.report, one.subject_id, dict(one.meta)) == (
        again.events,
        again.report,
        again.subject_id,
        dict(again.meta),
    )
    assert not np.array_equal(one.signal, other.signal)


def test_the_order_in_which_concepts_are_named_does_not_matter() -> None:
    one, other = (ecg(names, seed=3) for names in ([IDS["AF"], IDS["LBBB"]], [IDS["LBBB"], IDS["AF"]]))
    assert np.array_equal(one.signal, other.signal)
    assert one.report == other.report


def test_rate_and_noise_leave_the_heart_alone() -> None:
    fine, coarse = (clean("NSR", seed=5, sampling_rate=rate) for rate in (1000.0, 250.0))
    np.testing.assert_allclose(fine.signal[:, ::4], coarse.signal, atol=1e-3)
    assert ecg([IDS["NSR"]], seed=5, noise=5.0).events == clean("NSR", seed=5).events


@pytest.mark.parametrize(("duration", "rate"), [(10.0, 500.0), (7.0, 400.0), (2.5, 100.0), (60.0, 128.0), (0.5, 250.0)])
@pytest.mark.parametrize("concept", ["NSR", "PR", "CHB", "AFL"])
def test_any_duration_and_rate(concept: str, duration: float, rate: float) -> None:
    recording = ecg([IDS[concept]], seed=1, duration=duration, sampling_rate=rate)
    assert recording.signal.shape == (12, round(duration * rate))
    assert np.isfinite(recording.signal).all()
    assert all(0 <= event.onset < duration for event in recording.events)
    assert list(recording.events) == sorted(recording.events, key=lambda event: event.onset)


@pytest.mark.parametrize("bad", [{"duration": 0.0}, {"duration": float("nan")}, {"sampling_rate": -5.0}])
def test_an_impossible_duration_or_rate_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BiosigError, match="expected a positive duration and rate"):
        ecg(seed=1, **bad)  # type: ignore[arg-type]


def test_what_cannot_be_simulated_is_refused_by_name() -> None:
    with pytest.raises(BiosigError, match=r"sinus rhythm .* cannot be simulated in one recording"):
        ecg([IDS["NSR"], IDS["AF"]], seed=1)
    with pytest.raises(UnknownNameError, match="no simulated concept named '22298006'"):
        ecg(["22298006"], seed=1)


def test_conflicts_are_mutual_and_never_with_itself() -> None:
    for id_ in SIMULATED_CONCEPTS:
        assert id_ not in conflicts(id_)
        assert all(id_ in conflicts(other) for other in conflicts(id_))


@pytest.mark.parametrize("snr", [0.0, 12.0, 30.0])
@pytest.mark.parametrize("rate", [500.0, 100.0])
def test_noise_has_the_level_asked_for(snr: float, rate: float) -> None:
    quiet = clean("NSR", seed=8, sampling_rate=rate).signal.astype(float)
    added = ecg([IDS["NSR"]], seed=8, noise=snr, sampling_rate=rate).signal - quiet
    measured = 10 * np.log10(quiet.var(1).mean() / added.var(1).mean())
    assert measured == pytest.approx(snr, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "low", "high"), [("baseline", 0.0, 1.6), ("mains", 49.0, 51.0), ("muscle", 20.0, 250.0)]
)
def test_each_kind_of_noise_lies_in_its_band(kind: str, low: float, high: float) -> None:
    shares = dict.fromkeys(("baseline", "mains", "muscle", "motion"), 0.0) | {kind: 1.0}
    noisy = ecg([], seed=2, noise=Noise(snr=10.0, **shares), duration=20.0).signal
    added = (noisy - ecg([], seed=2, noise=None, duration=20.0).signal)[:, : 20 * 500]
    frequencies, power = periodogram(added - added.mean(1, keepdims=True), 500, window="hann")
    inside = (frequencies >= low) & (frequencies <= high)
    assert power[:, inside].sum() > 0.9 * power.sum()


def test_electrode_motion_is_brief_and_on_few_electrodes() -> None:
    shares = {"baseline": 0.0, "mains": 0.0, "muscle": 0.0, "motion": 1.0}
    added = ecg([], seed=6, noise=Noise(snr=10.0, **shares)).signal - ecg([], seed=6, noise=None).signal
    quiet = abs(added) < 0.01 * abs(added).max()
    assert quiet.mean() > 0.4


def test_hum_above_what_the_rate_carries_is_left_out() -> None:
    hum = Noise(snr=10.0, baseline=0.0, mains=1.0, muscle=0.0, motion=0.0)
    slow = [ecg([], seed=2, noise=noise, sampling_rate=100.0).signal for noise in (hum, None)]
    assert np.array_equal(*slow)


def test_senseless_noise_is_refused() -> None:
    with pytest.raises(ValueError, match="none negative and one positive"):
        Noise(baseline=-1.0)


def test_a_persons_recordings_are_more_alike_than_those_of_two_persons() -> None:
    beats = [
        [Measured(ecg([IDS["NSR"]], seed=100 * person + visit, noise=None, subject=Subject.draw(person))).beat
         for visit in range(2)]
        for person in range(12)
    ]  # fmt: skip
    window = slice(150, 400)
    flat = np.array([[beat[:, window].ravel() for beat in person] for person in beats])
    alike = np.corrcoef(flat[:, 0], flat[:, 1])[:12, 12:]
    own, others = np.diag(alike), alike[~np.eye(12, dtype=bool)]
    assert own.min() > 0.97
    assert np.median(others) < 0.95
    assert (alike.argmax(1) == np.arange(12)).mean() > 0.8


def test_a_lasting_diagnosis_looks_the_same_next_time_and_a_rate_does_not() -> None:
    person = Subject.draw(7)
    first, second = (Measured(ecg([IDS["LBBB"], IDS["SB"]], seed=seed, noise=None, subject=person)) for seed in (1, 2))
    assert first.qrs_duration == pytest.approx(second.qrs_duration, abs=0.007)
    assert first.rr.mean() != pytest.approx(second.rr.mean(), rel=0.01)


def test_persons_differ_as_people_do() -> None:
    people = [Subject.draw(seed) for seed in range(300)]
    ages = np.array([person.age for person in people])
    axes = np.array([person.heart.qrs_axis for person in people])
    assert ages.min() >= 18
    assert ages.std() > 10
    assert 0.4 < np.mean([person.sex == "female" for person in people]) < 0.6
    assert axes.std() > 12
    assert np.corrcoef(ages, axes)[0, 1] < -0.2


def test_random_combinations_can_all_be_simulated() -> None:
    for seed in range(60):
        concepts = draw(seed)
        recording = ecg(concepts, seed=seed, sampling_rate=250.0)
        assert recording.concepts == concepts
        assert {code.code for code in recording.codes} == concepts
        assert {code.system for code in recording.codes} == {"simulated"}
        assert len(r_times(recording)) >= 4
        assert 100 < np.ptp(recording.signal[1]) < 20_000
        assert recording.report


def test_a_recording_without_concepts_is_in_sinus_rhythm() -> None:
    recording = ecg(seed=1)
    assert recording.concepts == frozenset()
    assert "s" in recording.report.lower()
    assert 60 <= 60 / np.diff(r_times(recording)).mean() <= 100
