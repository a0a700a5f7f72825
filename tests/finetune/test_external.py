"""Parts of stores, one store tested by what another taught, two models side by side, and questions with one answer."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from typer.testing import CliRunner

import ontology
from biosig.cli import build
from biosig.errors import BiosigError
from biosig.store import Store
from finetune.commands.evaluate import parse_adaptations
from finetune.diagnosis.bench import Options
from finetune.diagnosis.choices import Adaptation
from finetune.diagnosis.evaluate import Asked, Outcome, evaluate
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.questions import QUESTIONS, coded, diagnoses
from finetune.diagnosis.result import Encoder, Evaluation, Protocol, Severity
from finetune.diagnosis.scratch import Budget
from finetune.diagnosis.selection import Selection, Where
from finetune.diagnosis.task import pose
from finetune.metrics.ranking import macro, rank_metrics
from finetune.protocols import Role
from finetune.report.document import lines
from finetune.report.table import as_table
from ontology.graph import ConceptGraph
from pretrain.data.labels import Labels

OPTIONS = Options(
    zero_shot=False,
    fractions=(1.0,),
    seeds=1,
    draws=20,
    budget=Budget(steps=1, batch_size=4, check_every=1),
    adapt=(Adaptation.LORA,),
    workers=0,
)
HERE, THERE = Where.parse(["fold=1,2,3,4,5,6,7,8"]), Where.parse(["fold=9,10"])


@pytest.fixture(scope="module")
def opened(store: Path) -> Store:
    return Store(store)


@pytest.fixture(scope="module")
def outcome(model: Path, opened: Store) -> Outcome:
    """Taught on some folds, tested on others as if they were another hospital, beside itself as the other model."""
    asked = Asked(Selection(opened, HERE), outside=Selection(opened, THERE), other=model, min_positives=2)
    return evaluate(model, asked, OPTIONS)


def test_conditions_choose_records_and_all_must_hold(opened: Store) -> None:
    table = opened.records
    found = Where.parse(["sex=female,male", "fold=2, 3"]).mask(opened)
    np.testing.assert_array_equal(found, table["fold"].isin([2, 3]) & table["sex"].isin(["female", "male"]))
    assert Where.parse([]).mask(opened).all()
    assert str(THERE) == "fold=10,9"


@pytest.mark.parametrize("text", ["georgia", "sub_corpus=", "age=3", "=georgia", "fold=,"])
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(BiosigError, match="--where: expected COLUMN=VALUE"):
        Where.parse([text])


def test_a_value_that_does_not_occur_is_named_with_those_that_do(opened: Store) -> None:
    women = int((opened.records["sex"] == "female").sum())
    with pytest.raises(BiosigError, match=rf"sex: expected one of female \({women}\), male .* got 'femail'"):
        Where.parse(["sex=femail"]).mask(opened)
    with pytest.raises(BiosigError, match=rf"sub_corpus: expected one of nothing \({len(opened)}\), got 'georgia'"):
        Where.parse(["sub_corpus=georgia"]).mask(opened)


def test_rows_of_joined_stores_find_their_records(opened: Store) -> None:
    both = Joined((opened, opened))
    rows = np.array([len(opened) + 3, 2, 5])
    parts = [(local.tolist(), places.tolist()) for _, local, places in both.parts(rows)]
    assert parts == [([2, 5], [1, 2]), ([3], [0])]
    assert both.recording(int(rows[0])).record_id == opened.record(3)
    assert both.frame("record")["record"].tolist() == 2 * opened.records["record"].tolist()


def test_the_other_store_is_tested_whole_by_what_this_one_taught(opened: Store) -> None:
    graph = ontology.cardiac()
    found = pose(Selection(opened, HERE), graph, min_positives=2, outside=Selection(opened, THERE))
    fold = opened.records["fold"].to_numpy()
    np.testing.assert_array_equal(found.task.rows[Role.TEST], len(opened) + np.flatnonzero(fold >= 9))
    np.testing.assert_array_equal(found.task.rows[Role.TRAIN], opened.rows("train"))
    assert found.inside is not None
    np.testing.assert_array_equal(found.inside.rows[Role.TEST], np.flatnonzero(fold == 8))
    assert not (found.inside.scored & ~found.task.scored).any()


def test_people_of_both_stores_are_refused(opened: Store) -> None:
    with pytest.raises(BiosigError, match="is on the train and the test side"):
        pose(Selection(opened), ontology.cardiac(), min_positives=2, outside=Selection(opened))


def test_what_one_store_never_annotates_is_asked_of_nobody(opened: Store) -> None:
    graph = ontology.cardiac()
    plain = pose(Selection(opened, HERE), graph, min_positives=2, outside=Selection(opened, THERE)).task
    column = int(np.flatnonzero(plain.scored)[0])

    def silent_there(records: pd.DataFrame, graph: ConceptGraph) -> Labels:
        labels = diagnoses(records, graph)
        known = labels.known.copy()
        known[len(opened) :, column] = False
        return Labels(labels.stated, known)

    outside = Selection(opened, THERE)
    found = pose(Selection(opened, HERE), graph, label=silent_there, min_positives=2, outside=outside)
    assert found.unshared == (graph.observed[column],)
    assert not found.task.known[:, column].any()
    assert not found.task.scored[column]


def test_inside_and_outside_are_over_the_same_concepts(outcome: Outcome, model: Path, opened: Store) -> None:
    evaluation = outcome.evaluation
    assert {(one.encoder, one.protocol) for one in evaluation.drops} == {
        (row.encoder, row.protocol) for row in evaluation.rows
    }
    inner = evaluate(model, Asked(Selection(opened, HERE), min_positives=2), replace(OPTIONS, adapt=())).evaluation
    own = inner.row(Encoder.PRETRAINED, Protocol.PROBE, 1.0)
    (ours,) = (one for one in evaluation.drops if (one.encoder, one.protocol) == (Encoder.PRETRAINED, Protocol.PROBE))
    assert own is not None
    whole = evaluation.row(Encoder.PRETRAINED, Protocol.PROBE, 1.0)
    assert whole is not None
    # The same probe on the same test side, where both judge the same concepts; C was chosen by others otherwise.
    if ours.n_concepts == own.n_concepts and whole.details["C"] == own.details["C"]:
        assert ours.inside.subjects.value == pytest.approx(own.auroc.subjects.value)
    assert ours.change.subjects.value == pytest.approx(ours.outside.subjects.value - ours.inside.subjects.value)
    assert evaluation.outside is not None
    assert evaluation.outside["where"] == "fold=10,9"


def test_a_model_gains_nothing_over_itself(outcome: Outcome) -> None:
    gaps = {(gap.protocol, gap.rival): gap for gap in outcome.evaluation.differences if gap.rival is Encoder.OTHER}
    assert {protocol for protocol, _ in gaps} == {Protocol.PROBE, Protocol.LORA}
    for gap in gaps.values():
        found = gap.auroc.subjects
        assert (found.low, found.value, found.high) == (0.0, 0.0, 0.0)


def test_what_was_adapted_is_set_against_its_probe_and_its_rivals(outcome: Outcome) -> None:
    found = {(g.rival, g.rival_protocol) for g in outcome.evaluation.differences if g.protocol is Protocol.LORA}
    assert found == {
        (Encoder.PRETRAINED, Protocol.PROBE),
        (Encoder.OTHER, Protocol.LORA),
        (Encoder.RANDOM, Protocol.PROBE),
        (Encoder.SCRATCH, Protocol.SUPERVISED),
    }
    names = [line.encoder for line in lines(outcome.evaluation)]
    assert names[:2] == ["pretrained, linear probe", "pretrained, low-rank (LoRA)"]
    console = Console(width=150, record=True, file=StringIO())
    console.print(as_table(outcome.evaluation, width=150))
    said = console.export_text()
    for part in ("what adapting the encoder gives", "inside and outside", "calibration error", "other model, linear"):
        assert part in said


def test_draws_come_with_the_result(outcome: Outcome) -> None:
    row, draws = outcome.evaluation.rows[0], outcome.draws[0]
    assert draws.macro_auroc().shape == (1, 1 + OPTIONS.draws)
    assert row.auroc.subjects.value == pytest.approx(draws.macro_auroc()[:, 0].mean())
    text = outcome.evaluation.model_dump_json()
    assert Evaluation.model_validate_json(text).model_dump_json() == text


def test_one_answer_comes_from_two_codes() -> None:
    said = [["True"], ["False"], [], ["True", "False"], ["other"]]
    records = pd.DataFrame({"codes": [[{"system": "chagas", "code": code} for code in row] for row in said]})
    graph = ConceptGraph([ontology.Concept("biosig:chagas", "Chagas disease")])
    found = coded("chagas", "True", "False")(records, graph)
    assert found.stated[:, 0].tolist() == [True, False, False, False, False]
    assert found.known[:, 0].tolist() == [True, True, False, False, False]
    assert not coded("cinc2011", "unacceptable", "acceptable")(records, graph).known.any()


def test_a_question_with_one_answer_is_evaluated_like_any_other(
    model: Path, opened: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The simulator's records answer no such question; here the first letter of a hash does."""
    answer = np.array([hash_ % 3 == 0 for hash_ in range(len(opened))])[:, None]
    made_up = replace(QUESTIONS["chagas"], label=lambda *_: Labels(answer, np.ones_like(answer)))
    monkeypatch.setitem(QUESTIONS._entries, "chagas", made_up)
    options = replace(OPTIONS, zero_shot=True, adapt=())
    found = evaluate(model, Asked(Selection(opened), "chagas", min_positives=2), options)
    rows = found.evaluation.rows
    assert {row.protocol for row in rows} == {Protocol.PROBE, Protocol.SUPERVISED}
    assert all(row.n_concepts == 1 and row.graph is None for row in rows)
    assert found.evaluation.findings == (), "codes of diagnoses are no labels of this question"
    assert found.evaluation.trust is not None
    assert found.evaluation.concepts[0].term == "Chagas disease"
    test = np.array(opened.rows("test"))
    scores = found.draws[0].run.scores[0]
    expected = macro(rank_metrics(scores, answer[test]).auroc)[0]
    assert rows[0].auroc.subjects.value == pytest.approx(expected)


def test_a_store_that_does_not_answer_says_so(model: Path, store: Path, tmp_path: Path) -> None:
    def ask(*options: str) -> str:
        return str(CliRunner().invoke(build(), ["evaluate", str(model), str(store), *options]).exception)

    assert "Chagas disease cannot be scored with --min-positives 5: 0 positive test subjects" in ask("--task", "chagas")
    assert "no task named 'chags' (did you mean 'chagas'?)" in ask("--task", "chags")
    assert "needs --test-store" in ask("--protocol", "external")
    assert "--adapt: expected lora, last or full" in ask("--adapt", "lora,all")


def test_adaptations_are_read_once_each() -> None:
    assert parse_adaptations("lora, full,lora") == (Adaptation.LORA, Adaptation.FULL)
    assert parse_adaptations("") == ()


def test_the_audit_looks_at_both_stores(outcome: Outcome) -> None:
    """The model was taught folds 1 to 6 of this store, with their codes, and neither test side."""
    severities = [finding.severity for finding in outcome.evaluation.findings]
    assert Severity.REFUSAL not in severities
    assert Severity.WARNING in severities
