"""Intervals: coverage on a known case, subjects as clusters, seeds, and draws shared between models."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from finetune.metrics.bootstrap import Kind, interval, seed_interval, subject_weights
from finetune.metrics.ranking import macro, rank_metrics


def test_a_draw_takes_whole_subjects_as_many_as_there_are() -> None:
    subjects = ["a", "b", "b", "c", "c", "c"]
    weights = subject_weights(subjects, n_draws=500)
    assert weights.shape == (6, 501)
    np.testing.assert_array_equal(weights[:, 0], 1)
    np.testing.assert_array_equal(weights[1], weights[2])
    np.testing.assert_array_equal(weights[3], weights[5])
    np.testing.assert_array_equal(weights[[0, 1, 3], 1:].sum(0), 3)
    assert weights[:, 1:].mean() == pytest.approx(1, abs=0.1)


def test_equal_seeds_give_equal_draws_whatever_is_scored() -> None:
    subjects = [f"p{i}" for i in range(30)]
    np.testing.assert_array_equal(subject_weights(subjects), subject_weights(subjects))
    assert not np.array_equal(subject_weights(subjects), subject_weights(subjects, seed=1))


def test_the_interval_of_a_binormal_auroc_covers_the_truth() -> None:
    """Positives N(1, 1), negatives N(0, 1): AUROC = Phi(1 / sqrt 2). 300 studies of 150 people."""
    truth, generator = norm.cdf(1 / np.sqrt(2)), np.random.default_rng(0)
    labels = (np.arange(150) < 50)[:, None]
    covered = 0
    for study in range(300):
        scores = generator.normal(size=(150, 1)) + labels
        weights = subject_weights([str(i) for i in range(150)], n_draws=300, seed=study)
        found = interval(rank_metrics(scores, labels, weights=weights).auroc[0])
        covered += found.low <= truth <= found.high
    assert 0.91 <= covered / 300 <= 0.98


def test_reversed_intervals_of_macro_auprc_cover_the_truth_and_percentiles_do_not() -> None:
    """20 concepts of prevalence 0.12, scores one standard deviation apart, 60 studies of 300 people."""
    generator = np.random.default_rng(0)

    def study(n: int, concepts: int) -> tuple[np.ndarray, np.ndarray]:
        labels = generator.random((n, concepts)) < 0.12
        return generator.normal(size=(n, concepts)) + labels, labels

    truth = rank_metrics(*study(400_000, 1)).auprc[0, 0]
    covered = dict.fromkeys(Kind, 0)
    bias = {"value": 0.0, "sample": 0.0}
    for seed in range(60):
        weights = subject_weights([str(i) for i in range(300)], n_draws=200, seed=seed)
        values = macro(rank_metrics(*study(300, 20), weights=weights).auprc)
        for kind in Kind:
            found = interval(values, kind)
            covered[kind] += found.low <= truth <= found.high
            if kind is Kind.REVERSED:
                bias["value"] += (found.value - truth) / 60
                bias["sample"] += (found.sample - truth) / 60
    assert covered[Kind.REVERSED] / 60 >= 0.85
    assert covered[Kind.PERCENTILE] / 60 <= 0.6
    assert abs(bias["value"]) < 0.5 * bias["sample"]


def test_repeating_every_record_of_a_subject_does_not_narrow_the_interval() -> None:
    """Four copies of each record are no new evidence: the subject bootstrap knows, a record bootstrap does not."""
    generator = np.random.default_rng(1)
    labels = (np.arange(100) < 40)[:, None]
    scores = generator.normal(size=(100, 1)) + labels
    people = [str(i) for i in range(100)]
    alone = interval(rank_metrics(scores, labels, weights=subject_weights(people)).auroc[0])
    four = [np.repeat(part, 4, axis=0) for part in (scores, labels)]
    clustered = interval(rank_metrics(*four, weights=subject_weights(np.repeat(people, 4))).auroc[0])
    as_if_independent = interval(rank_metrics(*four, weights=subject_weights([str(i) for i in range(400)])).auroc[0])
    assert (clustered.low, clustered.high) == pytest.approx((alone.low, alone.high))
    assert as_if_independent.high - as_if_independent.low < 0.6 * (clustered.high - clustered.low)


def test_draws_without_a_value_are_left_out() -> None:
    found = interval(np.array([0.5, np.nan, 0.4, 0.6]))
    assert found.value == 0.5
    assert 0.4 <= found.low < found.high <= 0.6
    nothing = interval(np.array([np.nan, 0.2]))
    assert np.isnan([nothing.value, nothing.low, nothing.high]).all()


def test_two_seeds_have_no_seed_interval_and_three_widen_it() -> None:
    draws = 0.8 + 0.01 * np.random.default_rng(2).normal(size=(1, 1001))
    assert seed_interval(draws) is None
    assert seed_interval(np.repeat(draws, 2, axis=0)) is None
    steady = seed_interval(np.repeat(draws, 3, axis=0))
    spread = seed_interval(draws + np.array([[-0.03], [0.0], [0.03]]))
    subjects = interval(draws[0])
    assert steady is not None
    assert spread is not None
    assert (steady.low, steady.high) == pytest.approx((subjects.low, subjects.high))
    assert spread.value == pytest.approx(subjects.value)
    assert spread.high - spread.low > 2 * (subjects.high - subjects.low)


def test_the_seed_interval_covers_the_mean_over_all_seeds() -> None:
    """600 studies of 3 seeds N(0.8, 0.02) on subjects known exactly: t with two degrees of freedom."""
    generator = np.random.default_rng(3)
    covered = 0
    for _ in range(600):
        points = 0.8 + 0.02 * generator.normal(size=(3, 1))
        found = seed_interval(np.repeat(points, 21, axis=1))
        assert found is not None
        covered += found.low <= 0.8 <= found.high
    assert 0.92 <= covered / 600 <= 0.98
