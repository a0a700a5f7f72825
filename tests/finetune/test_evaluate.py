"""The whole evaluation on a simulated store: task, audit, rows, files, command."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from operator import attrgetter
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from rich.console import Console
from typer.testing import CliRunner

import ontology
from biosig.cli import build
from biosig.errors import BiosigError
from biosig.store import Store, duplicates
from finetune.commands.evaluate import parse_fractions
from finetune.diagnosis.audit import LeakageError, audit, enforce, supervision
from finetune.diagnosis.bench import Bench, Contender, Options
from finetune.diagnosis.evaluate import Asked, evaluate
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.questions import diagnoses
from finetune.diagnosis.result import Encoder, Evaluation, Protocol, Severity
from finetune.diagnosis.rivals import Job, processes, read_random, train_one
from finetune.diagnosis.scratch import Budget
from finetune.diagnosis.selection import Selection
from finetune.diagnosis.task import Posed, concept_counts, diagnosis, pose, reasons
from finetune.embedding import embed
from finetune.heads.linear import LinearHead
from finetune.probe import fit_probe
from finetune.protocols import Role, Task
from ontology.graph import ConceptGraph
from pretrain.data.labels import Labels
from pretrain.errors import ModelError
from pretrain.models.foundation import FoundationModel, Space
from pretrain.models.leakage import TrainingSet
from pretrain.recipe import parse
from pretrain.training.session import pretrain
from pretrain.zero_shot import unit
from tests.pretrain.tiny import TINY

QUICK = Options(fractions=(0.2, 1.0), seeds=2, draws=20, budget=Budget(steps=2, batch_size=8, check_every=1), workers=0)


@pytest.fixture(scope="module")
def opened(store: Path) -> Store:
    return Store(store)


@pytest.fixture(scope="module")
def posed(opened: Store) -> Task:
    return diagnosis(opened, ontology.cardiac(), min_positives=2)


def test_the_task_has_the_stores_sides_and_the_ancestors_of_its_concepts(opened: Store, posed: Task) -> None:
    graph = ontology.cardiac()
    for role in Role:
        np.testing.assert_array_equal(posed.rows[role], opened.rows(role.value))
    for row, stated in enumerate(opened.records["concepts"]):
        wanted = set(stated).union(*(graph.ancestors(concept) for concept in stated)) & set(posed.concepts)
        assert {posed.concepts[column] for column in np.flatnonzero(posed.labels[row])} == wanted
    for column in np.flatnonzero(posed.scored):
        has = posed.labels[posed.rows[Role.TEST], column]
        assert len(set(posed.subjects[posed.rows[Role.TEST]][has])) >= 2


def test_a_copied_waveform_stays_on_the_side_that_judges(
    opened: Store, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train, validation, test = (opened.rows(role.value) for role in Role)
    groups = [(train[0], train[1], test[0]), (train[2], validation[0]), (validation[1], test[1]), (train[3], train[4])]
    found = [duplicates.Duplicate(tuple(duplicates.Place(0, int(row)) for row in rows), exact=True) for rows in groups]
    monkeypatch.setattr(duplicates, "find", lambda _: found)
    posed = diagnosis(opened, ontology.cardiac(), min_positives=2)
    assert posed.copies == 4
    assert set(train) - set(posed.rows[Role.TRAIN]) == {train[0], train[1], train[2]}
    assert set(validation) - set(posed.rows[Role.VALIDATION]) == {validation[1]}
    np.testing.assert_array_equal(posed.rows[Role.TEST], test)
    findings = audit(FoundationModel.from_pretrained(model), Joined((opened,)), posed)
    assert findings[0].text.startswith("4 records are left out")


def test_rare_concepts_are_counted_not_scored(posed: Task) -> None:
    counts = {count.concept: count for count in concept_counts(posed, ontology.cardiac(), 2)}
    for column, concept in enumerate(posed.concepts):
        if concept in counts:
            assert counts[concept].scored == posed.scored[column]
            assert bool(counts[concept].reason) != posed.scored[column]
        else:
            assert not (posed.labels & posed.known)[:, column].any()


def test_a_concept_that_says_no_more_than_one_below_it_is_not_counted_twice(posed: Task) -> None:
    graph = ontology.cardiac()
    bradycardia, slow_sinus = graph.find("Brady").id, graph.find("SB").id
    columns = [posed.concepts.index(concept) for concept in (bradycardia, slow_sinus)]
    labels = posed.labels.copy()
    labels[:, columns[0]] = labels[:, columns[1]]
    reason = reasons(replace(posed, labels=labels), graph, 1)
    assert reason[columns[0]] == "the same test records as sinus bradycardia"
    assert reason[columns[1]] == ""
    one_more = posed.rows[Role.TEST][~labels[posed.rows[Role.TEST], columns[0]]][0]
    labels[one_more, columns[0]] = True
    assert reasons(replace(posed, labels=labels), graph, 1)[columns[0]] == ""


def test_a_store_without_enough_positives_poses_no_task(opened: Store) -> None:
    with pytest.raises(BiosigError, match="no concept has 1000 positive"):
        diagnosis(opened, ontology.cardiac(), min_positives=1000)


def test_recordings_of_no_diagnosis_are_told_from_too_few(opened: Store) -> None:
    def none(table: pd.DataFrame, graph: ConceptGraph) -> Labels:
        found = diagnoses(table, graph)
        return replace(found, stated=np.zeros_like(found.stated))

    with pytest.raises(BiosigError, match=r"no record is labelled with a concept of the graph; .* biosig emotion"):
        pose(Selection(opened), ontology.cardiac(), label=none)


def test_a_model_of_the_same_split_passes_and_says_what_it_read(model: Path, opened: Store, posed: Task) -> None:
    loaded = FoundationModel.from_pretrained(model)
    findings = audit(loaded, Joined((opened,)), posed)
    assert [finding.severity for finding in findings] == [Severity.WARNING]
    assert "reports and diagnosis codes" in findings[0].text
    assert f"{len(posed.rows[Role.TRAIN])} records" in findings[0].text
    assert supervision(loaded) == ["reports", "diagnosis codes"]
    enforce(findings, allow=False)


def test_a_model_that_has_seen_test_subjects_is_refused(model: Path, opened: Store, posed: Task) -> None:
    loaded = FoundationModel.from_pretrained(model)
    test = posed.rows[Role.TEST]
    person = posed.subjects[test[0]]
    others = np.flatnonzero(posed.subjects == person)
    loaded.training_set = TrainingSet.of([opened], [others])
    findings = audit(loaded, Joined((opened,)), posed)
    assert findings[0].severity is Severity.REFUSAL
    assert f"{len(others)} of the {len(test)} test records" in findings[0].text
    with pytest.raises(LeakageError, match="Nothing was scored; --allow-leakage"):
        enforce(findings, allow=False)
    enforce(findings, allow=True)


def test_the_same_waveform_under_another_name_is_found(model: Path, opened: Store, posed: Task) -> None:
    loaded = FoundationModel.from_pretrained(model)
    seen = TrainingSet.of([opened], [posed.rows[Role.TEST][:1]])
    loaded.training_set = replace(seen, subjects=frozenset())
    assert "1 of the" in audit(loaded, Joined((opened,)), posed)[0].text


def test_a_store_at_another_rate_is_refused_whatever_is_allowed(model: Path, opened: Store, posed: Task) -> None:
    loaded = FoundationModel.from_pretrained(model)
    other = loaded.config.intake.model_copy(update={"sampling_rate": 250.0})
    loaded.config = loaded.config.model_copy(update={"intake": other})
    with pytest.raises(ModelError, match="made for 250 Hz"):
        audit(loaded, Joined((opened,)), posed)


def job_of(model: Path, store: Path, posed: Task, seed: int) -> Job:
    features = read_random(model, [store], np.arange(len(posed.labels)), seed).features
    return Job(seed, posed.rows[Role.TRAIN], fit_probe(features, posed, posed.rows[Role.TRAIN]).head)


def test_a_training_from_scratch_repeats_and_has_no_use_for_the_pretrained_weights(
    model: Path, store: Path, posed: Task, tmp_path: Path
) -> None:
    job = job_of(model, store, posed, seed=3)
    one = train_one(model, [store], posed, QUICK.budget, job)
    changed = FoundationModel.from_pretrained(model)
    for parameter in changed.parameters():
        parameter.data.mul_(0.5)
    changed.save_pretrained(tmp_path / "model")
    other = train_one(
        tmp_path / "model", [store], posed, QUICK.budget, job_of(tmp_path / "model", store, posed, seed=3)
    )
    np.testing.assert_array_equal(one.scores, other.scores)
    assert one.scores.shape == (len(posed.rows[Role.TEST]), len(posed.concepts))
    assert one.steps == 2
    different = train_one(model, [store], posed, QUICK.budget, job_of(model, store, posed, seed=4))
    assert not np.array_equal(one.scores, different.scores)


def test_the_rival_starts_from_the_probe_of_its_untrained_encoder(model: Path, store: Path, posed: Task) -> None:
    job = job_of(model, store, posed, seed=0)
    still = train_one(model, [store], posed, replace(QUICK.budget, learning_rate=0.0), job)
    features = read_random(model, [store], posed.rows[Role.TEST], 0).features[posed.rows[Role.TEST]]
    with torch.inference_mode():
        logits = job.head(torch.from_numpy(features).double()).numpy()
    # The classifier averages probabilities over the windows of a record, the probe its features.
    assert np.corrcoef(still.scores.ravel(), (1 / (1 + np.exp(-logits))).ravel())[0, 1] > 0.99


def test_records_are_read_once_by_each_encoder_and_windows_are_averaged(
    model: Path, opened: Store, posed: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = FoundationModel.from_pretrained(model)
    options = replace(QUICK, probe=False)
    whole = Posed(posed, Joined((opened,)))
    ours = Contender(Encoder.PRETRAINED, loaded, model)
    bench = Bench([ours], whole, graph=ontology.cardiac(), options=options, say=lambda _: None)
    seen: list[int] = []
    once = FoundationModel.embed

    def counted(self: FoundationModel, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        seen.append(len(batch["row"]))
        return once(self, batch)

    monkeypatch.setattr(FoundationModel, "embed", counted)
    runs = list(bench.runs())
    assert sum(seen) == 2 * len(bench.rows) * (1 + QUICK.seeds), "two windows a record, one pass an encoder"
    np.testing.assert_allclose(bench.features[bench.rows], loaded.encode(opened, bench.rows), atol=1e-5)
    sphere = embed(loaded, opened, bench.rows).sphere[bench.rows]
    np.testing.assert_allclose(unit(sphere), loaded.encode(opened, bench.rows, space=Space.SPHERE), atol=1e-5)
    assert [(run.encoder, run.protocol, len(run.seeds)) for run in runs] == [
        (Encoder.PRETRAINED, Protocol.ZERO_SHOT_SENTENCES, 1),
        (Encoder.PRETRAINED, Protocol.ZERO_SHOT_CONCEPTS, 1),
        (Encoder.RANDOM, Protocol.ZERO_SHOT_SENTENCES, 2),
        (Encoder.RANDOM, Protocol.ZERO_SHOT_CONCEPTS, 2),
    ]


@pytest.mark.slow
def test_processes_give_what_one_process_gives(model: Path, store: Path, posed: Task) -> None:
    jobs = [job_of(model, store, posed, seed) for seed in range(2)]
    with processes(2) as pool:
        begun = [pool.submit(train_one, model, [store], posed, QUICK.budget, job) for job in jobs]
        scores = [future.result().scores for future in begun]
    for job, score in zip(jobs, scores, strict=True):
        np.testing.assert_allclose(score, train_one(model, [store], posed, QUICK.budget, job).scores, atol=1e-4)


@pytest.mark.slow
def test_a_pool_moves_no_weights_that_others_compute_with() -> None:
    head = LinearHead(4, 2)
    job = Job(0, np.arange(3), head)
    with processes(1) as pool:
        assert pool.submit(attrgetter("seed"), job).result() == 0
    assert job.head.linear.weight.is_shared()
    assert not head.linear.weight.is_shared()


def test_every_row_and_a_page_come_of_one_command(model: Path, store: Path, tmp_path: Path) -> None:
    options = ["--fractions", "1,0.2", "--seeds", "2", "--draws", "20", "--min-positives", "2", "--scratch-steps", "2"]
    options += ["--workers", "0", "--out", str(tmp_path / "out")]
    ran = CliRunner().invoke(build(), ["evaluate", str(model), str(store), *options])
    assert ran.exit_code == 0, ran.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"result.json", "report.html"}
    result = Evaluation.model_validate_json((tmp_path / "out" / "result.json").read_text())
    rows = {(row.encoder, row.protocol, row.fraction): row for row in result.rows}
    assert len(rows) == len(result.rows) == 10
    assert {fraction for _, _, fraction in rows} == {None, 0.2, 1.0}
    assert rows[Encoder.PRETRAINED, Protocol.PROBE, 1.0].seeds == (0,)
    assert rows[Encoder.RANDOM, Protocol.PROBE, 1.0].seeds == (0, 1)
    assert rows[Encoder.SCRATCH, Protocol.SUPERVISED, 0.2].seeds == (0, 1)
    for seed in range(2):
        used = {row.train_records[seed] for (_, _, fraction), row in rows.items() if fraction == 0.2}
        assert len(used) == 1, "rivals are given the same labels"
    assert len(result.differences) == 6
    assert result.store["sha256"] == Store(store).fingerprint
    assert result.model["training_set_sha256"]
    page = (tmp_path / "out" / "report.html").read_text()
    assert "One test record" in page
    assert str(tmp_path) not in page, "a path of this machine"


def test_zero_shot_alone_needs_no_labels_of_training(model: Path, opened: Store) -> None:
    outcome = evaluate(model, Asked(Selection(opened), min_positives=2), replace(QUICK, probe=False))
    assert {row.protocol for row in outcome.evaluation.rows} == {
        Protocol.ZERO_SHOT_SENTENCES,
        Protocol.ZERO_SHOT_CONCEPTS,
    }
    assert outcome.example is None
    assert outcome.evaluation.thresholds == ()
    json.loads(outcome.evaluation.model_dump_json())


def test_a_model_that_was_taught_no_concept_is_asked_those_of_the_cardiac_graph(
    opened: Store, store: Path, tmp_path: Path
) -> None:
    recipe = parse(TINY, overrides=["optimiser.steps=2", "model.concept=null", "objectives=[{name: signal_language}]"])
    folder = pretrain(recipe, [store], tmp_path / "run", console=Console(quiet=True)).model
    assert FoundationModel.from_pretrained(folder).graph is None
    outcome = evaluate(folder, Asked(Selection(opened), min_positives=2), replace(QUICK, probe=False))
    assert {row.protocol for row in outcome.evaluation.rows} == {Protocol.ZERO_SHOT_SENTENCES}
    assert {count.concept for count in outcome.evaluation.concepts} <= set(ontology.cardiac().observed)
    assert all(row.graph is not None and row.graph.challenge is not None for row in outcome.evaluation.rows)


def test_fractions_are_read_as_numbers() -> None:
    assert parse_fractions("1, 0.01,0.1,1.0") == (0.01, 0.1, 1.0)
    for text in ("0", "a", "0.1,,1", "2", ""):
        with pytest.raises(BiosigError, match="--fractions: expected numbers above 0 and up to 1"):
            parse_fractions(text)


def test_help_is_instant() -> None:
    heavy = "{'torch', 'sklearn', 'matplotlib', 'pandas', 'jinja2'}"
    code = f"import sys, finetune.commands.evaluate; print({heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
