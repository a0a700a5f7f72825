"""Simulated EEG: the stimulus-locked part is late by exactly what is stated, and everything else is as described."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import welch

from biosig.channels import positions
from biosig.errors import BiosigError
from biosig.recording import Modality
from biosig.simulate import CAPS, Experiment, Latency, eeg, latency_at, write_experiment
from biosig.simulate.head import Patterns
from biosig.simulate.latency import draw_latency
from biosig.simulate.spectrum import band_noise, pink_noise

# Loud enough that nothing but the stimulus is to be seen, and heads alike.
LOUD = Experiment(seed=1, subjects=4, stimuli=3, duration=30.0, electrodes=CAPS[19], snr=60.0, variation=0.0)


def shown(experiment: Experiment, subject: int, stimulus: int) -> int:
    """In which trial a subject meets a stimulus."""
    return int(np.flatnonzero(experiment.order(subject) == stimulus)[0])


@pytest.mark.parametrize("kind", Latency)
def test_subjects_see_the_same_sources_late_by_what_is_stated(kind: Latency) -> None:
    experiment = replace(LOUD, latency=kind, spread=1.5)
    stimulus = experiment.stimulus(2)
    for subject in range(3):
        recording = eeg(experiment, subject, shown(experiment, subject, 2))
        (event,) = recording.events
        assert event.stimulus == stimulus.name
        time = np.arange(recording.n_times) / recording.sampling_rate
        late = latency_at(np.resize(recording.meta["latency"], 31), time)
        # The sources as this person met them explain the signal; as they are, or as late as somebody else, they do not.
        explained = share_explained(recording.signal, stimulus.at(time - late))
        assert explained > 0.999
        assert share_explained(recording.signal, stimulus.at(time)) < 0.5
        assert share_explained(recording.signal, stimulus.at(time - late + 0.05)) < 0.95
        assert share_explained(recording.signal, experiment.stimulus(1).at(time - late)) < 0.2


def share_explained(signal: np.ndarray, regressors: np.ndarray) -> float:
    found = np.linalg.lstsq(regressors.T, signal.T.astype(float), rcond=None)[0]
    return 1 - float(((signal.T - regressors.T @ found) ** 2).sum() / (signal**2).sum())


def test_a_fixed_latency_is_one_number_a_person() -> None:
    latencies = [[eeg(LOUD, subject, trial).meta["latency"] for trial in range(3)] for subject in range(4)]
    assert all(len(set(person)) == 1 and len(person[0]) == 1 for person in latencies)
    assert len({person[0] for person in latencies}) == 4
    drifting = replace(LOUD, latency=Latency.DRIFTING)
    assert len({eeg(drifting, 0, trial).meta["latency"] for trial in range(3)}) == 3


@pytest.mark.parametrize("kind", Latency)
def test_latencies_are_uniform_within_the_spread_and_stretch_with_it(kind: Latency) -> None:
    drawn = np.concatenate([draw_latency(kind, 2.0, 20.0, np.random.default_rng(seed))[::20] for seed in range(2000)])
    assert drawn.min() >= 0
    assert drawn.max() <= 2
    # The Kolmogorov distance from uniform, of 2000 independent draws (4000 correlated ones where it drifts).
    empirical = np.arange(1, len(drawn) + 1) / len(drawn)
    assert abs(np.sort(drawn) / 2 - empirical).max() < 0.04
    one, twice = (draw_latency(kind, spread, 20.0, np.random.default_rng(3)) for spread in (1.0, 2.0))
    np.testing.assert_allclose(2 * one, twice, atol=2e-4)
    assert (draw_latency(kind, 0.0, 20.0, np.random.default_rng(3)) == 0).all()


def test_a_drifting_latency_is_slow_and_forgets_over_its_timescale() -> None:
    paths = np.stack(
        [draw_latency(Latency.DRIFTING, 1.0, 60.0, np.random.default_rng(k), timescale=8.0) for k in range(1500)]
    )
    assert abs(np.diff(paths, axis=1)).max() < 0.4, "time must not run backwards"
    correlation = np.corrcoef(paths.T)[0]
    # The correlation of Phi(g) for bivariate normal g of correlation r is 6/pi asin(r/2).
    expected = 6 / np.pi * np.arcsin(np.exp(-0.5 * (np.arange(61) / 8.0) ** 2) / 2)
    np.testing.assert_allclose(correlation, expected, atol=0.09)


def test_fewer_electrodes_are_part_of_more() -> None:
    wide = replace(LOUD, snr=-3.0, electrodes=CAPS[32], latency=Latency.DRIFTING)
    narrow = replace(wide, electrodes=("O2", "Cz", "F3"))
    for subject, trial in ((0, 0), (3, 2)):
        np.testing.assert_array_equal(
            eeg(narrow, subject, trial).signal, eeg(wide, subject, trial).pick(narrow.electrodes).signal
        )


def test_seeds_subjects_and_trials_differ_and_equal_ones_are_equal() -> None:
    made = eeg(LOUD, 1, 2)
    again = eeg(LOUD, 1, 2)
    np.testing.assert_array_equal(made.signal, again.signal)
    assert (made.events, made.codes, dict(made.meta)) == (again.events, again.codes, dict(again.meta))
    for other in (eeg(LOUD, 1, 1), eeg(LOUD, 2, 2), eeg(replace(LOUD, seed=2), 1, 2)):
        assert abs(np.corrcoef(made.signal[0], other.signal[0])[0, 1]) < 0.6


def test_another_rate_shows_the_same_reaction() -> None:
    quick = replace(LOUD, sampling_rate=256.0, spread=1.0)
    fast, slow = (eeg(one, 0, 0).signal for one in (quick, replace(quick, sampling_rate=64.0)))
    np.testing.assert_allclose(fast[:, ::4], slow, atol=0.01 * slow.std())


def test_the_snr_is_what_was_asked_for_on_average_over_heads() -> None:
    quiet = replace(LOUD, subjects=40, electrodes=CAPS[19], snr=-200.0, strength=0.0, duration=8.0)
    background = np.mean([eeg(quiet, subject, 0).signal.var() for subject in range(40)])
    # Patterns that everybody shares are one draw; as many experiments are as many draws.
    loud = [
        eeg(replace(quiet, seed=seed, snr=0.0, variation=1.0), subject, 0).signal.astype(float)
        - eeg(replace(quiet, seed=seed, variation=1.0), subject, 0).signal
        for seed in range(6)
        for subject in range(20)
    ]
    assert 10 * np.log10(np.mean([one.var() for one in loud]) / background) == pytest.approx(0, abs=1.0)


def test_alpha_is_at_the_back_and_the_background_falls_as_one_over_f() -> None:
    quiet = replace(LOUD, snr=-200.0, strength=0.0, duration=120.0)
    recordings = [eeg(quiet, subject, 0) for subject in range(8)]
    frequencies, power = welch(np.stack([one.signal for one in recordings]).astype(float), 128, nperseg=512)
    mean = power.mean(0)
    peak, beside = (frequencies > 8.5) & (frequencies < 11.5), (frequencies > 14) & (frequencies < 17)
    ratio = dict(zip(CAPS[19], mean[:, peak].mean(1) / mean[:, beside].mean(1), strict=True))
    assert min(ratio["O1"], ratio["O2"]) > 5
    assert max(ratio["Fp1"], ratio["Fp2"]) < 2.5
    steep = (frequencies >= 15) & (frequencies <= 45)
    front = mean[list(CAPS[19]).index("Fz")]
    slope = np.polyfit(np.log(frequencies[steep]), np.log(front[steep]), 1)[0]
    assert slope == pytest.approx(-1, abs=0.25), "sensor noise flattens it a little"


def test_the_class_is_in_the_power_of_its_band_and_strength_nought_takes_it_away() -> None:
    def beta(strength: float, stimulus: int) -> float:
        experiment = replace(LOUD, snr=-200.0, classes=2, strength=strength, stimuli=4)
        made = [eeg(experiment, subject, shown(experiment, subject, stimulus)) for subject in range(4)]
        frequencies, power = welch(np.stack([one.signal for one in made]).astype(float), 128, nperseg=256)
        return float(power[..., (frequencies > 15) & (frequencies < 28)].mean())

    assert beta(1.0, 0) > 2 * beta(1.0, 1)
    assert beta(1.0, 2) > 2 * beta(1.0, 3), "the class, not the stimulus"
    assert beta(0.0, 0) == pytest.approx(beta(0.0, 1), rel=0.1)


def test_classes_are_balanced_and_everybody_meets_every_stimulus() -> None:
    experiment = Experiment(subjects=5, stimuli=6, classes=3, duration=1.0)
    for subject in range(5):
        trials = [eeg(experiment, subject, trial) for trial in range(6)]
        assert sorted(one.events[0].stimulus for one in trials) == [f"stimulus-{k:02d}" for k in range(1, 7)]
        assert [one.events[0].trial for one in trials] == [1, 2, 3, 4, 5, 6]
        assert sorted(one.codes[0].code for one in trials) == [f"class-{k}" for k in (1, 1, 2, 2, 3, 3)]
        assert all(one.codes[0].code == one.events[0].code for one in trials)
    assert not np.array_equal(experiment.order(0), experiment.order(1))


def test_patterns_are_smooth_with_the_covariance_stated() -> None:
    where = positions(CAPS[62], Modality.EEG).astype(float)
    values = np.stack([Patterns(40, np.random.default_rng(seed)).at(where) for seed in range(100)], axis=1)
    flat = values.reshape(62, -1)
    distance = np.linalg.norm(where[:, None] - where[None], axis=2)
    np.testing.assert_allclose(flat @ flat.T / flat.shape[1], np.exp(-(distance**2) / (2 * 0.7**2)), atol=0.1)


def test_noise_has_unit_variance_and_its_band() -> None:
    rng = np.random.default_rng(0)
    for n_times in (1000, 1001):
        narrow, pink = band_noise(300, n_times, 100.0, (4.0, 8.0), rng), pink_noise(300, n_times, 100.0, rng)
        assert narrow.shape == pink.shape == (300, n_times)
        assert narrow.var() == pytest.approx(1, abs=0.05)
        assert pink.var() == pytest.approx(1, abs=0.05)
        frequencies = np.fft.rfftfreq(n_times, 0.01)
        power = abs(np.fft.rfft(narrow)) ** 2
        assert power[:, (frequencies >= 4) & (frequencies <= 8)].sum() == pytest.approx(power.sum())
    white = band_noise(400, 16, 100.0, (0.0, 50.0), rng)
    np.testing.assert_allclose(white @ white.T / 16, np.eye(400), atol=1.6)
    np.testing.assert_allclose(white.T @ white / 400, np.eye(16), atol=0.3)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("subjects", 0, "subjects: expected at least 1, got 0"),
        ("spread", -0.1, "spread: expected 0 or more, got -0.1"),
        ("strength", float("nan"), "strength: expected 0 or more, got nan"),
        ("duration", 0.5, "duration: expected 1 to 3600 s, got 0.5"),
        ("sampling_rate", 4.0, "sampling_rate: expected 16 to 10000 Hz, got 4.0"),
        ("variation", 1.1, "variation: expected 0 to 1, got 1.1"),
        ("snr", float("inf"), "snr: expected a number of dB, got inf"),
        ("band", (8.0, 1.0), "band: expected two frequencies"),
        ("band", (1.0, 65.0), "band: expected two frequencies"),
        ("electrodes", ("Cz", "II"), "electrodes: expected names of the 10-05 system, got 'II'"),
        ("electrodes", ("Fpz-Cz",), "electrodes: expected names of the 10-05 system, got 'Fpz-Cz'"),
        ("electrodes", ("Cz", "Cz"), "electrodes: expected each once, got 'Cz' twice"),
        ("electrodes", (), "electrodes: expected at least one, got none"),
    ],
)
def test_a_senseless_experiment_is_refused(field: str, value: object, message: str) -> None:
    with pytest.raises(BiosigError) as caught:
        replace(LOUD, **{field: value})  # type: ignore[arg-type]
    assert message in str(caught.value)


def test_a_trial_that_was_not_held_is_refused() -> None:
    for subject, trial in ((-1, 0), (0, 3), (0, -1)):
        with pytest.raises(BiosigError, match="a trial of 0 to 2"):
            eeg(LOUD, subject, trial)


def digest(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_more_subjects_begin_with_the_same_ones(tmp_path: Path) -> None:
    small = Experiment(subjects=2, stimuli=2, duration=2.0, electrodes=CAPS[14])
    few = digest(write_experiment(tmp_path / "few", small, workers=1, progress=False))
    more = digest(write_experiment(tmp_path / "more", replace(small, subjects=3), workers=1, progress=False))
    assert {name: more[name] for name in few if name != "RECORDS"} == {
        name: value for name, value in few.items() if name != "RECORDS"
    }
    with pytest.raises(BiosigError, match="expected a new or empty folder"):
        write_experiment(tmp_path / "few", small, progress=False)


@pytest.mark.slow
def test_many_processes_write_the_same_bytes(tmp_path: Path) -> None:
    experiment = Experiment(subjects=10, stimuli=7, duration=1.0, electrodes=CAPS[14])
    one, two = (
        digest(write_experiment(tmp_path / str(workers), experiment, workers=workers, progress=False))
        for workers in (1, 2)
    )
    assert len(one) == 141
    assert one == two
