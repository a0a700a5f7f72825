"""From a model and a store to a diagnoser, and from a diagnoser to answers: on a small simulated store."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from typer.testing import CliRunner

import biosig
from biosig.cli import build
from biosig.store import Store
from finetune.adaptation.fit import Tuned, Tuning, finetune
from finetune.diagnosis.audit import LeakageError
from finetune.diagnosis.choices import Adaptation, Imbalance, Loss, Upward
from finetune.diagnosis.diagnoser import Answer, Diagnoser
from finetune.diagnosis.scratch import Budget
from finetune.diagnosis.task import diagnosis
from finetune.heads import HEADS
from finetune.metrics.ranking import rank_metrics
from finetune.protocols import Role
from pretrain.errors import ModelError
from pretrain.models.foundation import FoundationModel, random_like
from pretrain.models.leakage import TrainingSet
from tests.networks import simulated
from tests.unsealed import unsealed

BUDGET = Budget(steps=2, batch_size=8, check_every=1, learning_rate=1e-3)
TUNING = Tuning(min_positives=2, draws=20, budget=BUDGET)


@pytest.fixture(scope="module")
def tuned(model: Path, store: Path) -> Tuned:
    return finetune(model, Store(store), TUNING)


@pytest.fixture(scope="module")
def saved(tuned: Tuned, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("diagnoser") / "diagnoser"
    tuned.diagnoser.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return next(simulated(tmp_path_factory.mktemp("new"), 2, seed=77).rglob("*.hea"))


def test_a_probe_moves_nothing_and_says_what_it_measured(tuned: Tuned, model: Path, store: Path) -> None:
    before, after = FoundationModel.from_pretrained(model), tuned.diagnoser.model
    for name, value in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], value, rtol=0, atol=0)
    opened = Store(store)
    task = diagnosis(opened, before.graph, min_positives=2)
    test, columns = task.rows[Role.TEST], task.scored
    said = tuned.diagnoser.probabilities(opened, test)
    found = rank_metrics(said, task.labels[test][:, columns], task.known[test][:, columns]).auroc[:, 0]
    np.testing.assert_allclose([one.auroc.value for one in tuned.diagnoser.config.concepts], found, atol=1e-6)
    assert tuned.diagnoser.config.macro_auroc.value == pytest.approx(found.mean())
    assert [block.name for block in tuned.blocks if block.trained] == ["head"]


@pytest.mark.parametrize("how", [Adaptation.LORA, Adaptation.LAST, Adaptation.FULL])
def test_an_adapted_encoder_is_saved_like_any_other(how: Adaptation, model: Path, store: Path, tmp_path: Path) -> None:
    found = finetune(model, Store(store), replace(TUNING, adaptation=how))
    found.diagnoser.save_pretrained(tmp_path / "out")
    loaded = Diagnoser.from_pretrained(tmp_path / "out")
    opened = Store(store)
    rows = opened.rows("test")[:3]
    np.testing.assert_allclose(
        loaded.probabilities(opened, rows),
        found.diagnoser.probabilities(opened, rows),
        atol=1e-6,
    )
    assert found.diagnoser.config.training["steps"] > 0
    best = found.diagnoser.config.training["best_step"]
    before = FoundationModel.from_pretrained(model).signal.encoder.state_dict()
    after = loaded.model.signal.encoder.state_dict()
    assert before.keys() == after.keys()
    moved = {name for name, value in before.items() if not torch.equal(after[name], value)}
    assert bool(moved) == (best > 0)
    if how is Adaptation.LAST:
        assert all(name.startswith(("backbone.blocks.6", "backbone.blocks.7")) for name in moved)


def test_the_same_seed_gives_the_same_weights(model: Path, store: Path) -> None:
    wanted = replace(TUNING, adaptation=Adaptation.LORA)
    one, other = (finetune(model, Store(store), wanted).diagnoser for _ in range(2))
    assert one.config == other.config
    for name, value in one.model.state_dict().items():
        torch.testing.assert_close(other.model.state_dict()[name], value, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("head", "loss"), [("mlp", Loss.BCE), ("attention", Loss.BCE), ("prototypes", Loss.NTCE), ("linear", Loss.NONL)]
)
def test_a_diagnoser_of_any_head_says_the_same_when_it_is_loaded(
    head: str, loss: Loss, model: Path, store: Path, tmp_path: Path
) -> None:
    budget = replace(BUDGET, learning_rate=3e-3)
    wanted = replace(TUNING, head=head, loss=loss, imbalance=Imbalance.LOGIT_ADJUSTMENT, budget=budget)
    found = finetune(model, Store(store), wanted).diagnoser
    found.save_pretrained(tmp_path / "out")
    loaded = Diagnoser.from_pretrained(tmp_path / "out")
    assert type(loaded.head) is HEADS[head]
    assert loaded.config.training["steps"] == 2
    opened = Store(store)
    rows = opened.rows("test")[:4]
    np.testing.assert_array_equal(loaded.probabilities(opened, rows), found.probabilities(opened, rows))
    # One record at a time and all together: nothing in a head knows the batch.
    np.testing.assert_allclose(
        loaded.probabilities(opened, rows[2:3]), loaded.probabilities(opened, rows)[2:3], atol=1e-6
    )
    before, after = FoundationModel.from_pretrained(model), loaded.model
    for name, value in before.state_dict().items():
        torch.testing.assert_close(after.state_dict()[name], value, rtol=0, atol=0)


def test_a_head_moves_with_the_encoder(model: Path, store: Path) -> None:
    wanted = replace(TUNING, head="attention", adaptation=Adaptation.FULL, imbalance=Imbalance.POSITIVE_WEIGHTS)
    found = finetune(model, Store(store), wanted)
    assert found.blocks[-1].name == "head"
    assert all(block.trained == block.parameters for block in found.blocks)


@pytest.mark.parametrize("upward", Upward)
def test_no_finding_is_more_probable_than_what_it_is_a_kind_of(upward: Upward, model: Path, store: Path) -> None:
    opened = Store(store)
    found = finetune(model, opened, replace(TUNING, upward=upward)).diagnoser
    said = found.probabilities(opened, opened.rows("test"))
    column = {one.concept: place for place, one in enumerate(found.config.concepts)}
    pairs = [(column[kind], column[one.concept]) for one in found.config.concepts for kind in one.kinds]
    assert pairs, "some concept of the store is a kind of another"
    for kind, above in pairs:
        assert (said[:, kind] <= said[:, above] + 1e-9).all()
    alone = finetune(model, opened, TUNING).diagnoser.probabilities(opened, opened.rows("test"))
    assert any((alone[:, kind] > alone[:, above]).any() for kind, above in pairs), "without it some are"


def test_a_diagnoser_of_the_first_version_still_speaks(saved: Path, store: Path, tmp_path: Path) -> None:
    """As version 1 wrote it: no head was named, for there was one."""
    copytree(saved, tmp_path / "old")
    content = unsealed(tmp_path / "old" / "diagnoser.json")
    for name in ("head", "upward"):
        del content[name]
    for one in content["concepts"]:
        del one["kinds"]
    (tmp_path / "old" / "diagnoser.json").write_text(json.dumps(content | {"version": 1}))
    opened = Store(store)
    said = [Diagnoser.from_pretrained(one).probabilities(opened, np.arange(3)) for one in (saved, tmp_path / "old")]
    np.testing.assert_array_equal(*said)


def test_a_head_that_is_not_there_is_named(model: Path, store: Path, tmp_path: Path) -> None:
    asked = ["finetune", str(model), str(store), "--out", str(tmp_path / "out"), "--head", "linaer"]
    assert "linear" in str(CliRunner().invoke(build(), asked).exception)


def test_who_was_fitted_to_is_remembered(saved: Path, store: Path) -> None:
    seen = FoundationModel.from_pretrained(saved / "model").training_set
    assert seen is not None
    opened = Store(store)
    assert seen.seen(opened)[opened.rows("validation")].all()
    assert not seen.seen(opened)[opened.rows("test")].any()


def test_a_model_that_met_the_test_side_is_refused(model: Path, store: Path, tmp_path: Path) -> None:
    opened, leaky = Store(store), FoundationModel.from_pretrained(model)
    leaky.training_set = TrainingSet.of([opened], [opened.rows("test")])
    said = leaky.config.provenance.model_copy(update={"training_set": leaky.training_set.sha256})
    leaky.config = leaky.config.model_copy(update={"provenance": said})
    leaky.save_pretrained(tmp_path / "leaky")
    with pytest.raises(LeakageError, match="the model was trained on"):
        finetune(tmp_path / "leaky", opened, TUNING)


def test_a_diagnosis_has_every_concept_the_most_probable_first(saved: Path, recording: Path) -> None:
    loaded = Diagnoser.from_pretrained(saved)
    one, again = loaded.diagnose([biosig.read(recording)] * 2)
    assert one == again
    assert {said.concept.concept for said in one.said} == {each.concept for each in loaded.config.concepts}
    assert [said.probability for said in one.said] == sorted((s.probability for s in one.said), reverse=True)
    assert all(said.named == (said.probability >= said.concept.threshold) for said in one.said)
    assert 0 <= one.novelty <= 1


def test_sets_in_words() -> None:
    assert Answer.of(absent=False, present=True) is Answer.YES
    assert Answer.of(absent=True, present=False) is Answer.NO
    assert Answer.of(absent=True, present=True) is Answer.UNDECIDED
    assert Answer.of(absent=False, present=False) is Answer.NEITHER


def test_damage_is_named(saved: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a biosig diagnoser"):
        Diagnoser.from_pretrained(tmp_path)
    kept = (saved / "diagnoser.json").read_text()
    content = json.loads(kept)
    try:
        unsealed(saved / "diagnoser.json", concepts=content["concepts"][:1])
        with pytest.raises(ModelError, match=r"does not fit diagnoser\.json"):
            Diagnoser.from_pretrained(saved)
        (saved / "diagnoser.json").write_text(json.dumps(content | {"version": 9}))
        with pytest.raises(ModelError, match=r"diagnoser\.json: version: .* got 9"):
            Diagnoser.from_pretrained(saved)
        (saved / "diagnoser.json").write_text("{")
        with pytest.raises(ModelError, match="not JSON"):
            Diagnoser.from_pretrained(saved)
    finally:
        (saved / "diagnoser.json").write_text(kept)


@pytest.fixture
def copied(saved: Path, tmp_path: Path) -> Path:
    return Path(copytree(saved, tmp_path / "copied"))


def test_answers_under_other_names_are_refused(copied: Path) -> None:
    content = json.loads((copied / "diagnoser.json").read_text())
    content["concepts"].reverse()
    (copied / "diagnoser.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"diagnoser\.json: changed since it was written: sha256: expected"):
        Diagnoser.from_pretrained(copied)


def test_the_encoder_of_another_diagnoser_is_refused(copied: Path) -> None:
    """It has the same shape: nothing else would tell."""
    random_like(FoundationModel.from_pretrained(copied / "model"), 1).save_pretrained(copied / "model")
    with pytest.raises(ModelError, match=r"copied: model/config\.json: not the file that was saved with this"):
        Diagnoser.from_pretrained(copied)


def test_weights_that_are_no_numbers_are_refused(copied: Path) -> None:
    tensors = load_file(copied / "diagnoser.safetensors")
    save_file({name: np.full_like(value, np.nan) for name, value in tensors.items()}, copied / "diagnoser.safetensors")
    with pytest.raises(ModelError, match=r"diagnoser\.safetensors: not the file that was saved with this"):
        Diagnoser.from_pretrained(copied)


def test_thresholds_that_are_no_numbers_are_refused(copied: Path) -> None:
    content = unsealed(copied / "diagnoser.json")
    content["concepts"][0]["threshold"] = float("nan")
    (copied / "diagnoser.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"diagnoser\.json: not JSON: expected finite numbers, got NaN"):
        Diagnoser.from_pretrained(copied)


def test_the_training_records_may_be_taken_away(copied: Path, recording: Path) -> None:
    (copied / "training_records.parquet").unlink(missing_ok=True)
    assert Diagnoser.from_pretrained(copied).diagnose(biosig.read(recording))[0].nearest == ()


def test_both_commands(model: Path, store: Path, recording: Path, tmp_path: Path) -> None:
    out, run = tmp_path / "diagnoser", CliRunner().invoke
    tuned = run(
        build(),
        [
            "finetune",
            str(model),
            str(store),
            "--out",
            str(out),
            "--min-positives",
            "2",
            "--adapt",
            "last",
            "--steps",
            "2",
        ],
    )
    assert tuned.exit_code == 0, tuned.output
    assert "backbone.blocks.7" in tuned.output
    assert "macro AUROC" in tuned.output
    assert all((out / name).is_file() for name in ("README.md", "card.html", "card.json"))
    again = run(build(), ["finetune", str(model), str(store), "--out", str(out)])
    assert "exists already" in str(again.exception)
    broken = tmp_path / "broken.hea"
    broken.write_text("nonsense")
    asked = run(build(), ["predict", str(out), str(recording), str(broken), "--out", str(tmp_path / "said"), "--all"])
    assert asked.exit_code == 2
    assert "1 of 2 files left out" in asked.output
    concepts = Diagnoser.from_pretrained(out).config.concepts
    assert all(one.term[:12] in asked.output for one in concepts)
    with (tmp_path / "said" / "predictions.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert len(lines) == len(concepts)
    assert {line["file"] for line in lines} == {str(recording)}
    assert (tmp_path / "said" / f"{recording.stem}.png").stat().st_size > 10_000
