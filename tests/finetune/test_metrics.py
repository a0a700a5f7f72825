"""AUROC and AUPRC against scikit-learn, in closed form, with partial labels and with one label value."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score

from finetune.metrics.bootstrap import subject_weights
from finetune.metrics.ranking import best_thresholds, decide, macro, rank_metrics


def draw(n: int, k: int, seed: int, *, decimals: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Scores with many ties, labels, and which labels are known."""
    generator = np.random.default_rng(seed)
    labels = generator.random((n, k)) < 0.3
    scores = (generator.normal(size=(n, k)) + labels).round(decimals)
    return scores, labels, generator.random((n, k)) < 0.8


def test_every_bootstrap_draw_equals_scikit_learn_with_ties_and_unknown_labels() -> None:
    scores, labels, known = draw(80, 6, seed=0)
    weights = subject_weights([f"p{i % 50}" for i in range(80)], n_draws=250, seed=1)
    found = rank_metrics(scores, labels, known, weights)
    for concept in range(6):
        rows = known[:, concept]
        for column in range(0, 251, 25):
            part = (labels[rows, concept], scores[rows, concept])
            weight = weights[rows, column]
            assert found.auroc[concept, column] == pytest.approx(roc_auc_score(*part, sample_weight=weight), abs=1e-12)
            assert found.auprc[concept, column] == pytest.approx(
                average_precision_score(*part, sample_weight=weight), abs=1e-12
            )


def test_a_draw_equals_the_records_repeated() -> None:
    scores, labels, _ = draw(40, 1, seed=3)
    weights = subject_weights([str(i // 2) for i in range(40)], n_draws=20, seed=2)
    found = rank_metrics(scores, labels, weights=weights)
    for column in range(21):
        repeated = np.repeat(np.arange(40), weights[:, column].astype(int))
        assert found.auroc[0, column] == pytest.approx(roc_auc_score(labels[repeated, 0], scores[repeated, 0]))


@settings(max_examples=60, deadline=None)
@given(
    scores=st.lists(st.integers(-3, 3), min_size=2, max_size=30),
    seed=st.integers(0, 1000),
)
def test_ties_are_right_for_any_scores(scores: list[int], seed: int) -> None:
    labels = np.random.default_rng(seed).random(len(scores)) < 0.5
    labels[0], labels[1] = True, False
    found = rank_metrics(np.array(scores, float)[:, None], labels[:, None])
    assert found.auroc[0, 0] == pytest.approx(roc_auc_score(labels, scores))
    assert found.auprc[0, 0] == pytest.approx(average_precision_score(labels, scores))


@pytest.mark.parametrize(("sign", "auroc", "auprc"), [(1.0, 1.0, 1.0), (-1.0, 0.0, None), (0.0, 0.5, 0.25)])
def test_perfect_reversed_and_constant_scores(sign: float, auroc: float, auprc: float | None) -> None:
    labels = np.array([True] * 5 + [False] * 15)[:, None]
    found = rank_metrics(sign * labels.astype(float), labels)
    assert found.auroc[0, 0] == auroc
    if auprc is not None:
        assert found.auprc[0, 0] == auprc


def test_a_monotone_map_of_the_scores_changes_nothing() -> None:
    scores, labels, known = draw(60, 3, seed=5)
    one, other = rank_metrics(scores, labels, known), rank_metrics(np.exp(3 * scores), labels, known)
    np.testing.assert_array_equal(one.auroc, other.auroc)
    np.testing.assert_array_equal(one.auprc, other.auprc)


def test_one_label_value_and_missing_scores_are_nan_and_stay_out_of_the_macro_mean() -> None:
    scores, labels, known = draw(50, 5, seed=6)
    labels[:, 1], labels[:, 2] = True, False
    scores[7, 3] = np.nan
    known[:] = True
    known[:, 4] = labels[:, 4]  # only positives are known
    found = rank_metrics(scores, labels, known)
    assert np.isnan(found.auroc[:, 0]).tolist() == [False, True, True, True, True]
    assert np.isnan(found.auprc[:, 0]).tolist() == [False, True, True, True, True]
    assert macro(found.auroc)[0] == found.auroc[0, 0]
    assert np.isnan(macro(found.auroc[1:]))


def test_a_draw_without_a_positive_has_no_value() -> None:
    labels = np.array([True, False, False])[:, None]
    weights = np.array([[1.0, 0.0, 2.0], [1.0, 2.0, 0.0], [1.0, 1.0, 0.0]])
    found = rank_metrics(np.array([3.0, 2.0, 1.0])[:, None], labels, weights=weights)
    assert np.isnan(found.auroc[0]).tolist() == [False, True, True]
    assert np.isnan(found.auprc[0]).tolist() == [False, True, True]


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected equal \(row, concept\) shapes"):
        rank_metrics(np.zeros((4, 2)), np.zeros((4, 3), bool))


def test_the_threshold_is_where_f1_is_largest() -> None:
    scores, labels, _ = draw(60, 4, seed=8, decimals=3)
    known = np.ones_like(labels)
    thresholds = best_thresholds(scores, labels, known)
    found = decide(scores, labels, known, thresholds)
    for concept in range(4):
        reachable = [f1_score(labels[:, concept], scores[:, concept] >= cut) for cut in scores[:, concept]]
        assert found.f1[concept] == pytest.approx(max(reachable))
        assert thresholds[concept] not in scores[:, concept]


def test_decisions_are_counted_over_known_labels_only() -> None:
    scores = np.array([[0.9], [0.8], [0.2], [0.1], [0.7]])
    labels = np.array([[True], [False], [True], [False], [True]])
    known = np.array([[True], [True], [True], [True], [False]])
    found = decide(scores, labels, known, np.array([0.5]))
    assert (found.sensitivity[0], found.specificity[0], found.f1[0]) == (0.5, 0.5, 0.5)
    assert np.isnan(decide(scores, labels, known, np.array([np.nan])).f1[0])
    assert np.isnan(best_thresholds(scores, np.zeros_like(labels), known)[0])
