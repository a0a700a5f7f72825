"""The log and TensorBoard: the same numbers, once each, also after a run was broken off."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from pretrain.errors import TrainingError
from pretrain.recipe import Recipe
from pretrain.specs.execution import Training
from pretrain.training.reporter import FOLDER, Reporter, scalars
from pretrain.training.run import Run
from pretrain.training.session import pretrain

ON = Training(tensorboard=True)


def shown(folder: Path) -> dict[str, list[tuple[int, float]]]:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(folder))
    found.Reload()
    return {tag: [(one.step, one.value) for one in found.Scalars(tag)] for tag in found.Tags()["scalars"]}


def test_entries_are_numbers_by_their_full_names() -> None:
    entry = {"step": 3, "train": {"loss": 1.5, "a/b": 2}, "validation": {"loss": None}, "learning_rate": 0.1}
    assert dict(scalars(entry)) == {"train/loss": 1.5, "train/a/b": 2, "learning_rate": 0.1}


def test_tensorboard_shows_what_the_log_says(tiny: Callable[..., Recipe], store: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    recipe = tiny("training.tensorboard=true", "optimiser.steps=4", "training.validate_every=2")
    pretrain(recipe, [store], tmp_path / "run", console=Console(quiet=True))
    found = shown(tmp_path / "run" / FOLDER)
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    expected = [(entry["step"], entry["train"]["loss"]) for entry in log if "train" in entry]
    assert [step for step, _ in expected] == [1, 2, 3, 4]
    assert found["train/loss"] == [(step, pytest.approx(value, rel=1e-6)) for step, value in expected]
    assert [step for step, _ in found["validation/loss"]] == [2, 4]


def test_what_a_broken_run_showed_of_later_steps_is_taken_back(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run = Run(tmp_path)
    for first, loss in ((0, 1.0), (2, 2.0)):
        with Reporter(run, first, ON, writes=True) as reporter:
            for step in range(first + 1, 5):
                reporter.write({"step": step, "loss": loss})
    assert shown(tmp_path / FOLDER)["loss"] == [(1, 1.0), (2, 1.0), (3, 2.0), (4, 2.0)]


def test_only_one_process_writes(tmp_path: Path) -> None:
    with Reporter(Run(tmp_path), 0, Training(), writes=False) as reporter:
        reporter.write({"step": 1, "loss": 1.0})
    assert list(tmp_path.iterdir()) == []


def test_without_the_package_one_line_names_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(TrainingError, match=r"not installed.*pip install 'biosig\[tensorboard\]'") as caught:
        Reporter(Run(tmp_path), 0, ON, writes=True)
    assert "\n" not in str(caught.value)
    assert Reporter(Run(tmp_path), 0, Training(), writes=True) is not None
