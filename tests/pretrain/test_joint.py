"""ECG and EEG in one run: three objectives, batches of one kind, and nothing counted where nothing is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from rich.console import Console

import ontology
from biosig.channels import LEADS_12
from biosig.recording import Modality, Recording
from biosig.store import Store
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import TrainingError
from pretrain.models.foundation import FoundationModel
from pretrain.models.text import ReportEncoder
from pretrain.recipe import Recipe, parse
from pretrain.training.session import Summary, pretrain
from tests.pretrain.joint import JOINT, RATE, joint_stores
from tests.pretrain.test_data import renamed
from tests.pretrain.test_processes import same
from tests.pretrain.test_resume import files, log_without_speed

LANGUAGE, CONCEPT, BATCH = "ecg/signal_language/report", "ecg/graph_smoothed/concept", "ecg/graph_smoothed/batch"
MOMENT = "eeg/temporal_asynchronous/moment"
# The child kills itself, as hard as a machine that loses power.
CHILD = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from rich.console import Console
from pretrain.recipe import parse
from pretrain.training.session import pretrain
from pretrain.training.trainer import Trainer

recipe, out, last = parse(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
step = Trainer._step
def deadly(self, number, batch, rate):
    if number == last:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(self, number, batch, rate)
Trainer._step = deadly
pretrain(recipe, [Path(path) for path in sys.argv[4:]], out, resume=out.exists(), console=Console(quiet=True))
"""


def joint(*overrides: str) -> Recipe:
    return parse(JOINT, overrides=overrides)


def run(recipe: Recipe, stores: list[Path], out: Path) -> Summary:
    return pretrain(recipe, stores, out, console=Console(quiet=True))


def trained(out: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [entry["train"] for entry in entries if "train" in entry]


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """ECG, of which few have a report or a code, and EEG."""
    folder = tmp_path_factory.mktemp("joint")
    ecg, eeg = joint_stores(folder)
    table = Store(ecg).records
    few = np.arange(len(table)) % 4 == 0
    reports = [text if one else "" for text, one in zip(table["report"], few, strict=True)]
    codes = [list(row) if one else [] for row, one in zip(table["codes"], np.roll(few, 1), strict=True)]
    return [renamed(ecg, folder / "few", report=reports, codes=codes), eeg]


def data_of(stores: list[Path], *overrides: str) -> PretrainingData:
    return PretrainingData(stores, joint(*overrides), ontology.cardiac(), ReportEncoder())


def test_a_batch_is_of_one_kind_and_of_its_length(stores: list[Path]) -> None:
    data, first = data_of(stores), len(Store(stores[0]))
    kinds = set()
    for step in range(12):
        batch, group = data.train_batch(step), data.group(step)
        assert ((batch["row"] < first) == (group == "ecg")).all()
        assert batch["signal"].shape[2] == RATE * {"ecg": 4, "eeg": 2}[group]
        assert (batch["moment"] >= 0).all() == (group == "eeg")
        kinds.add(group)
    assert kinds == {"ecg", "eeg"}
    assert set(data.validation) <= kinds
    assert {data.group(step) for step in data.opening(1)} == kinds
    sizes = {name: len(sampler) for name, sampler in data.groups.items()}
    powers = {name: size ** (1 / 3) for name, size in sizes.items()}
    assert data.shares == pytest.approx({name: power / sum(powers.values()) for name, power in powers.items()})


def test_the_position_says_how_often_each_group_came(stores: list[Path]) -> None:
    data = data_of(stores)
    step = 2 * data.batches_per_epoch + 3
    taken = [data.group(k) for k in range(step)]
    assert data.position(step) == {
        "epoch": 2,
        "batch": 3,
        "windows": len(data.train),
        "batches of ecg": taken.count("ecg"),
        "batches of eeg": taken.count("eeg"),
    }


def test_a_group_without_records_is_named(stores: list[Path]) -> None:
    with pytest.raises(TrainingError, match=r"data\.sampler\.groups\.eeg: none of \d+ records that train belongs"):
        data_of(stores[:1])


def test_all_three_losses_fall(tmp_path: Path) -> None:
    overrides = ("optimiser.steps=60", "optimiser.batch_size=16", "training.log_every=15", "training.validate_every=60")
    summary = run(joint(*overrides), joint_stores(tmp_path), tmp_path / "run")
    log = trained(tmp_path / "run")
    assert set(summary.outcome.losses) == {"loss", "ecg/loss", "eeg/loss", LANGUAGE, CONCEPT, BATCH, MOMENT}
    for name, most in ((LANGUAGE, 0.6), (CONCEPT, 0.8), (BATCH, 0.9), (MOMENT, 0.7)):
        values = [entry[name] for entry in log if name in entry]
        assert values[-1] < most * values[0], name
    validation = summary.outcome.validation
    assert {LANGUAGE, CONCEPT, BATCH} < set(validation)
    assert validation["loss"] == pytest.approx(validation["ecg/loss"]), "no two subjects of EEG validate"

    model = FoundationModel.from_pretrained(summary.model)
    rng = np.random.default_rng(0)
    cap = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2")
    channels = {
        "ecg": (LEADS_12, (Modality.ECG,) * 12),
        "eeg": (cap, (Modality.EEG,) * len(cap)),
        "both": ((*cap, "II"), (*(Modality.EEG,) * len(cap), Modality.ECG)),
    }
    recordings = [
        Recording(rng.normal(0, 30, (len(names), 900)).astype(np.float32), names, 128.0, kinds)
        for names, kinds in channels.values()
    ]
    together = model.encode(recordings)
    assert together.shape == (3, 16)
    assert np.isfinite(together).all()
    for one, expected in zip(recordings, together, strict=True):
        np.testing.assert_allclose(model.encode(one)[0], expected, atol=1e-4)
    assert np.abs(together[1] - together[2]).max() > 1e-3, "the lead of ECG beside the electrodes is heard"


def test_a_loss_is_logged_where_it_was_found_and_nowhere_else(stores: list[Path], tmp_path: Path) -> None:
    recipe = joint("training.log_every=1", "data.sampler.temperature=1")
    run(recipe, stores, tmp_path / "run")
    data, weights = data_of(stores, "data.sampler.temperature=1"), {"graph_smoothed": 0.5}
    found = []
    for step, entry in enumerate(trained(tmp_path / "run")):
        batch, group = data.train_batch(step), data.group(step)
        expected = set()
        if len(torch.unique(batch["report_id"])) > 2:
            expected.add(LANGUAGE)
        if (batch["labels"] & batch["known"]).any():
            expected.add(CONCEPT)
        if group == "eeg":
            expected.add(MOMENT)
        parts = {name: value for name, value in entry.items() if not name.endswith("loss")}
        assert set(parts) - {BATCH} == expected
        assert all(value > 0 for value in parts.values())
        assert set(entry) - set(parts) == ({"loss", f"{group}/loss"} if parts else set())
        if parts:
            total = sum(weights.get(name.split("/")[1], 1.0) * value for name, value in parts.items())
            assert entry["loss"] == entry[f"{group}/loss"] == pytest.approx(total, rel=1e-5)
        found.append((group, LANGUAGE in parts))
    assert len(set(found)) == 3, "also ECG without two reports"


@pytest.mark.parametrize("micro_batch", ["null", "3"])
def test_a_batch_that_says_nothing_moves_no_temperature_and_is_no_nan(
    stores: list[Path], tmp_path: Path, micro_batch: str
) -> None:
    folder = tmp_path / "silent"
    silent = renamed(stores[0], folder, report="", codes=[[]] * len(Store(stores[0])))
    recipe = joint(
        "data.modalities=[ecg]",
        "data.sampler={kind: uniform}",
        "optimiser.weight_decay=0",
        f"optimiser.micro_batch={micro_batch}",
        "optimiser.steps=4",
        "training.validate_every=2",
    )
    summary = run(recipe, [silent], tmp_path / "run")
    assert summary.outcome.losses == summary.outcome.validation == {}
    assert all(entry == {} for entry in trained(tmp_path / "run"))
    weights = FoundationModel.from_pretrained(summary.model).state_dict()
    fewer = recipe.optimiser.model_copy(update={"steps": 2})
    again = run(recipe.model_copy(update={"optimiser": fewer}), [silent], tmp_path / "fewer")
    for name, value in FoundationModel.from_pretrained(again.model).state_dict().items():
        assert torch.equal(weights[name], value), name


@pytest.fixture(scope="module")
def alone(stores: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process that nothing disturbs."""
    out = tmp_path_factory.mktemp("alone") / "run"
    run(joint(), stores, out)
    return out


@pytest.mark.slow
def test_killed_and_resumed_is_bit_identical(stores: list[Path], alone: Path, tmp_path: Path) -> None:
    def child(last: int) -> int:
        command = [sys.executable, "-c", CHILD, JOINT, str(tmp_path / "run"), str(last), *map(str, stores)]
        return subprocess.run(command, check=False, env={**os.environ, "PYTHONHASHSEED": "random"}).returncode

    # Between a line of the log, at 6, and the checkpoint before it, at 4.
    assert child(5) == -signal.SIGKILL
    assert child(-1) == 0
    assert log_without_speed(tmp_path / "run") == log_without_speed(alone)
    for part in ("model", "checkpoints"):
        found, expected = files(tmp_path / "run" / part), files(alone / part)
        assert found.keys() == expected.keys()
        assert [name for name in found if found[name] != expected[name]] == []


@pytest.mark.slow
def test_two_processes_in_micro_batches_train_the_model_of_one(stores: list[Path], alone: Path, tmp_path: Path) -> None:
    (tmp_path / "joint.yaml").write_text(JOINT)
    given = [part for store in stores for part in ("--data", str(store))]
    changed = [part for one in ("optimiser.micro_batch=3", "training.processes=2") for part in ("--set", one)]
    arguments = ["-m", "biosig", "pretrain", str(tmp_path / "joint.yaml"), *given, "--out", str(tmp_path / "run")]
    ended = subprocess.run([sys.executable, *arguments, *changed], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    same(tmp_path / "run", alone)
