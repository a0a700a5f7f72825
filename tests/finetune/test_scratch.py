"""Training from scratch on a task that a linear layer can learn: it learns, stops, and never looks at test."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from finetune.diagnosis.scratch import Budget, Classifier, Trained, train
from finetune.metrics.ranking import macro, rank_metrics
from finetune.probe import fit_probe
from finetune.protocols import Role, Task
from tests.finetune.fakes import features_of

QUICK = Budget(steps=60, batch_size=16, check_every=10, patience=2, learning_rate=3e-2, warmup=2)


def fit(
    task: Task, inputs: np.ndarray, *, budget: Budget = QUICK, seed: int = 0
) -> tuple[Trained, Classifier, list[int]]:
    torch.manual_seed(seed)
    encoder = nn.Linear(inputs.shape[1], 6)
    looked: list[int] = []

    def batch_of(rows: np.ndarray, _: np.random.Generator) -> dict[str, torch.Tensor]:
        looked.extend(rows.tolist())
        return {"x": torch.from_numpy(inputs[rows])}

    def predict(network: nn.Module, rows: np.ndarray) -> np.ndarray:
        assert not network.training
        looked.extend(rows.tolist())
        with torch.inference_mode():
            return network({"x": torch.from_numpy(inputs[rows])}).sigmoid().numpy()

    with torch.inference_mode():
        features = encoder(torch.from_numpy(inputs)).numpy()
    head = fit_probe(features, task, task.rows[Role.TRAIN]).head
    network = Classifier(encoder, lambda batch: encoder(batch["x"]), head)
    return train(network, batch_of, predict, task, task.rows[Role.TRAIN], seed=seed, budget=budget), network, looked


def test_it_learns_more_than_the_probe_it_starts_from(task: Task) -> None:
    inputs = features_of(task, signal=0.5, dim=60)
    trained, network, looked = fit(task, inputs)
    test = task.rows[Role.TEST]
    with torch.inference_mode():
        scores = network({"x": torch.from_numpy(inputs[test])}).numpy()
    found = macro(rank_metrics(scores, task.labels[test]).auroc)[0]
    at_start, _, _ = fit(task, inputs, budget=Budget(steps=1, learning_rate=0.0))
    assert found > at_start.validation_auroc + 0.05
    assert trained.best_step > 0
    assert not set(looked) & set(test), "the test side was looked at"


def test_it_keeps_the_probe_if_training_does_not_help(task: Task) -> None:
    inputs = features_of(task, signal=2.0)
    trained, _, _ = fit(task, inputs, budget=Budget(steps=40, check_every=5, patience=3, learning_rate=0.0))
    assert (trained.best_step, trained.steps) == (0, 15)


def test_it_stops_at_its_budget_and_keeps_the_best_weights(task: Task) -> None:
    inputs = features_of(task, signal=1.0)
    trained, network, _ = fit(task, inputs, budget=Budget(steps=23, check_every=5, patience=99))
    assert trained.steps == 23
    validation = task.rows[Role.VALIDATION]
    with torch.inference_mode():
        scores = network({"x": torch.from_numpy(inputs[validation])}).sigmoid().numpy()
    assert macro(rank_metrics(scores, task.labels[validation]).auroc)[0] == pytest.approx(trained.validation_auroc)


def test_every_record_comes_before_any_comes_again(task: Task) -> None:
    inputs = features_of(task, signal=1.0)
    n_train = len(task.rows[Role.TRAIN])
    _, _, looked = fit(task, inputs, budget=Budget(steps=n_train // 16, batch_size=16, check_every=1000))
    training = [row for row in looked if row in set(task.rows[Role.TRAIN])]
    assert sorted(training) == sorted(task.rows[Role.TRAIN])


def test_unknown_labels_move_nothing(task: Task) -> None:
    inputs = features_of(task, signal=1.0)
    known = task.known.copy()
    known[task.rows[Role.TRAIN], 0] = np.arange(len(task.rows[Role.TRAIN])) % 2 == 0
    flipped = np.where(known, task.labels, ~task.labels)
    weights = []
    for labels in (task.labels, flipped):
        partial = Task(task.concepts, labels, known, task.subjects, task.rows, task.scored)
        _, network, _ = fit(partial, inputs, budget=Budget(steps=5, batch_size=16))
        weights.append(network.head.linear.weight.detach().clone())
    torch.testing.assert_close(*weights)


def test_the_learning_rate_rises_and_falls() -> None:
    budget = Budget(steps=100, warmup=10)
    factors = [budget.factor(step) for step in range(100)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == factors[9] == factors[10] == 1.0
    assert factors[11:] == sorted(factors[11:], reverse=True)
    assert factors[-1] < 0.01
