from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from finetune.emotion.features import Windowed
from finetune.emotion.normalise import by_subject, by_training, running
from tests.finetune.emotion.fake_trials import make_trials, make_windows

TRIALS = make_trials(4, 6)
LEARNT = tuple(range(12))


def later_changed(windows: Windowed, subject: str, order: int) -> Windowed:
    """The same, except for the trials of a subject from a place of its stream on."""
    later = (TRIALS.subject[windows.trial] == subject) & (TRIALS.order[windows.trial] >= order)
    return windows.with_values(np.where(later[:, None], 5 + 3 * windows.values, windows.values))


def test_training_trials_become_standard_and_the_test_side_has_no_say() -> None:
    windows = make_windows(TRIALS, offset=2.0)
    found = by_training(windows, LEARNT)
    np.testing.assert_allclose(found.of(LEARNT).values.mean(0), 0, atol=1e-12)
    np.testing.assert_allclose(found.of(LEARNT).values.std(0), 1, atol=1e-12)
    changed = by_training(later_changed(windows, "p03", 0), LEARNT)
    np.testing.assert_array_equal(found.of(LEARNT).values, changed.of(LEARNT).values)


def test_every_trial_weighs_the_same() -> None:
    # One trial of ten windows at 1, one of a single window at 3: the mean is 2.
    windows = Windowed(np.array([[1.0]] * 10 + [[3.0]]), np.array([0] * 10 + [1]))
    found = by_training(windows, (0, 1))
    np.testing.assert_allclose(found.values[[0, -1], 0], [-1, 1])
    np.testing.assert_allclose(by_subject(windows, TRIALS).values[[0, -1], 0], [-1, 1])


def test_each_subject_becomes_standard() -> None:
    windows = make_windows(TRIALS, offset=5.0)
    found = by_subject(windows, TRIALS)
    for one in TRIALS.subjects:
        own = found.values[TRIALS.subject[found.trial] == one]
        np.testing.assert_allclose(own.mean(0), 0, atol=1e-12)
        np.testing.assert_allclose(own.std(0), 1, atol=1e-12)


def test_gain_and_offset_of_a_subject_do_not_matter_when_each_is_normalised() -> None:
    windows = make_windows(TRIALS)
    own = TRIALS.subject[windows.trial] == "p02"
    moved = windows.with_values(np.where(own[:, None], 7 + 0.3 * windows.values, windows.values))
    np.testing.assert_allclose(by_subject(windows, TRIALS).values, by_subject(moved, TRIALS).values, atol=1e-10)


def test_running_statistics_are_those_of_a_slow_loop() -> None:
    windows, prior = make_windows(TRIALS, offset=2.0), 7.0
    found = running(windows, TRIALS, LEARNT, prior=prior)
    train = windows.of(LEARNT).values
    for one in TRIALS.subjects:
        seen: list[np.ndarray] = []
        for trial in sorted(np.flatnonzero(TRIALS.subject == one), key=lambda place: TRIALS.order[place]):
            for place in np.flatnonzero(windows.trial == trial):
                seen.append(windows.values[place])
                past = np.array(seen)
                total = prior + len(past)
                mean = (prior * train.mean(0) + past.sum(0)) / total
                square = (prior * (train**2).mean(0) + (past**2).sum(0)) / total
                expected = (windows.values[place] - mean) / np.sqrt(square - mean**2)
                np.testing.assert_allclose(found.values[place], expected, atol=1e-9)


@pytest.mark.parametrize("order", [1, 3, 5])
def test_running_statistics_know_nothing_of_what_comes_later(order: int) -> None:
    windows = make_windows(TRIALS, offset=2.0)
    before, after = (running(one, TRIALS, LEARNT) for one in (windows, later_changed(windows, "p03", order)))
    earlier = (TRIALS.subject[windows.trial] != "p03") | (TRIALS.order[windows.trial] < order)
    np.testing.assert_array_equal(before.values[earlier], after.values[earlier])
    assert not np.allclose(before.values[~earlier], after.values[~earlier])


def test_per_subject_statistics_do_know_it() -> None:
    windows = make_windows(TRIALS)
    before, after = (by_subject(one, TRIALS) for one in (windows, later_changed(windows, "p03", 5)))
    earlier = (TRIALS.subject[windows.trial] == "p03") & (TRIALS.order[windows.trial] < 5)
    assert not np.allclose(before.values[earlier], after.values[earlier])


def test_an_endless_prior_is_normalisation_by_training() -> None:
    windows = make_windows(TRIALS, offset=1.0)
    np.testing.assert_allclose(
        running(windows, TRIALS, LEARNT, prior=1e12).values, by_training(windows, LEARNT).values, atol=1e-6
    )


def test_unknown_and_constant_features_become_zero() -> None:
    windows = make_windows(TRIALS)
    values = windows.values.copy()
    values[3, 1] = np.nan
    values[:, 2] = 4.0
    for found in (
        by_training(windows.with_values(values), LEARNT),
        by_subject(windows.with_values(values), TRIALS),
        running(windows.with_values(values), TRIALS, LEARNT),
    ):
        assert np.isfinite(found.values).all()
        assert (found.values[:, 2] == 0).all()
    assert by_training(windows.with_values(values), LEARNT).values[3, 1] == 0


def test_the_names_of_subjects_do_not_matter() -> None:
    windows = make_windows(TRIALS, offset=2.0)
    renamed = replace(TRIALS, subject=np.array([f"{9 - int(one[1:]):02d}" for one in TRIALS.subject]))
    np.testing.assert_allclose(by_subject(windows, TRIALS).values, by_subject(windows, renamed).values)
    np.testing.assert_allclose(running(windows, TRIALS, LEARNT).values, running(windows, renamed, LEARNT).values)
