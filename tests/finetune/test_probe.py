"""The linear head against scikit-learn, and the probe on features that say everything or nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from finetune.heads import HEADS
from finetune.heads.linear import LinearHead, fit_linear
from finetune.metrics.ranking import macro, rank_metrics
from finetune.probe import fit_probe
from finetune.protocols import Role, Task
from tests.finetune.fakes import features_of, make_task


def tensors(n: int, dim: int, concepts: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(seed)
    hidden = generator.normal(size=(n, 5))
    features = 3 + 0.2 * hidden @ generator.normal(size=(5, dim)) + 0.1 * generator.normal(size=(n, dim))
    labels = hidden @ generator.normal(size=(5, concepts)) + generator.normal(size=(n, concepts)) > 1
    return torch.from_numpy(features), torch.from_numpy(labels), torch.ones(n, concepts, dtype=torch.bool)


@pytest.mark.parametrize(("n", "dim"), [(120, 16), (30, 64)])
@pytest.mark.parametrize("c", [1e-3, 0.1, 1.0])
def test_the_fit_is_scikit_learns_for_every_concept(n: int, dim: int, c: float) -> None:
    features, labels, known = tensors(n, dim, 3)
    known[: n // 5, 1] = False
    (head,) = fit_linear(features, labels, known, grid=[c])
    for concept in range(3):
        rows = known[:, concept]
        scaled = ((features - features.mean(0)) / features.std(0, correction=0)).numpy()
        reference = LogisticRegression(C=c, tol=1e-10, max_iter=20_000).fit(scaled[rows], labels[rows, concept].numpy())
        with torch.inference_mode():
            logits = head(features)[:, concept].numpy()
        np.testing.assert_allclose(logits, reference.decision_function(scaled), atol=5e-3)


def test_a_concept_with_one_label_value_scores_everybody_alike() -> None:
    features, labels, known = tensors(40, 8, 3)
    labels[:, 0] = True
    labels[:, 1] = False
    (head,) = fit_linear(features, labels, known, grid=[1.0])
    with torch.inference_mode():
        logits = head(features)
    assert logits[:, :2].unique().tolist() == [0.0]
    assert logits[:, 2].std() > 0.1


def test_a_feature_that_never_moves_does_no_harm() -> None:
    features, labels, known = tensors(60, 8, 2)
    still = torch.cat([features, torch.full((60, 1), 7.0, dtype=features.dtype)], dim=1)
    (one,), (other,) = (fit_linear(x, labels, known, grid=[0.1]) for x in (features, still))
    with torch.inference_mode():
        torch.testing.assert_close(one(features), other(still), atol=1e-4, rtol=0)


def test_unknown_labels_change_nothing_whatever_they_say() -> None:
    features, labels, known = tensors(60, 8, 2)
    known[:20, 0] = False
    flipped = labels.clone()
    flipped[:20, 0] = ~flipped[:20, 0]
    (one,), (other,) = (fit_linear(features, y, known, grid=[1.0]) for y in (labels, flipped))
    torch.testing.assert_close(one.linear.weight, other.linear.weight)


def test_auroc(task: Task) -> None:
    """Near 1 on features that hold the labels, near 0.5 on noise."""
    for signal, low, high in ((3.0, 0.97, 1.0), (0.0, 0.4, 0.6)):
        values = []
        for seed in range(3):
            posed = make_task(400, seed=seed)
            features = features_of(posed, signal=signal, seed=seed)
            probe = fit_probe(features, posed, posed.rows[Role.TRAIN])
            test = posed.rows[Role.TEST]
            scores = rank_metrics(probe.probabilities(features[test]), posed.labels[test], posed.known[test])
            values.append(macro(scores.auroc)[0])
        assert low <= np.mean(values) <= high


def test_the_test_side_takes_no_part_in_the_fit(task: Task) -> None:
    features = features_of(task, signal=1.0)
    other_features, labels = features.copy(), task.labels.copy()
    test = task.rows[Role.TEST]
    other_features[test] = 99.0
    labels[test] = ~labels[test]
    one = fit_probe(features, task, task.rows[Role.TRAIN])
    other = fit_probe(other_features, replace(task, labels=labels), task.rows[Role.TRAIN])
    assert one.c == other.c
    torch.testing.assert_close(one.head.linear.weight, other.head.linear.weight)


def test_c_is_the_best_on_validation(task: Task) -> None:
    probe = fit_probe(features_of(task, signal=0.6), task, task.rows[Role.TRAIN], grid=(1e-4, 1e-2, 1.0))
    assert probe.validation_auroc[probe.c] == max(probe.validation_auroc.values())
    assert len(probe.validation_auroc) == 3


def test_heads_are_found_by_name() -> None:
    head = HEADS["linear"](6, 2)
    assert isinstance(head, LinearHead)
    assert head(torch.zeros(5, 6)).shape == (5, 2)
