"""Rows with scores that know the ontology: thresholds from validation, the means of seeds, and labels nobody gave."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from typer.testing import CliRunner

import ontology
from biosig.cli import build
from finetune.diagnosis.result import Encoder, Evaluation, GraphScores, Protocol
from finetune.diagnosis.summary import Run
from finetune.metrics.bootstrap import subject_weights
from finetune.metrics.challenge import challenge_score, severity_weights
from finetune.metrics.decided import Decided
from finetune.metrics.graph_scores import graph_scores
from finetune.metrics.hierarchical import error_distance, hierarchical_scores
from finetune.metrics.ranking import best_thresholds
from finetune.protocols import Role, Task
from finetune.report.document import GRAPH, write_report
from finetune.report.page import bracket, decimal
from finetune.report.table import as_table
from tests.finetune.fakes import make_evaluation, make_task

CARDIAC = ontology.cardiac()


@pytest.fixture
def posed() -> Task:
    """120 people with the findings of the cardiac graph and all that these are kinds of; a fifth is not known."""
    task = make_task(120, len(CARDIAC.observed), prevalence=0.06)
    sets = [{CARDIAC.observed[k] for k in np.flatnonzero(row)} for row in task.labels]
    labels = ontology.multi_hot(sets, CARDIAC.observed, CARDIAC)
    known = np.random.default_rng(7).random(labels.shape) < 0.8
    return replace(task, concepts=CARDIAC.observed, labels=labels, known=known)


def scored(task: Task, *skills: float, seed: int = 0) -> Run:
    draw = np.random.default_rng(seed)
    validation, test = (
        [
            skill * task.labels[task.rows[role]] + draw.random((len(task.rows[role]), len(task.concepts)))
            for skill in skills
        ]
        for role in (Role.VALIDATION, Role.TEST)
    )
    return Run(Encoder.PRETRAINED, Protocol.PROBE, 1.0, list(range(len(skills))), test, validation)


def found(run: Run, task: Task, n_draws: int = 20) -> GraphScores:
    draws = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=n_draws)
    return graph_scores(run, task, CARDIAC, draws, severity_weights())


def test_each_seed_is_judged_at_its_own_thresholds(posed: Task) -> None:
    run = scored(posed, 0.3, 0.6, 0.9)
    scores = found(run, posed)
    validation, test = posed.rows[Role.VALIDATION], posed.rows[Role.TEST]
    for seed in range(3):
        thresholds = best_thresholds(run.validation[seed], posed.labels[validation], posed.known[validation])
        named = np.nan_to_num(run.scores[seed] - thresholds, nan=-1.0) >= 0
        decided = Decided.of(named, posed.labels[test], posed.concepts, known=posed.known[test])
        assert scores.f1.by_seed[seed] == hierarchical_scores(decided, CARDIAC).f1[0]
        assert scores.edges_per_error.by_seed[seed] == error_distance(decided, CARDIAC).per_error[0]
        assert scores.challenge is not None
        assert scores.challenge.by_seed[seed] == pytest.approx(challenge_score(decided)[0])
    assert scores.f1.subjects.value == pytest.approx(np.mean(scores.f1.by_seed))
    assert list(scores.f1.by_seed) == sorted(scores.f1.by_seed), "more skill, better"
    assert scores.f1.subjects_and_seeds is not None
    assert scores.f1.subjects.low < scores.f1.subjects.value < scores.f1.subjects.high


def test_the_truth_is_perfect(posed: Task) -> None:
    validation = posed.rows[Role.VALIDATION]
    every = replace(posed, labels=posed.labels.copy(), known=np.ones_like(posed.known))
    every.labels[validation[0]] = True  # so that each concept has a threshold
    scores = found(scored(every, 10.0), every)
    assert scores.precision.subjects.value == scores.recall.subjects.value == scores.f1.subjects.value == 1
    assert scores.edges_per_error.subjects.value is None, "there is no error"
    assert scores.edges_per_record.subjects.value == 0
    assert scores.challenge is not None
    assert (scores.challenge.subjects.low, scores.challenge.subjects.high) == (1, 1)


def test_a_concept_without_a_positive_in_validation_is_never_named(posed: Task) -> None:
    labels = posed.labels.copy()
    labels[posed.rows[Role.VALIDATION]] = False
    scores = found(scored(posed, 10.0), replace(posed, labels=labels))
    assert scores.precision.subjects.value is None
    assert scores.recall.subjects.value == 0
    assert scores.challenge is not None
    assert scores.challenge.subjects.value is not None
    assert scores.challenge.subjects.value < 0, "to say nothing is worse than sinus rhythm"


def test_a_label_that_nobody_gave_moves_no_score(posed: Task) -> None:
    run = scored(posed, 0.5, 0.8)
    before = found(run, posed)
    unknown = ~posed.known
    assert unknown[posed.rows[Role.VALIDATION]].sum() > 50
    for labels in (posed.labels | unknown, posed.labels & ~unknown, posed.labels ^ unknown):
        assert found(run, replace(posed, labels=labels)) == before
    shouted = replace(run, scores=[np.where(posed.known[posed.rows[Role.TEST]], one, 9.0) for one in run.scores])
    assert found(shouted, posed) == before, "nor does what is named there"
    known = posed.labels.copy()
    known[np.ix_(posed.rows[Role.TEST][:5], np.arange(40))] ^= posed.known[posed.rows[Role.TEST][:5]]
    assert found(run, replace(posed, labels=known)) != before, "a known one does"


def test_a_graph_without_the_classes_of_the_challenge_has_no_such_score() -> None:
    emotion = ontology.emotion()
    task = replace(make_task(80, len(emotion.observed)), concepts=emotion.observed)
    draws = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=5)
    scores = graph_scores(scored(task, 0.5), task, emotion, draws, severity_weights())
    assert scores.challenge is None
    assert scores.f1.subjects.value is not None


def test_every_row_is_on_the_page_and_those_with_most_labels_on_the_terminal(tmp_path: Path) -> None:
    evaluation = make_evaluation(make_task(240, 5))
    write_report(evaluation, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(f"{title}</th>" in page for title in GRAPH.values())
    assert "its weights are near enough." in page
    for width in (80, 140):
        console = Console(width=width, record=True, file=(tmp_path / "terminal").open("w"))
        console.print(as_table(evaluation, width=width))
        terminal = console.export_text()
        assert "…" not in terminal
        shown = ("f1", "challenge") if width == 80 else ("f1", "edges_per_error", "challenge")
        for row in evaluation.rows:
            for name in GRAPH:
                estimate = getattr(row.graph, name).subjects
                more = "" if name in ("precision", "recall") else f' <span class="soft">{bracket(estimate)}</span>'
                assert f"<td>{decimal(estimate.value)}{more}</td>" in page
                if name in shown and row.fraction in (None, 1.0):
                    assert f"{decimal(estimate.value)} {bracket(estimate)}" in terminal


def test_a_result_without_these_scores_is_shown_as_before(tmp_path: Path) -> None:
    evaluation = make_evaluation(make_task(200, 4))
    old = evaluation.model_copy(
        update={"rows": tuple(row.model_copy(update={"graph": None}) for row in evaluation.rows)}
    )
    assert Evaluation.model_validate_json(old.model_dump_json()) == old
    write_report(old, tmp_path / "report.html")
    assert "With the ontology" not in (tmp_path / "report.html").read_text(encoding="utf-8")
    console = Console(width=80, record=True, file=(tmp_path / "terminal").open("w"))
    console.print(as_table(old, width=80))
    assert "with the ontology" not in console.export_text()


def test_the_users_weights_are_taken_and_named(model: Path, store: Path, tmp_path: Path) -> None:
    path = tmp_path / "weights.csv"
    path.write_text(",426783006,164889003\n426783006,1,0.5\n164889003,0.5,1\n")
    options = ["--protocol", "zero-shot", "--seeds", "1", "--draws", "20", "--min-positives", "2", "--workers", "0"]
    results = []
    for more in ([], ["--weights", str(path)]):
        out = tmp_path / f"out{len(more)}"
        ran = CliRunner().invoke(build(), ["evaluate", str(model), str(store), *options, *more, "--out", str(out)])
        assert ran.exit_code == 0, ran.output
        results.append(Evaluation.model_validate_json((out / "result.json").read_text()))
    assert results[0].settings["challenge_weights"].startswith("an approximation")
    assert results[1].settings["challenge_weights"].startswith("weights.csv, sha256 ")
    for one, other in zip(results[0].rows, results[1].rows, strict=True):
        assert one.graph is not None
        assert other.graph is not None
        assert one.graph.f1 == other.graph.f1
        assert one.graph.challenge != other.graph.challenge
    path.write_text(",426783006\n164889003,1\n")
    refused = CliRunner().invoke(build(), ["evaluate", str(model), str(store), *options, "--weights", str(path)])
    assert refused.exit_code != 0
    assert "weights.csv: expected the same codes" in str(refused.exception)
