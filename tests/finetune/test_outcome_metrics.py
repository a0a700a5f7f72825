"""Errors, concordance, survival curves and baseline hazards of all draws at once, against one draw at a time."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import pearsonr
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from finetune.metrics.bootstrap import subject_weights
from finetune.metrics.concordance import concordance_draws, concordance_index
from finetune.metrics.errors import regression_errors
from finetune.metrics.survival import at_risk, breslow, kaplan_meier

PEOPLE = [f"p{i % 17}" for i in range(40)]


def survivors(n: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Risks and times with ties, and events."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=n).round(1), rng.integers(0, 12, n).astype(float), rng.random(n) < 0.6


def repeated(weights: np.ndarray, *parts: np.ndarray) -> list[np.ndarray]:
    return [np.repeat(part, weights.astype(int)) for part in parts]


def test_errors_of_every_draw_are_those_of_the_records_repeated() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(60, 15, 40)
    predicted = true + rng.normal(3, 10, 40)
    weights = subject_weights(PEOPLE, n_draws=20)
    found = regression_errors(predicted, true, weights)
    for draw in range(21):
        y, p = repeated(weights[:, draw], true, predicted)
        assert found["mae"][draw] == pytest.approx(mean_absolute_error(y, p))
        assert found["rmse"][draw] == pytest.approx(root_mean_squared_error(y, p))
        assert found["r2"][draw] == pytest.approx(r2_score(y, p))
        assert found["pearson"][draw] == pytest.approx(pearsonr(y, p).statistic)


def test_a_constant_correlates_with_nothing_and_its_mean_explains_nothing() -> None:
    true = np.array([1.0, 2.0, 6.0])
    found = regression_errors(np.full(3, true.mean()), true, np.ones((3, 1)))
    assert np.isnan(found["pearson"][0])
    assert found["r2"][0] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("block", [1, 7, 10**6])
def test_concordance_of_every_draw_is_that_of_the_subjects_repeated(
    block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("finetune.metrics.concordance._PAIRS", block * 40)
    risk, time, event = survivors()
    weights = subject_weights(PEOPLE, n_draws=15)
    found = concordance_draws(risk, time, event, weights)
    for draw in range(16):
        assert found[draw] == pytest.approx(concordance_index(*repeated(weights[:, draw], risk, time, event)))


def test_without_an_event_there_is_no_concordance() -> None:
    risk, time, _ = survivors()
    assert np.isnan(concordance_draws(risk, time, np.zeros(40, bool), np.ones((40, 2)))).all()


def test_survival_curves_against_a_loop_and_in_closed_form() -> None:
    _, time, event = survivors()
    weights = subject_weights(PEOPLE, n_draws=10)
    curve = kaplan_meier(time, event, weights)
    for draw in range(11):
        y, died = repeated(weights[:, draw], time, event)
        share = 1.0
        for place, moment in enumerate(curve.times):
            watched = (y >= moment).sum()
            share *= 1 - (died & (y == moment)).sum() / watched if watched else 1.0
            assert curve.surviving[place, draw] == pytest.approx(share)
    # Nobody is censored: the share that outlives each time.
    whole = kaplan_meier(time, np.ones(40, bool), np.ones((40, 1)))
    np.testing.assert_allclose(whole.surviving[:, 0], [(time > moment).mean() for moment in whole.times], atol=1e-12)
    assert whole.at(-1.0)[0] == 1
    assert whole.at(4.5)[0] == whole.at(4.0)[0] == pytest.approx((time > 4).mean())
    np.testing.assert_array_equal(at_risk(time, np.array([0.0, 5.0])), [40, (time >= 5).sum()])


def test_baseline_hazard_against_a_loop_and_a_known_one() -> None:
    risk, time, event = survivors()
    found = breslow(risk, time, event)
    total = 0.0
    for place, moment in enumerate(found.times):
        total += (event & (time == moment)).sum() / np.exp(risk[time >= moment]).sum()
        assert found.cumulative[place] == pytest.approx(total)
    rng = np.random.default_rng(2)
    risk = rng.normal(size=4000)
    time = rng.exponential(1 / (0.1 * np.exp(risk)))
    known = breslow(risk, np.minimum(time, 8.0), time <= 8)
    np.testing.assert_allclose(
        known.probability(np.array([0.0, 1.0]), 5.0), 1 - np.exp(-0.5 * np.exp([0, 1])), rtol=0.06
    )
    assert known.probability(np.array([3.0]), 0.0)[0] == 0
