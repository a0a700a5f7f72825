from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics as sk

from finetune.emotion.metrics import Measure, measures, score
from finetune.metrics.bootstrap import interval


def draw(
    rng: np.random.Generator, subjects: int, trials: int, classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    labels = rng.integers(classes, size=subjects * trials)
    probabilities = rng.dirichlet(np.ones(classes), size=len(labels))
    return probabilities, labels, np.repeat([f"p{n}" for n in range(subjects)], trials)


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_equal_numbers_of_trials_give_what_scikit_learn_gives(classes: int) -> None:
    probabilities, labels, subjects = draw(np.random.default_rng(classes), 7, 11, classes)
    said = probabilities.argmax(1)
    found = {name: values[0] for name, values in score(probabilities, labels, subjects, n_draws=3).items()}
    assert found[Measure.ACCURACY] == pytest.approx(sk.accuracy_score(labels, said))
    assert found[Measure.BALANCED_ACCURACY] == pytest.approx(sk.balanced_accuracy_score(labels, said))
    assert found[Measure.MACRO_F1] == pytest.approx(sk.f1_score(labels, said, average="macro"))
    assert found[Measure.KAPPA] == pytest.approx(sk.cohen_kappa_score(labels, said))
    assert set(found) == set(measures(classes))
    if classes == 2:
        assert found[Measure.AUROC] == pytest.approx(sk.roc_auc_score(labels, probabilities[:, 1]))


def test_a_subject_counts_once_however_many_trials_it_has() -> None:
    # p0: 1 trial, right. p1: 3 trials, all wrong.
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    labels, subjects = np.array([0, 0, 0, 1]), np.array(["p0", "p1", "p1", "p1"])
    found = score(probabilities, labels, subjects, n_draws=1)
    assert found[Measure.ACCURACY][0] == pytest.approx(0.5)
    weights = np.array([1, 1 / 3, 1 / 3, 1 / 3])
    said = probabilities.argmax(1)
    assert found[Measure.KAPPA][0] == pytest.approx(sk.cohen_kappa_score(labels, said, sample_weight=weights))
    assert found[Measure.AUROC][0] == pytest.approx(
        sk.roc_auc_score(labels, probabilities[:, 1], sample_weight=weights)
    )


def test_a_subject_of_one_class_has_accuracy_and_adds_to_the_table_but_has_no_auroc_of_its_own() -> None:
    # p0 has both classes, ordered rightly; p1 has class 0 only, half of it right.
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.3], [0.4, 0.6]])
    labels, subjects = np.array([0, 1, 0, 0]), np.array(["p0", "p0", "p1", "p1"])
    found = {name: values[0] for name, values in score(probabilities, labels, subjects, n_draws=1).items()}
    assert found[Measure.ACCURACY] == pytest.approx((1.0 + 0.5) / 2)
    assert found[Measure.AUROC_WITHIN] == 1.0
    assert found[Measure.KAPPA] == pytest.approx(sk.cohen_kappa_score(labels, probabilities.argmax(1)))
    assert found[Measure.AUROC] == pytest.approx(sk.roc_auc_score(labels, probabilities[:, 1]))


def test_subjects_of_one_class_each_leave_auroc_within_undefined() -> None:
    probabilities = np.array([[0.9, 0.1], [0.2, 0.8]])
    found = score(probabilities, np.array([0, 1]), np.array(["p0", "p1"]), n_draws=50)
    assert np.isnan(found[Measure.AUROC_WITHIN]).all()
    assert found[Measure.AUROC][0] == 1.0
    # A draw of one class only has no kappa if that class is all that is said, and no AUROC.
    assert np.isnan(found[Measure.KAPPA]).any()
    assert not np.isnan(found[Measure.ACCURACY]).any()


def test_draws_are_metrics_of_drawn_subjects() -> None:
    probabilities, labels, subjects = draw(np.random.default_rng(0), 5, 6, 2)
    found = score(probabilities, labels, subjects, n_draws=20, seed=3)
    from finetune.metrics.bootstrap import subject_weights

    people = np.unique(subjects)
    weights = subject_weights(people.tolist(), n_draws=20, seed=3)
    for at in range(21):
        rows = np.concatenate(
            [np.repeat(np.flatnonzero(subjects == one), int(w)) for one, w in zip(people, weights[:, at], strict=True)]
        )
        assert found[Measure.ACCURACY][at] == pytest.approx(
            sk.accuracy_score(labels[rows], probabilities[rows].argmax(1))
        )
        if len(set(labels[rows])) == 2:
            assert found[Measure.AUROC][at] == pytest.approx(sk.roc_auc_score(labels[rows], probabilities[rows, 1]))


def test_the_names_of_subjects_do_not_matter() -> None:
    probabilities, labels, subjects = draw(np.random.default_rng(1), 6, 5, 3)
    other = np.array([f"z{one}" for one in subjects])
    for name, values in score(probabilities, labels, subjects, n_draws=30).items():
        np.testing.assert_allclose(values, score(probabilities, labels, other, n_draws=30)[name])


def test_random_scores_are_within_their_interval_of_chance() -> None:
    held, studies = 0, 60
    for seed in range(studies):
        probabilities, labels, subjects = draw(np.random.default_rng(seed), 15, 10, 2)
        found = interval(score(probabilities, labels, subjects, n_draws=200)[Measure.AUROC])
        held += found.low <= 0.5 <= found.high
    # 95 % intervals of few subjects are a little narrow; three standard deviations below 0.9.
    assert held / studies > 0.9 - 3 * np.sqrt(0.9 * 0.1 / studies)
