"""What an evaluation says of trust: scales fitted on validation alone, judged on test, told in the result's words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit

from finetune.diagnosis.result import Trust
from finetune.metrics.bootstrap import subject_weights
from finetune.protocols import Role, Task
from finetune.trust.figures import trust_figure
from finetune.trust.summary import MISCOVERAGE, trust
from tests.finetune.fakes import make_task


def said(task: Task, role: Role, *, temperature: float, seed: int) -> np.ndarray:
    """Gaussian evidence of known strength: the true log odds, divided by a temperature that is wrong."""
    labels = task.labels[task.rows[role]]
    evidence = 1.5 * (labels - 0.5) + np.random.default_rng(seed).normal(size=labels.shape)
    truth = 1.5 * evidence + logit(0.2)
    return expit(truth * temperature)


def find(task: Task, *, temperature: float = 3.0) -> Trust:
    weights = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=50)
    found = trust(
        said(task, Role.VALIDATION, temperature=temperature, seed=1),
        said(task, Role.TEST, temperature=temperature, seed=2),
        task,
        weights,
    )
    assert found is not None
    return found


@pytest.fixture(scope="module")
def task() -> Task:
    return make_task(3000, 4)


def test_a_probe_that_is_too_sure_is_told_so_and_mended(task: Task) -> None:
    found = find(task)
    assert found.temperature == pytest.approx(3.0, rel=0.15)
    errors = {one.scaling: (one.ece.value, one.adaptive_ece.value, one.brier.value) for one in found.calibrated}
    for before, temperature, vector in zip(*(errors[name] for name in ("none", "temperature", "vector")), strict=True):
        assert temperature < before
        assert vector < before
    assert find(task, temperature=1.0).temperature == pytest.approx(1.0, rel=0.15)


def test_sets_hold_the_truth_as_promised_whatever_the_temperature(task: Task) -> None:
    found = find(task)
    for one in found.sets:
        assert one.positive == pytest.approx(1 - MISCOVERAGE, abs=0.06)
        assert one.negative == pytest.approx(1 - MISCOVERAGE, abs=0.04)
    assert [one.model_dump() for one in found.sets] == [one.model_dump() for one in find(task, temperature=1.0).sets]


def test_the_surest_answers_are_the_right_ones(task: Task) -> None:
    silence = find(task).silence
    assert silence.area < silence.error < 0.2
    assert silence.refinement > 0.6
    assert len(silence.coverage) <= 101
    assert silence.coverage[-1] == 1.0
    assert silence.risk[-1] == silence.error


def test_only_scored_concepts_count_and_test_labels_move_no_scale(task: Task) -> None:
    fewer = replace(task, scored=np.array([True, False, True, False]))
    assert [one.concept for one in find(fewer).sets] == [task.concepts[0], task.concepts[2]]
    labels = task.labels.copy()
    labels[task.rows[Role.TEST]] = ~labels[task.rows[Role.TEST]]
    weights = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=5)
    probabilities = [said(task, role, temperature=3.0, seed=1) for role in (Role.VALIDATION, Role.TEST)]
    one, other = (trust(*probabilities, each, weights) for each in (task, replace(task, labels=labels)))
    assert one is not None
    assert other is not None
    assert one.temperature == other.temperature
    assert [each.calibration_positives for each in one.sets] == [each.calibration_positives for each in other.sets]
    assert one.calibrated[0].ece.value < other.calibrated[0].ece.value


def test_the_promise_is_looked_at_by_group(task: Task) -> None:
    """One sex has a better model: common sets give it more than was promised, and the other less."""
    sex = np.array(["female", "male"])[np.arange(len(task.subjects)) % 2]
    weights = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=5)
    probabilities = []
    for seed, role in enumerate((Role.VALIDATION, Role.TEST)):
        plain = said(task, role, temperature=1.0, seed=seed)
        sharp = expit(logit(plain) + 4 * (task.labels[task.rows[role]] - 0.5))
        probabilities.append(np.where((sex[task.rows[role]] == "male")[:, None], sharp, plain))
    found = trust(*probabilities, task, weights, {"sex": sex, "sub_corpus": np.full(len(sex), "one")})
    assert found is not None
    female, male = found.groups
    assert (female.column, female.group, male.group) == ("sex", "female", "male")
    assert female.common < 0.88
    assert male.common > 0.92
    assert female.own == pytest.approx(0.9, abs=0.03)
    assert male.own == pytest.approx(0.9, abs=0.03)
    assert female.records + male.records == len(task.rows[Role.TEST])


def test_certain_probabilities_do_not_overflow(task: Task) -> None:
    weights = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=5)
    sure = [task.labels[task.rows[role]].astype(np.float64) for role in (Role.VALIDATION, Role.TEST)]
    found = trust(*sure, task, weights)
    assert found is not None
    assert found.silence.error == 0
    assert found.silence.refinement is None


def test_nothing_known_is_nothing_said(task: Task) -> None:
    blind = replace(task, known=np.zeros_like(task.known))
    probabilities = [said(task, role, temperature=1.0, seed=0) for role in (Role.VALIDATION, Role.TEST)]
    weights = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=5)
    assert trust(*probabilities, blind, weights) is None


def test_the_figure_has_a_curve_for_each_scaling(task: Task) -> None:
    left, right = trust_figure(find(task)).axes
    assert len(left.lines) == 4
    assert len(right.lines) == 2
    assert {text.get_text() for text in left.get_legend().get_texts()} == {
        "as it should be",
        "as the probe says",
        "one temperature",
        "a scale for each concept",
    }
