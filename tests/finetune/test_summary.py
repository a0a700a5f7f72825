"""Rows and differences from scores: means over seeds, pairing, counts of what has no value."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from finetune.diagnosis.result import Encoder, Evaluation, Protocol
from finetune.diagnosis.summary import Run, bootstrap_run, differences, summarise
from finetune.metrics.bootstrap import subject_weights
from finetune.protocols import Role, Task
from tests.finetune.fakes import make_evaluation, make_task


def run(
    task: Task, encoder: Encoder, skills: list[float], *, protocol: Protocol = Protocol.PROBE, seed: int = 0
) -> Run:
    generator = np.random.default_rng(seed)
    test = task.rows[Role.TEST]
    scores = [skill * task.labels[test] + generator.normal(size=(len(test), len(task.concepts))) for skill in skills]
    seeds = list(range(len(skills)))
    return Run(encoder, protocol, 1.0, seeds, scores, train_rows=[task.rows[Role.TRAIN] for _ in seeds])


@pytest.fixture
def weights(task: Task) -> np.ndarray:
    return subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=200)


def test_a_row_is_the_mean_over_seeds_and_concepts(task: Task, weights: np.ndarray) -> None:
    one = run(task, Encoder.RANDOM, [1.0, 1.5, 2.0])
    row = summarise(bootstrap_run(one, task, weights), task)
    labels = task.labels[task.rows[Role.TEST]]
    by_seed = [roc_auc_score(labels, scores, average="macro") for scores in one.scores]
    assert row.auroc.by_seed == pytest.approx(by_seed)
    assert row.auroc.subjects.value == pytest.approx(np.mean(by_seed))
    assert row.auprc.subjects.sample == pytest.approx(np.mean([average_precision_score(labels, s) for s in one.scores]))
    assert row.auroc.subjects_and_seeds is not None
    assert row.auroc.subjects_and_seeds.low < row.auroc.subjects.low < row.auroc.subjects.value
    assert row.train_records == (160, 160, 160)
    assert row.train_subjects == (120, 120, 120)


def test_a_model_less_itself_is_exactly_nothing(task: Task, weights: np.ndarray) -> None:
    ours, rival = run(task, Encoder.PRETRAINED, [1.0]), run(task, Encoder.RANDOM, [1.0])
    (gap,) = differences([bootstrap_run(one, task, weights) for one in (ours, rival)])
    assert (gap.auroc.subjects.low, gap.auroc.subjects.value, gap.auroc.subjects.high) == (0.0, 0.0, 0.0)


def test_pairing_makes_the_interval_of_a_difference_narrower(task: Task, weights: np.ndarray) -> None:
    """A rival that is ours with a little noise: the difference is far surer than either value."""
    ours = run(task, Encoder.PRETRAINED, [1.0])
    rival = run(task, Encoder.RANDOM, [1.0])
    rival.scores[0] = ours.scores[0] + 0.3 * np.random.default_rng(5).normal(size=ours.scores[0].shape)
    draws = [bootstrap_run(one, task, weights) for one in (ours, rival)]
    (gap,) = differences(draws)
    alone = summarise(draws[0], task).auroc.subjects
    assert gap.auroc.subjects.high - gap.auroc.subjects.low < 0.5 * (alone.high - alone.low)
    values = [summarise(one, task).auroc.subjects.value for one in draws]
    assert gap.auroc.subjects.value == pytest.approx(values[0] - values[1])


def test_one_run_is_set_against_every_seed_of_the_rival(task: Task, weights: np.ndarray) -> None:
    ours = run(task, Encoder.PRETRAINED, [2.0])
    scratch = run(task, Encoder.SCRATCH, [0.5, 1.0, 1.5], protocol=Protocol.SUPERVISED, seed=1)
    (gap,) = differences([bootstrap_run(one, task, weights) for one in (ours, scratch)])
    assert gap.rival is Encoder.SCRATCH
    assert len(gap.auroc.by_seed) == 3
    assert gap.auroc.subjects_and_seeds is not None
    ours.scores *= 2
    draws = [bootstrap_run(one, task, weights) for one in (ours, scratch)]
    with pytest.raises(ValueError, match="expected the same seeds or one, got 2 and 3"):
        differences(draws)


def test_a_concept_that_the_model_cannot_score_is_counted_and_left_out() -> None:
    task = make_task(400, 4)
    weights = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=20)
    blind = run(task, Encoder.PRETRAINED, [1.0], protocol=Protocol.ZERO_SHOT_CONCEPTS)
    blind.scores[0][:, 2] = np.nan
    row = summarise(bootstrap_run(blind, task, weights), task)
    assert (row.n_concepts, row.n_undefined) == (3, 1)
    assert row.concepts[2].auroc.value is None
    assert row.auroc.subjects.value == pytest.approx(np.mean([row.concepts[k].auroc.value for k in (0, 1, 3)]))


def test_the_result_survives_its_file() -> None:
    task = make_task(200, 4)
    evaluation = make_evaluation(task)
    text = evaluation.model_dump_json()
    assert "NaN" not in text
    assert Evaluation.model_validate_json(text) == evaluation
    assert evaluation.row(Encoder.RANDOM, Protocol.SUPERVISED, 1.0) is None
