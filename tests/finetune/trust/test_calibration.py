"""Scales of logits: found again where they are known, no ranking changed, nothing made of one label value."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from finetune.trust.calibration import Scaling, calibrate


def draw(n: int, k: int, *, temperature: float = 1.0, offset: float = 0.0, seed: int = 0) -> tuple[np.ndarray, ...]:
    """Labels that happen as often as the true log odds say, and logits that are those times the temperature."""
    generator = np.random.default_rng(seed)
    truth = generator.normal(-1, 2, size=(n, k))
    labels = generator.random((n, k)) < expit(truth)
    return (truth - offset) * temperature, labels, np.ones((n, k), bool)


@pytest.mark.parametrize("temperature", [0.25, 1.0, 3.0])
def test_a_known_temperature_is_found(temperature: float) -> None:
    found = calibrate(*draw(20_000, 3, temperature=temperature), Scaling.TEMPERATURE)
    np.testing.assert_allclose(found.slope, 1 / temperature, rtol=0.05)
    assert not found.offset.any()


def test_known_slopes_and_offsets_are_found_concept_by_concept() -> None:
    first = draw(20_000, 1, temperature=2.0, offset=1.0)
    second = draw(20_000, 1, temperature=0.5, offset=-0.5, seed=1)
    found = calibrate(*(np.hstack(pair) for pair in zip(first, second, strict=True)), Scaling.VECTOR)
    np.testing.assert_allclose(found.slope, [0.5, 2.0], rtol=0.05)
    np.testing.assert_allclose(found.offset, [1.0, -0.5], atol=0.06)


def test_the_temperature_is_the_best_of_a_grid() -> None:
    logits, labels, known = draw(300, 2, temperature=3.0, seed=4)
    best = float(calibrate(logits, labels, known, Scaling.TEMPERATURE).slope[0])

    def loss(slope: float) -> float:
        return log_loss(labels.ravel(), expit(slope * logits).ravel())

    assert loss(best) <= min(loss(slope) for slope in np.geomspace(0.02, 50, 400)) + 1e-6


def test_with_many_records_platt_is_logistic_regression() -> None:
    logits, labels, known = draw(50_000, 1, temperature=2.0, offset=0.3)
    found = calibrate(logits, labels, known, Scaling.VECTOR)
    peer = LogisticRegression(C=1e8, tol=1e-8).fit(logits, labels[:, 0])
    np.testing.assert_allclose([found.slope[0], found.offset[0]], [peer.coef_[0, 0], peer.intercept_[0]], atol=2e-3)


def test_none_is_the_sigmoid() -> None:
    logits, labels, known = draw(20, 2)
    np.testing.assert_allclose(
        calibrate(logits, labels, known, Scaling.NONE).probabilities(logits), expit(logits), rtol=1e-12
    )


def test_few_records_that_are_told_apart_do_not_make_it_certain() -> None:
    logits, labels = np.array([[-1.0], [-0.5], [0.5], [1.0]]), np.array([[False], [False], [True], [True]])
    found = calibrate(logits, labels, np.ones_like(labels), Scaling.VECTOR).probabilities(logits)
    # Platt's targets for two and two: 3/4 and 1/4.
    assert 0.5 < found[2:].max() < 0.9
    assert 0.1 < found[:2].min() < 0.5


def test_one_label_value_or_an_inverted_ranking_takes_the_common_temperature() -> None:
    logits, labels, known = draw(500, 3, temperature=2.0)
    labels[:, 0] = False
    labels[:, 1] = ~labels[:, 1]
    common = calibrate(logits, labels, known, Scaling.TEMPERATURE)
    found = calibrate(logits, labels, known, Scaling.VECTOR)
    np.testing.assert_array_equal(found.slope[:2], common.slope[:2])
    np.testing.assert_array_equal(found.offset[:2], 0)
    assert found.slope[2] != common.slope[2]


@pytest.mark.parametrize("scaling", Scaling)
def test_no_ranking_changes_and_unknown_labels_have_no_part(scaling: Scaling) -> None:
    logits, labels, known = draw(200, 3, temperature=3.0)
    known[::3, 1] = False
    found = calibrate(logits, labels, known, scaling)
    for before, after in zip(logits.T, found.probabilities(logits).T, strict=True):
        assert (np.diff(logit(after)[np.argsort(before)]) >= -1e-9).all()
    other = np.where(known, labels, ~labels)
    again = calibrate(logits, other, known, scaling)
    np.testing.assert_array_equal(found.slope, again.slope)
    np.testing.assert_array_equal(found.offset, again.offset)


def test_no_known_label_is_refused() -> None:
    with pytest.raises(ValueError, match="expected a known label to calibrate on, got none"):
        calibrate(np.zeros((3, 1)), np.zeros((3, 1), bool), np.zeros((3, 1), bool), Scaling.TEMPERATURE)
