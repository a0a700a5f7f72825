"""A run that is killed and resumed ends with the same bits as one that was left alone."""

import json
import random
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.pretrain.mortal import Mortals
from tests.pretrain.tiny import TINY

STEPS = 8
# By this measure the first validation is the best: its checkpoint must outlive all others.
OVERRIDES = (
    f"optimiser.steps={STEPS}",
    "training.checkpoint_every=3",
    "training.validate_every=2",
    "training.watch.better=higher",
)
# Before which change of the disk; the last one that fits.
CHANGES = {
    "run.json is written": ("os.rename", r".*/\.undisturbed\.partial/\.run\.json"),
    "first checkpoint": ("os.mkdir", r"/checkpoints/\.step-00000002\.partial"),
    "between files": ("open", r"/checkpoints/\.step-00000006\.partial/\.random"),
    "between write and rename": ("os.rename", r"/checkpoints/\.step-00000006\.partial"),
    "old one gives its name": ("os.rename", r"/checkpoints/step-00000003"),
    "old one half removed": ("os.remove", "weights.safetensors"),
    "last step done": ("os.mkdir", r"/\.model\.partial"),
    "model half written": ("open", r"/\.model\.partial/\.model\.safetensors.*"),
    "model is given its name": ("os.rename", r"/\.model\.partial"),
}


def log_without_speed(out: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key != "records_per_second"} for entry in entries]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def same(out: Path, expected: Path) -> None:
    assert log_without_speed(out) == log_without_speed(expected)
    found, wanted = ({name: c for name, c in files(run).items() if name != "log.jsonl"} for run in (out, expected))
    assert found.keys() == wanted.keys()
    assert [name for name in found if found[name] != wanted[name]] == []


@pytest.fixture(scope="module")
def mortals() -> Iterator[Mortals]:
    with Mortals() as started:
        yield started


@pytest.fixture(scope="module")
def undisturbed(store: Path, mortals: Mortals, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    changes = str(out.parent / "changes.json")
    assert mortals.run(TINY, store, out, *OVERRIDES, changes=changes) == (0, "")
    steps = sorted(path.name for path in (out / "checkpoints").iterdir())
    assert steps == ["step-00000002", "step-00000006", "step-00000008"], "the last two, and the best"
    return out


def change(undisturbed: Path, name: str) -> int:
    event, pattern = CHANGES[name]
    changes = json.loads((undisturbed.parent / "changes.json").read_text())
    return max(n for n, (kind, path) in enumerate(changes) if kind == event and re.match(pattern, path))


def killed_and_resumed(mortals: Mortals, store: Path, out: Path, *overrides: str, **fate: Any) -> None:
    killed = (-signal.SIGKILL, "")
    assert mortals.run(TINY, store, out, *OVERRIDES, *overrides, **fate) == killed, fate
    assert not (out / "model").exists()
    assert mortals.run(TINY, store, out, *OVERRIDES, *overrides) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize("name", CHANGES)
def test_killed_before_a_change_of_the_disk(
    store: Path, mortals: Mortals, undisturbed: Path, tmp_path: Path, name: str
) -> None:
    killed_and_resumed(mortals, store, tmp_path / "undisturbed", change=change(undisturbed, name))
    same(tmp_path / "undisturbed", undisturbed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "fate",
    [
        {"step": random.Random().randrange(STEPS)},
        {"log": 7},  # the line of step 6, cut in the middle
        {"write": 10, "part": 0.0},  # the weights of step 6 (two files of the run, four a checkpoint)
        {"write": 11, "part": 0.3},  # its moments
        {"write": 13, "part": 1.0},  # its state
    ],
    ids=["random step", "log", "no byte of a file", "some bytes of a file", "all bytes of a file, not yet flushed"],
)
def test_killed_in_the_middle(
    store: Path, mortals: Mortals, undisturbed: Path, tmp_path: Path, fate: dict[str, float]
) -> None:
    killed_and_resumed(mortals, store, tmp_path / "run", **fate)
    same(tmp_path / "run", undisturbed)


@pytest.mark.slow
def test_bfloat16_resumes_as_exactly(store: Path, mortals: Mortals, undisturbed: Path, tmp_path: Path) -> None:
    half = "training.precision=bf16"
    assert mortals.run(TINY, store, tmp_path / "whole", *OVERRIDES, half) == (0, "")
    killed_and_resumed(mortals, store, tmp_path / "run", half, step=5)
    same(tmp_path / "run", tmp_path / "whole")
    assert files(tmp_path / "run" / "model") != files(undisturbed / "model")
