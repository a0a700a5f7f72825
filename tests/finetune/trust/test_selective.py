"""The risk that is left: by hand, against random orders of ties, and at both ends."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from finetune.trust.selective import selective


def test_by_hand() -> None:
    found = selective(np.array([0.9, 0.6, 0.8, 0.7]), np.array([False, True, False, True]))
    np.testing.assert_allclose(found.coverage, [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(found.risk, [0, 0, 1 / 3, 1 / 2])
    assert found.area == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)
    assert found.refinement == 1.0


def test_the_best_and_the_worst_order() -> None:
    wrong = np.arange(100) < 20
    best, worst = selective(-wrong.astype(float), wrong), selective(wrong.astype(float), wrong)
    assert best.risk[0] == 0
    assert worst.risk[0] == 1
    assert best.risk[-1] == worst.risk[-1] == 0.2
    assert best.area < 0.2 < worst.area
    assert (best.refinement, worst.refinement) == (1.0, 0.0)


def test_ties_are_the_mean_over_random_orders() -> None:
    generator = np.random.default_rng(0)
    confidence, wrong = generator.integers(0, 3, 40).astype(float), generator.random(40) < 0.4
    areas = []
    for _ in range(4000):
        order = np.lexsort((generator.random(40), -confidence))
        areas.append((np.cumsum(wrong[order]) / np.arange(1, 41)).mean())
    found = selective(confidence, wrong)
    assert found.area == pytest.approx(np.mean(areas), abs=4 * np.std(areas) / 4000**0.5)
    assert len(found.risk) == len(np.unique(confidence))
    assert found.refinement == pytest.approx(roc_auc_score(~wrong, confidence))


def test_confidence_that_knows_nothing_has_the_error_rate() -> None:
    wrong = np.arange(50) < 10
    found = selective(np.zeros(50), wrong)
    assert found.area == pytest.approx(0.2)
    assert found.refinement == 0.5


@pytest.mark.parametrize("value", [True, False])
def test_all_right_or_all_wrong_has_no_refinement(value: bool) -> None:
    found = selective(np.arange(5.0), np.full(5, value))
    assert np.isnan(found.refinement)
    assert found.area == float(value)


def test_no_answer_is_refused() -> None:
    with pytest.raises(ValueError, match="expected at least one answer, got none"):
        selective(np.zeros(0), np.zeros(0, bool))
