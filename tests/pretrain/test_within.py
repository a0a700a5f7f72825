"""A pretraining inside a fold: on the records it is given, and on nothing else."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

import ontology
from biosig.preprocess import Preprocessing, Resample
from biosig.sealed import sealed
from biosig.store import Store, prepare, trials
from biosig.store.layout import sampled
from pretrain.data.examples import Examples
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import RecipeError, TrainingError
from pretrain.models.leakage import TrainingSet
from pretrain.recipe import Recipe, load, parse
from pretrain.training.session import pretrain
from pretrain.within import pretrain_on
from tests.pretrain.eeg import SMALL, TINY_EEG, Shown, clocks, simulated_store
from tests.pretrain.test_data import renamed

NOBODY = np.zeros(0, dtype=np.int64)


@pytest.fixture(scope="module")
def eeg_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six subjects who met three stimuli of 8 s."""
    return simulated_store(tmp_path_factory.mktemp("eeg"))


def tiny_eeg(*overrides: str) -> Recipe:
    return parse(TINY_EEG, overrides=overrides)


def but(store: Path, *subjects: int) -> np.ndarray:
    """All rows but those of some subjects."""
    names = {f"S{number:04d}" for number in subjects}
    return np.array([row for row, (_, name) in enumerate(Store(store).subjects) if name not in names])


def only(store: Path, *subjects: int) -> np.ndarray:
    return np.setdiff1d(np.arange(len(Store(store))), but(store, *subjects))


def test_the_model_has_seen_the_examples_and_nobody_else(eeg_store: Path) -> None:
    examples = Examples((but(eeg_store, 4, 5),), (only(eeg_store, 5),), 0)
    model = pretrain_on(tiny_eeg(), [eeg_store], examples)
    opened = Store(eeg_store)
    assert model.training_set == TrainingSet.of([opened], examples.train)
    assert model.training_set is not None
    np.testing.assert_array_equal(np.flatnonzero(model.training_set.seen(opened)), examples.train[0])
    assert model.config.provenance is not None
    (use,) = model.config.provenance.stores
    assert (use.records, use.subjects, use.folds) == (
        {"train": 12, "validation": 3},
        {"train": 4, "validation": 1},
        {},
    )
    assert model.config.ontology is None
    assert not model.training
    assert model.encode(opened, only(eeg_store, 4)).shape == (3, 8)


def test_equal_calls_give_equal_models_and_leave_the_random_state_alone(eeg_store: Path) -> None:
    examples = Examples((but(eeg_store, 0),), (NOBODY,), 0)
    before = torch.get_rng_state(), np.random.get_state()[1].tolist()  # noqa: NPY002
    one = pretrain_on(tiny_eeg(), [eeg_store], examples)
    torch.testing.assert_close(torch.get_rng_state(), before[0], rtol=0, atol=0)
    assert np.random.get_state()[1].tolist() == before[1]  # noqa: NPY002
    torch.rand(3)
    other = pretrain_on(tiny_eeg(), [eeg_store], examples)
    for name, value in one.state_dict().items():
        assert torch.equal(value, other.state_dict()[name]), name
    changed = pretrain_on(tiny_eeg(), [eeg_store], Examples((but(eeg_store, 1),), (NOBODY,), 0))
    assert not all(torch.equal(value, changed.state_dict()[name]) for name, value in one.state_dict().items())


def test_a_signal_outside_the_examples_is_without_influence(eeg_store: Path, tmp_path: Path) -> None:
    """Nor are labels, reports, concepts or folds: a store without any gives the same weights."""
    rows = but(eeg_store, 2)
    examples = Examples((rows,), (NOBODY,), 0)
    model = pretrain_on(tiny_eeg(), [eeg_store], examples)
    bare = renamed(
        eeg_store,
        tmp_path / "bare",
        codes=[[] for _ in Store(eeg_store).subjects],
        concepts=[[] for _ in Store(eeg_store).subjects],
        report=["unread"] * len(Store(eeg_store)),
        fold=[10] * len(Store(eeg_store)),
    )
    (shard,) = bare.glob("shard-*.npy")
    samples, opened = np.load(shard, mmap_mode="r+"), Store(bare)
    for row in only(eeg_store, 2):
        block = opened.block(row)
        first = int(opened._place.offset[row])
        samples[first : first + block.size] = 77
    samples.flush()
    info = json.loads((bare / "store.json").read_text())
    info["files"][shard.name]["sampled"] = sampled(shard)
    (bare / "store.json").write_text(json.dumps(sealed(info)))
    again = pretrain_on(tiny_eeg(), [bare], examples)
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name]), name


def test_a_folder_keeps_the_log_and_one_checkpoint(eeg_store: Path, tmp_path: Path) -> None:
    examples = Examples((but(eeg_store, 4, 5),), (only(eeg_store, 4, 5),), 0)
    pretrain_on(tiny_eeg(), [eeg_store], examples, folder=tmp_path / "run")
    entries = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in entries if "validation" in entry] == [4, 8, 12]
    # The best validation is kept beside the last.
    assert "step-00000012" in [path.name for path in (tmp_path / "run" / "checkpoints").iterdir()]
    assert not (tmp_path / "run" / "model").exists(), "the model is in memory"


def test_one_validation_subject_has_nobody_to_be_compared_with(eeg_store: Path, tmp_path: Path) -> None:
    examples = Examples((but(eeg_store, 4, 5),), (only(eeg_store, 4),), 0)
    data = PretrainingData([eeg_store], tiny_eeg(), None, None, examples=examples)
    (note,) = data.notes
    assert note.startswith("nothing is validated, for the records that validate are not of 2 subjects")
    pretrain_on(tiny_eeg(), [eeg_store], examples, folder=tmp_path / "run")
    assert "validation" not in (tmp_path / "run" / "log.jsonl").read_text()
    two = Examples(examples.train, (only(eeg_store, 4, 5),), 0)
    assert PretrainingData([eeg_store], tiny_eeg(), None, None, examples=two).notes == ()


def test_examples_that_do_not_fit_are_refused(eeg_store: Path) -> None:
    rows = but(eeg_store, 0)
    for examples, message in (
        (Examples((rows, rows), (NOBODY, NOBODY), 0), "expected rows of 1 stores, got 2 that train"),
        (Examples((np.array([0, 99]),), (NOBODY,), 0), "expected rows below 18, got 99"),
        (Examples((np.array([-1]),), (NOBODY,), 0), "expected rows below 18, got -1"),
        (Examples((rows,), (rows[:1],), 0), "subject 'S0001' of simulated-eeg both trains and validates"),
        (Examples((NOBODY,), (NOBODY,), 0), "no record trains"),
        (Examples((only(eeg_store, 3),), (NOBODY,), 0), "3 stimuli, all met by fewer"),
    ):
        with pytest.raises(TrainingError, match=message):
            pretrain_on(tiny_eeg(), [eeg_store], examples)
    with pytest.raises(TrainingError, match=r"s0000t001: expected a channel of ecg, it has none"):
        pretrain_on(tiny_eeg("data.modalities=[ecg]"), [eeg_store], Examples((np.arange(3),), (NOBODY,), 0))


def test_batches_have_moments_and_subjects(eeg_store: Path) -> None:
    data = PretrainingData([eeg_store], tiny_eeg(), None, None, examples=Examples((but(eeg_store, 0),), (NOBODY,), 0))
    batch = data.train_batch(3)
    assert batch["moment"].dtype == batch["subject"].dtype == torch.int64
    for moment in batch["moment"].unique():
        assert len(batch["subject"][batch["moment"] == moment].unique()) == 2
    names = [Store(eeg_store).subjects[row] for row in batch["row"].tolist()]
    assert len(set(zip(names, batch["subject"].tolist(), strict=True))) == len(set(names))
    assert batch["labels"].shape == (8, 0)
    uniform = tiny_eeg("data.sampler={kind: uniform}")
    plain = PretrainingData([eeg_store], uniform, None, None, examples=data.examples).train_batch(0)
    assert (plain["moment"] == -1).all()
    assert len(plain["subject"].unique()) > 2


def test_the_roles_of_a_store_are_the_examples_by_default(eeg_store: Path) -> None:
    data = PretrainingData([eeg_store], tiny_eeg(), None, None)
    opened = Store(eeg_store)
    seen = {int(row) for step in range(12) for row in data.train_batch(step)["row"]}
    assert seen <= set(opened.rows("train").tolist())
    watched = {int(row) for batch in data.validation_batches() for row in batch["row"]}
    assert watched <= set(opened.rows("validation").tolist())


def test_a_batch_is_a_multiple_of_the_subjects_of_a_moment() -> None:
    with pytest.raises(RecipeError, match=r"expected a multiple of data\.sampler\.subjects_per_moment \(3\), got 8"):
        tiny_eeg("data.sampler.subjects_per_moment=3")
    with pytest.raises(RecipeError, match=r"data\.sampler\.kind: .*'moment'"):
        tiny_eeg("data.sampler.kind=moment")


@pytest.mark.parametrize("name", ["temporal_asynchronous_eeg", "clisa", "clisa_synchronous", "ta2cl"])
def test_a_shipped_recipe_trains_on_any_cap_without_an_ontology(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ontology, "cardiac", lambda: pytest.fail("no graph is needed"))
    experiment = replace(
        SMALL, subjects=4, stimuli=2, duration=21.0, sampling_rate=128.0, electrodes=("Cz", "O1", "F7")
    )
    store = simulated_store(tmp_path, experiment)
    recipe = load(
        name, ["optimiser.steps=2", "optimiser.warmup_steps=0", "optimiser.batch_size=8", "training.device=cpu"]
    )
    model = pretrain_on(recipe, [store], Examples((but(store, 0),), (NOBODY,), 0))
    assert model.graph is None
    tokens = recipe.data.window_seconds * recipe.model.signal.options["token_rate"]
    batch = model.config.intake.windows(Store(store), np.arange(2), np.zeros(2, dtype=np.int64))
    assert model.tokens(batch).shape == (2, tokens, 32)


CHILD = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from rich.console import Console
from pretrain.recipe import parse
from pretrain.training.session import pretrain
from pretrain.training.trainer import Trainer
recipe, store, out, last = parse(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
real, calls = Trainer._step, 0
def step(*arguments):
    global calls
    calls += 1
    if calls == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*arguments)
Trainer._step = step
pretrain(recipe, [store], out, resume=out.exists(), console=Console(quiet=True))
"""


@pytest.mark.slow
def test_killed_and_resumed_is_bit_identical(eeg_store: Path, tmp_path: Path) -> None:
    """As for the uniform sampler: the position of this one is a function of the step, too."""

    def child(out: Path, last: int) -> int:
        arguments = [sys.executable, "-c", CHILD, TINY_EEG, str(eeg_store), str(out), str(last)]
        return subprocess.run(arguments, check=False, env={**os.environ, "PYTHONHASHSEED": "random"}).returncode

    assert child(tmp_path / "whole", 0) == 0
    assert child(tmp_path / "cut", 7) == -signal.SIGKILL
    assert not (tmp_path / "cut" / "model").exists()
    assert child(tmp_path / "cut", 0) == 0
    whole, cut = (files(tmp_path / name) for name in ("whole", "cut"))
    assert whole.keys() == cut.keys()
    assert [name for name in whole if whole[name] != cut[name]] == []


def files(run: Path) -> dict[str, Any]:
    """Model, checkpoints and log, without the speed."""
    found: dict[str, Any] = {
        str(path.relative_to(run)): path.read_bytes()
        for part in ("model", "checkpoints")
        for path in (run / part).rglob("*")
        if path.is_file()
    }
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return found | {"log": [{k: v for k, v in entry.items() if k != "records_per_second"} for entry in entries]}


def test_a_run_tells_which_stimuli_are_left_out(tmp_path: Path) -> None:
    shown = {"ann": "AB", "ben": "A", "cat": "A"}
    records = {
        name + letter: (name, 60, [Shown(letter, 0, 60)]) for name, letters in shown.items() for letter in letters
    }
    store = clocks(tmp_path, records)
    console = Console(file=io.StringIO(), width=200)
    recipe = tiny_eeg(
        "data.sampling_rate=10", "model.signal.options.token_rate=5", "optimiser.batch_size=2", "optimiser.steps=2"
    )
    pretrain(recipe, [store], tmp_path / "run", console=console)
    assert "1 of 2 stimuli are left out, for fewer than 2 subjects met the same 2 s of them: B" in (
        console.file.getvalue()  # type: ignore[attr-defined]
    )


@pytest.mark.real
def test_real_subjects_meet_at_their_situations(biosig_data: Path, tmp_path: Path) -> None:
    """DASPS: 23 subjects, six situations, each recited and recalled, 15 s of 14 electrodes."""
    same = Preprocessing(steps=(Resample(rate=128.0),))
    prepare("dasps", biosig_data / "eeg" / "dasps", tmp_path / "store", preprocessing=same, workers=0, progress=False)
    store = Store(tmp_path / "store")
    recipe = load("temporal_asynchronous_eeg", ["optimiser.steps=2", "optimiser.warmup_steps=0", "training.device=cpu"])
    names = sorted({name for _, name in store.subjects})
    rows = np.array([row for row, (_, name) in enumerate(store.subjects) if name != names[0]])
    examples = Examples((rows,), (NOBODY,), 0)
    data = PretrainingData([store.path], recipe, None, None, examples=examples)
    batch = data.train_batch(0)
    shown = trials(store).set_index("row")["stimulus"]
    for moment in batch["moment"].unique():
        here = (batch["moment"] == moment).numpy()
        assert len({shown[row] for row in batch["row"].numpy()[here]}) == 1
        assert len({store.subjects[row] for row in batch["row"].numpy()[here]}) == 2
    assert len({shown[row] for row in batch["row"].tolist()}) == 12
    assert data.notes == ()
    model = pretrain_on(recipe, [store.path], examples)
    assert model.training_set is not None
    np.testing.assert_array_equal(np.flatnonzero(~model.training_set.seen(store)), np.setdiff1d(np.arange(276), rows))
