"""Calibration errors against loops and scikit-learn, in closed form, with unknown labels and bootstrap draws."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss

from finetune.metrics.bootstrap import subject_weights
from finetune.trust.reliability import Bins, brier, calibration_error, reliability


def draw(n: int, k: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    probabilities = generator.beta(0.6, 2.0, size=(n, k))
    return probabilities, generator.random((n, k)) < 0.7 * probabilities, generator.random((n, k)) < 0.8


def slow_error(said: np.ndarray, label: np.ndarray, weight: np.ndarray, n_bins: int) -> float:
    error = 0.0
    for low in range(n_bins):
        inside = [
            i for i, p in enumerate(said) if low / n_bins <= p < (low + 1) / n_bins or (p == 1 and low == n_bins - 1)
        ]
        count = sum(weight[i] for i in inside)
        if count:
            gap = sum(weight[i] * (said[i] - label[i]) for i in inside) / count
            error += count / weight.sum() * abs(gap)
    return error


def test_every_draw_equals_the_loop() -> None:
    probabilities, labels, known = draw(60, 3)
    probabilities[0, 0], probabilities[1, 0] = 0.0, 1.0
    weights = subject_weights([f"p{i // 2}" for i in range(60)], n_draws=8, seed=1)
    found = calibration_error(probabilities, labels, known, weights, n_bins=10)
    assert found.shape == (3, 9)
    for concept in range(3):
        rows = known[:, concept]
        for column in range(9):
            slow = slow_error(probabilities[rows, concept], labels[rows, concept], weights[rows, column], 10)
            assert found[concept, column] == pytest.approx(slow, abs=1e-12)


def test_bins_of_equal_mass_hold_equal_numbers_and_keep_ties_together() -> None:
    said = np.arange(30) / 30
    label = np.zeros(30, bool)
    curve = reliability(said, label, bins=Bins.MASS, n_bins=5)
    np.testing.assert_array_equal(curve.count, 6)
    tied = np.r_[np.full(20, 0.1), np.linspace(0.5, 0.9, 10)]
    counts = reliability(tied, label, bins=Bins.MASS, n_bins=5).count
    assert counts[0] == 20
    assert counts.sum() == 30
    assert calibration_error(
        said[:, None], label[:, None], np.ones((30, 1), bool), bins=Bins.MASS, n_bins=5
    ) == pytest.approx(said.mean())


def test_the_diagram_is_scikit_learns() -> None:
    probabilities, labels, _ = draw(400, 1)
    ours = reliability(probabilities[:, 0], labels[:, 0], n_bins=12)
    happened, said = calibration_curve(labels[:, 0], probabilities[:, 0], n_bins=12)
    np.testing.assert_allclose(ours.happened, happened)
    np.testing.assert_allclose(ours.said, said)


def test_brier_is_scikit_learns_in_every_draw() -> None:
    probabilities, labels, known = draw(50, 2)
    weights = subject_weights([f"p{i}" for i in range(50)], n_draws=5, seed=2)
    found = brier(probabilities, labels, known, weights)
    for concept in range(2):
        rows = known[:, concept]
        for column in range(6):
            peer = brier_score_loss(
                labels[rows, concept], probabilities[rows, concept], sample_weight=weights[rows, column]
            )
            assert found[concept, column] == pytest.approx(peer, abs=1e-12)


@pytest.mark.parametrize("bins", Bins)
def test_closed_forms(bins: Bins) -> None:
    labels = np.tile([True, False, False, False], 25)[:, None]
    known = np.ones_like(labels)
    for said, error in ((0.25, 0.0), (0.75, 0.5), (0.0, 0.25)):
        constant = np.full(labels.shape, said)
        assert calibration_error(constant, labels, known, bins=bins) == pytest.approx(error)
        assert brier(constant, labels, known) == pytest.approx(0.25 * 0.75 + (said - 0.25) ** 2)
    sure = labels.astype(float)
    assert calibration_error(sure, labels, known, bins=bins) == pytest.approx(0.0)
    assert brier(sure, labels, known) == pytest.approx(0.0)


def test_probabilities_that_mean_what_they_say_have_an_error_that_falls_with_the_sample() -> None:
    generator = np.random.default_rng(0)
    said = generator.random((40_000, 1))
    happened = generator.random((40_000, 1)) < said
    errors = [float(calibration_error(said[:n], happened[:n], np.ones((n, 1), bool))[0, 0]) for n in (200, 40_000)]
    assert errors[1] < 0.01 < errors[0]


def test_unknown_labels_have_no_part_and_a_concept_without_any_is_nan() -> None:
    probabilities, labels, known = draw(40, 2)
    known[:, 1] = False
    for measure in (calibration_error, brier):
        found = measure(probabilities, labels, known)
        np.testing.assert_array_equal(found, measure(probabilities, np.where(known, labels, ~labels), known))
        assert np.isnan(found[1, 0])
        assert not np.isnan(found[0, 0])
