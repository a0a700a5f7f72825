"""A run that is killed and resumed ends with the same bits as one that was left alone."""

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.pretrain.tiny import TINY

# The child kills itself, as hard as a machine that loses power: no handler runs, no file is flushed.
CHILD = """
import os, signal, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from rich.console import Console
import pretrain.checkpoint as checkpoint
from pretrain.recipe import parse
from pretrain.session import pretrain
from pretrain.trainer import Trainer

recipe, store, out = parse(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3])
where, count = sys.argv[4], int(sys.argv[5])
calls = 0
def deadly(real):
    def call(*arguments, **options):
        global calls
        calls += 1
        if calls == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*arguments, **options)
    return call
if where == "step":
    Trainer._step = deadly(Trainer._step)
elif where == "write":
    checkpoint.save_tensors = deadly(checkpoint.save_tensors)
elif where == "prune":
    checkpoint.shutil.rmtree = deadly(checkpoint.shutil.rmtree)
pretrain(recipe, [store], out, resume=out.exists(), console=Console(quiet=True))
"""


def child(store: Path, out: Path, where: str = "nowhere", count: int = 0) -> int:
    arguments = [sys.executable, "-c", CHILD, TINY, str(store), str(out), where, str(count)]
    return subprocess.run(arguments, check=False, env={**os.environ, "PYTHONHASHSEED": "random"}).returncode


def log_without_speed(out: Path) -> list[dict[str, Any]]:
    entries = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [{key: value for key, value in entry.items() if key != "records_per_second"} for entry in entries]


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def undisturbed(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "undisturbed"
    assert child(store, out) == 0
    return out


@pytest.mark.slow
@pytest.mark.parametrize(
    ("where", "count"),
    [
        ("step", random.Random().randint(2, 12)),
        ("write", 5),  # the moments of the second checkpoint
        ("write", 9),  # the random states of the third
        ("prune", 5),  # an old checkpoint half removed
    ],
    ids=["random step", "second checkpoint", "third checkpoint", "removing the oldest"],
)
def test_killed_and_resumed_is_bit_identical(
    store: Path, undisturbed: Path, tmp_path: Path, where: str, count: int
) -> None:
    out = tmp_path / "run"
    assert child(store, out, where, count) == -signal.SIGKILL, f"killed in {where} {count}"
    assert not (out / "model").exists()
    assert child(store, out) == 0
    assert log_without_speed(out) == log_without_speed(undisturbed), f"killed in {where} {count}"
    for part in ("model", "checkpoints"):
        found, expected = files(out / part), files(undisturbed / part)
        assert found.keys() == expected.keys()
        assert [name for name in found if found[name] != expected[name]] == [], f"killed in {where} {count}"
