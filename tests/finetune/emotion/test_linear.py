from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from finetune.emotion.features import Windowed
from finetune.emotion.linear import C_GRID, CALIBRATION_WEIGHT, by_trial, fit, trial_loss, trial_weights
from finetune.emotion.protocols import Fold, Plan, Protocol
from tests.finetune.emotion.fake_trials import make_trials, make_windows

TRIALS = make_trials(8, 6)
FOLD = Plan().folds(TRIALS, 0)[0]


def test_a_planted_signal_is_found_and_little_regularised() -> None:
    windows = make_windows(TRIALS, effect=3.0)
    fitted = fit(windows, TRIALS, FOLD)
    tested = windows.of(FOLD.test)
    trials, found = by_trial(fitted.probabilities(tested.values), tested.trial)
    assert (found.argmax(1) == TRIALS.label[trials]).all()
    assert fitted.c >= 1e-2


def test_noise_is_not_believed() -> None:
    # Many judges: with few, chance may prefer any strength.
    trials = make_trials(80, 6)
    plan = Plan(Protocol.KFOLD, k=40).folds(trials, 0)[0]
    fold = replace(plan, train=plan.train[:120], validation=plan.validation + plan.train[120:])
    for seed in range(4):
        fitted = fit(make_windows(trials, features=40, seed=seed), trials, fold)
        assert fitted.validation_loss[fitted.c] == pytest.approx(np.log(2), abs=0.01)


def test_the_strength_is_that_of_the_least_validation_loss_and_the_test_side_has_no_say() -> None:
    windows = make_windows(TRIALS, effect=0.7)
    fitted = fit(windows, TRIALS, FOLD)
    assert tuple(fitted.validation_loss) == C_GRID
    assert fitted.validation_loss[fitted.c] == min(fitted.validation_loss.values())
    tested = windows.mask(FOLD.test)
    other = fit(windows.with_values(np.where(tested[:, None], 99.0, windows.values)), TRIALS, FOLD)
    assert other.validation_loss == fitted.validation_loss


@pytest.mark.parametrize("classes", [2, 3])
def test_probabilities_are_of_the_classes_of_the_task(classes: int) -> None:
    trials = make_trials(8, 6, classes=classes)
    windows = make_windows(trials, effect=2.0)
    found = fit(windows, trials, Plan().folds(trials, 0)[0]).probabilities(windows.values)
    assert found.shape == (len(windows.values), classes)
    np.testing.assert_allclose(found.sum(1), 1)


def test_trials_weigh_the_same_and_classes_are_balanced() -> None:
    trials = make_trials(6, 6)
    # Trial 0 is long; class 1 is rare.
    first = [p for p in range(12) if trials.label[p] == 0][:4]
    second = [p for p in range(12) if trials.label[p] == 1][:2]
    of = np.array([first[0]] * 10 + first[1:] + second)
    weights = trial_weights(of, trials, Fold("x", tuple(first + second), (), ()))
    sums = {int(p): weights[of == p].sum() for p in np.unique(of)}
    assert sum(sums.values()) == pytest.approx(6)
    assert sum(sums[p] for p in first) == pytest.approx(sum(sums[p] for p in second))
    assert len({round(sums[p], 9) for p in first}) == 1


def test_a_calibration_trial_counts_as_ten() -> None:
    trials = make_trials(6, 6)
    fold = Plan(Protocol.FEW_SHOT, shots=2).folds(trials, 0)[0]
    weights = dict(zip(fold.learnt, trial_weights(np.array(fold.learnt), trials, fold), strict=False))
    for label in (0, 1):
        given = [weights[p] for p in fold.calibration if trials.label[p] == label]
        others = [weights[p] for p in fold.train if trials.label[p] == label]
        for one in given:
            assert one == pytest.approx(CALIBRATION_WEIGHT * others[0])


def test_the_mean_of_the_windows_is_the_trial() -> None:
    trials, found = by_trial(np.array([[0.2, 0.8], [0.4, 0.6], [1.0, 0.0]]), np.array([5, 5, 2]))
    assert trials.tolist() == [2, 5]
    np.testing.assert_allclose(found, [[1.0, 0.0], [0.3, 0.7]])


def test_the_loss_is_that_of_trials() -> None:
    trials = replace(TRIALS, label=np.zeros(len(TRIALS), np.int64))
    loss = trial_loss(np.array([[0.2, 0.8], [0.4, 0.6], [1.0, 0.0]]), np.array([5, 5, 2]), trials)
    assert loss == pytest.approx(-(np.log(0.3) + np.log(1.0)) / 2)
    assert np.isfinite(trial_loss(np.array([[0.0, 1.0]]), np.array([0]), trials))


def test_nothing_to_judge_is_no_row() -> None:
    fitted = fit(make_windows(TRIALS, effect=1.0), TRIALS, FOLD)
    assert fitted.probabilities(np.zeros((0, 4))).shape == (0, 2)
    assert Windowed(np.zeros((2, 4)), np.zeros(2, np.int64)).of([1]).values.shape == (0, 4)
