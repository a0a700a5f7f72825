"""From a model, a store and a target to a predictor, and from that to answers: on small simulated stores."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

import biosig
from biosig.cli import build
from biosig.errors import BiosigError
from biosig.simulate import write_corpus
from biosig.simulate.corpus import FOLLOW_UP
from biosig.store import Store
from finetune.diagnosis.audit import LeakageError
from finetune.diagnosis.choices import Adaptation
from finetune.outcomes.bench import NO_SIGNAL, PROBE, RANDOM, SCRATCH, Options
from finetune.outcomes.covariates import covariates
from finetune.outcomes.fit import Outcome, fit
from finetune.outcomes.predictor import OutcomePredictor
from finetune.outcomes.target import Kind, Target, from_column, from_table
from finetune.outcomes.task import pose, remarks
from finetune.outcomes.training import Budget
from finetune.protocols import Role
from pretrain.errors import ModelError
from pretrain.models.foundation import FoundationModel
from pretrain.models.leakage import TrainingSet
from tests.networks import simulated

OPTIONS = Options(seeds=1, draws=20, budget=Budget(steps=2, batch_size=8, check_every=1), workers=0)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What becomes of the subjects of the store: its corpus's first two records are enough to know all of one seed."""
    folder = tmp_path_factory.mktemp("follow-up") / "corpus"
    write_corpus(folder, 2, seed=5, sampling_rate=100.0, duration=4.0, workers=1, progress=False, follow_up=True)
    return folder / FOLLOW_UP


def follow_up(store: Store) -> Target:
    """Random times, some of them unknown: nothing can be learnt, everything can be run."""
    rng = np.random.default_rng(0)
    values = rng.exponential(3.0, len(store))
    values[:5] = np.nan
    return Target("died", Kind.SURVIVAL, "years", values, (rng.random(len(store)) < 0.6) & ~np.isnan(values))


@pytest.fixture(scope="module")
def aged(model: Path, store: Path) -> Outcome:
    return fit(model, Store(store), from_column(Store(store), "age"), OPTIONS)


@pytest.fixture(scope="module")
def survived(model: Path, store: Path) -> Outcome:
    target = follow_up(Store(store))
    beside = {"the truth": -target.values}
    return fit(model, Store(store), target, replace(OPTIONS, scratch=False, beside=beside), horizon=2.0)


def test_every_rival_has_a_row_and_is_compared(aged: Outcome) -> None:
    names = [row.name for row in aged.result.rows]
    assert names == [NO_SIGNAL, "sex, no signal", RANDOM, SCRATCH, PROBE]
    assert [gap.rival for gap in aged.result.gaps] == names[:-1]
    best, worst = aged.result.rows[-1].metrics, aged.result.rows[0].metrics
    for name in ("mae", "r2"):
        gap = aged.result.gaps[0].metrics[name].subjects.value
        assert gap == pytest.approx(best[name].subjects.value - worst[name].subjects.value)
    assert worst["pearson"].subjects.value is None
    assert aged.result.coverage is not None


def test_the_probe_moves_nothing_and_is_measured_as_it_answers(aged: Outcome, model: Path, store: Path) -> None:
    before = FoundationModel.from_pretrained(model)
    for name, value in before.state_dict().items():
        torch.testing.assert_close(aged.predictor.model.state_dict()[name], value, rtol=0, atol=0)
    opened = Store(store)
    test = aged.task.rows[Role.TEST]
    said = aged.predictor.predict([opened.recording(int(row)) for row in test])
    mae = np.abs(np.array([one.value for one in said]) - opened.records["age"].to_numpy()[test]).mean()
    assert aged.result.rows[-1].metrics["mae"].subjects.value == pytest.approx(mae, rel=1e-4)
    assert said[0].high - said[0].low == pytest.approx(2 * aged.result.halfwidth)


def test_survival_has_thirds_and_probabilities(survived: Outcome) -> None:
    assert [row.name for row in survived.result.rows] == [
        NO_SIGNAL, "age and sex, no signal", "the truth, no signal", RANDOM, PROBE,
    ]  # fmt: skip
    assert survived.result.rows[2].metrics["c_index"].subjects.value == 1.0
    assert survived.result.rows[0].metrics["c_index"].subjects.value == 0.5
    assert sum(group.records for group in survived.result.groups) == len(survived.task.rows[Role.TEST])
    assert any("died is not known of" in finding.text for finding in survived.result.findings)
    assert sum(survived.task.unknown.values()) <= 5


@pytest.mark.parametrize("kind", list(Kind))
def test_what_is_saved_answers_alike(kind: Kind, aged: Outcome, survived: Outcome, store: Path, tmp_path: Path) -> None:
    found = aged if kind is Kind.REGRESSION else survived
    found.predictor.save_pretrained(tmp_path / "out")
    loaded = OutcomePredictor.from_pretrained(tmp_path / "out")
    recordings = [Store(store).recording(row) for row in range(3)]
    assert loaded.predict(recordings) == found.predictor.predict(recordings)
    assert loaded.predict(recordings)[0].group == (
        "" if kind is Kind.REGRESSION else loaded.predict(recordings)[0].group
    )
    content = json.loads((tmp_path / "out" / "outcome.json").read_text())
    (tmp_path / "out" / "outcome.json").write_text(json.dumps(content | {"scale": -1}))
    with pytest.raises(ModelError, match=r"outcome\.json: scale: .* got -1"):
        OutcomePredictor.from_pretrained(tmp_path / "out")
    (tmp_path / "out" / "outcome.safetensors").unlink()
    (tmp_path / "out" / "outcome.json").write_text(json.dumps(content))
    with pytest.raises(ModelError, match=r"does not fit outcome\.json"):
        OutcomePredictor.from_pretrained(tmp_path / "out")
    with pytest.raises(ModelError, match="not a biosig outcome model"):
        OutcomePredictor.from_pretrained(tmp_path)


@pytest.mark.parametrize("how", [Adaptation.LORA, Adaptation.FULL])
def test_an_adapted_encoder_is_no_worse_on_validation(how: Adaptation, model: Path, store: Path) -> None:
    opened = Store(store)
    wanted = replace(OPTIONS, adaptation=how, scratch=False)
    target = from_column(opened, "age") if how is Adaptation.LORA else follow_up(opened)
    one = fit(model, opened, target, wanted)
    assert one.result.chosen == f"pretrained, {how.value}" == one.result.rows[-1].name
    assert one.predictor.config.training["steps"] == 2
    before = FoundationModel.from_pretrained(model).signal.encoder.state_dict()
    after = one.predictor.model.signal.encoder.state_dict()
    assert before.keys() == after.keys()
    moved = any(not torch.equal(after[name], value) for name, value in before.items())
    assert moved == (one.predictor.config.training["best_step"] > 0)


def test_who_was_fitted_to_is_remembered_and_a_leak_is_refused(
    aged: Outcome, model: Path, store: Path, tmp_path: Path
) -> None:
    opened = Store(store)
    seen = aged.predictor.model.training_set
    assert seen is not None
    assert seen.seen(opened)[aged.task.rows[Role.VALIDATION]].all()
    leaky = FoundationModel.from_pretrained(model)
    leaky.training_set = TrainingSet.of([opened], [opened.rows("test")])
    said = leaky.config.provenance.model_copy(update={"training_set": leaky.training_set.sha256})
    leaky.config = leaky.config.model_copy(update={"provenance": said})
    leaky.save_pretrained(tmp_path / "leaky")
    with pytest.raises(LeakageError, match="the model was trained on"):
        fit(tmp_path / "leaky", opened, from_column(opened, "age"), OPTIONS)


def test_tasks_that_cannot_be_posed(store: Path) -> None:
    opened = Store(store)
    target = from_column(opened, "age")
    with pytest.raises(BiosigError, match="age is the same in all training records"):
        pose(opened, replace(target, values=np.full(len(opened), 50.0)))
    with pytest.raises(BiosigError, match="no event among the"):
        pose(opened, replace(target, kind=Kind.SURVIVAL))
    unknown = target.values.copy()
    unknown[opened.rows("validation")] = np.nan
    with pytest.raises(BiosigError, match="known of no record on the validation side"):
        pose(opened, replace(target, values=unknown))
    few = target.values.copy()
    few[opened.rows("test")[3:]] = np.nan
    assert any("say little" in one for one in remarks(pose(opened, replace(target, values=few))))


def test_age_and_sex_with_gaps(store: Path) -> None:
    opened = Store(store)
    task = pose(opened, follow_up(opened))
    values, names = covariates(opened, task)
    assert names == ("age", "sex")
    assert np.isfinite(values).all()
    assert set(np.unique(values[:, 1])) == {0.0, 1.0}


def test_follow_up_names_the_subjects_of_the_store(table: Path, store: Path) -> None:
    target = from_table(Store(store), table, "years", "died")
    assert target.known.any()


def test_both_commands(model: Path, store: Path, tmp_path: Path) -> None:
    out, run = tmp_path / "age", CliRunner().invoke
    small = ["--seeds", "1", "--steps", "2", "--draws", "20", "--workers", "0", "--no-scratch"]
    made = run(build(), ["outcome", str(model), str(store), "--target", "age", "--out", str(out), *small])
    assert made.exit_code == 0, made.output
    assert "random encoder, probe" in made.output
    assert (out / "table.md").read_text().startswith("age, years on simulated")
    assert (out / "outcome.png").stat().st_size > 5_000
    again = run(build(), ["outcome", str(model), str(store), "--target", "age", "--out", str(out)])
    assert "exists already" in str(again.exception)
    new = next(simulated(tmp_path / "new", 1, seed=77).rglob("*.hea"))
    broken = tmp_path / "broken.hea"
    broken.write_text("nonsense")
    asked = run(build(), ["outcome", str(new), str(broken), "--model", str(out), "--out", str(tmp_path / "said")])
    assert asked.exit_code == 2
    assert "1 of 2 files left out" in asked.output
    with (tmp_path / "said" / "predictions.csv").open(encoding="utf-8") as file:
        (line,) = csv.DictReader(file)
    said = OutcomePredictor.from_pretrained(out).predict(biosig.read(new))[0]
    assert float(line["age, years"]) == pytest.approx(said.value, rel=1e-4)
    assert (tmp_path / "said" / f"{new.stem}.png").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "expected --target of a number"),
        (["--time", "years"], "survival needs both"),
        (["--target", "age", "--beside", "score"], "--beside: expected --table"),
        (["--time", "years", "--event", "died"], "expected --table"),
        (["--target", "age", "--time", "y", "--event", "d", "--table", "t.csv"], "got both"),
    ],
)
def test_options_that_do_not_go_together(
    options: list[str], message: str, model: Path, store: Path, tmp_path: Path
) -> None:
    found = CliRunner().invoke(build(), ["outcome", str(model), str(store), "--out", str(tmp_path / "x"), *options])
    assert message in str(found.exception)


def test_survival_is_drawn(survived: Outcome) -> None:
    from finetune.outcomes.figure import figure

    labels = [text.get_text() for text in figure(survived).axes[0].get_legend().get_texts()]
    assert labels
    assert all(label.endswith("third of risk") for label in labels)
