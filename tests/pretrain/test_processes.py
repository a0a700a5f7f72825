"""A run in two processes is the run in one: weights, log, resuming; and it ends when one of them does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from safetensors.torch import load_file
from torch import Tensor
from torch.testing import assert_close

from pretrain.errors import TrainingError
from pretrain.parallel.launch import environment, fabric_of, leads, started
from pretrain.recipe import parse
from pretrain.specs.execution import Device, Training
from pretrain.training.trainer import Trainer
from tests.pretrain.gloo import free_port
from tests.pretrain.tiny import TINY

# Smooth throughout: where a rectifier sits on its kink, rounding alone decides which way a run goes on.
SMOOTH = (
    TINY.replace("resnet1d18", "patch_transformer_tiny")
    .replace("width: 8", "width: 64, depth: 2")
    .replace("batch_size: 16", "batch_size: 13")
)
# What may happen to a process at a step. One that ends with threads of gloo still there, which may abort it, ends with
# a status of its own; what torch remembers of shards keeps them.
CHILD = """
import atexit, os, signal, sys
from pathlib import Path
import torch
from rich.console import Console
from biosig.errors import BiosigError
from pretrain.data.pretraining import PretrainingData
from pretrain.recipe import parse
from pretrain.training.session import pretrain
from pretrain.training.trainer import Trainer

recipe, store, out = parse(sys.argv[1], overrides=sys.argv[6:]), Path(sys.argv[2]), Path(sys.argv[3])
what, when = sys.argv[4], int(sys.argv[5])
step, read, mine = Trainer._step, PretrainingData.train_batch, os.environ["RANK"] == "1"
def failing_step(self, number, batch, rate):
    if mine and number == when and what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if mine and number == when and what == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    return step(self, number, batch, rate)
def failing_read(self, number, *share, **shares):
    batch = read(self, number, *share, **shares)
    # What is read before the first step, to measure, stays as it is.
    if mine and number == when and what == "nan" and begun:
        batch["signal"][1] = torch.nan
    return batch
def fit(self, *, resume=False, fit=Trainer.fit):
    begun.append(True)
    return fit(self, resume=resume)
begun, Trainer.fit = [], fit
def look():
    names = [Path(f"/proc/self/task/{one}/comm").read_text() for one in os.listdir("/proc/self/task")]
    if any("gloo" in name for name in names):
        os._exit(77)
if os.path.isdir("/proc/self/task") and "fsdp" not in recipe.training.strategy:
    atexit.register(look)
if what != "nothing":
    Trainer._step, PretrainingData.train_batch = failing_step, failing_read
try:
    pretrain(recipe, [store], out, resume=out.exists(), console=Console(quiet=True))
except BiosigError as error:
    sys.exit(str(error))
"""


def run(
    count: int, store: Path, out: Path, *overrides: str, what: str = "nothing", when: int = 0
) -> list[tuple[int, str]]:
    """Status and complaint of each process, after all have ended but one that is only stopped."""
    port = free_port()
    command = [sys.executable, "-c", CHILD, SMOOTH, str(store), str(out), what, str(when), *overrides]
    started = [
        subprocess.Popen(command, env=os.environ | environment(rank, count, port), stderr=subprocess.PIPE, text=True)
        for rank in range(count)
    ]
    ended = [process.communicate(timeout=120)[1] if rank == 0 else "" for rank, process in enumerate(started)]
    if what == "stop":
        started[1].kill()
    ended[1:] = [process.communicate(timeout=60)[1] for process in started[1:]]
    return [(process.returncode, text) for process, text in zip(started, ended, strict=True)]


def log_of(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]


def weights(out: Path) -> dict[str, Tensor]:
    """Without the biases of keys, which shift a softmax as a whole: Adam makes steps of their gradient's rounding."""
    found = load_file(out / "model" / "model.safetensors")
    for name, value in found.items():
        if name.endswith("query_key_value.bias"):
            value.view(3, -1)[1] = 0
    return found


def same(out: Path, expected: Path) -> None:
    assert_close(weights(out), weights(expected), rtol=0, atol=2e-5)
    found, wanted = log_of(out), log_of(expected)
    assert [sorted(entry) for entry in found] == [sorted(entry) for entry in wanted]
    for one, other in zip(found, wanted, strict=True):
        part = "train" if "train" in one else "validation"
        assert one["step"] == other["step"]
        assert one[part] == pytest.approx(other[part], abs=2e-4)
    assert found[-1]["records"] == wanted[-1]["records"]


@pytest.fixture(scope="module")
def alone(store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of one process."""
    out = tmp_path_factory.mktemp("alone") / "run"
    assert run(1, store, out) == [(0, "")]
    return out


@pytest.mark.slow
@pytest.mark.parametrize("overrides", [(), ("optimiser.micro_batch=4",)], ids=["whole", "micro-batches"])
def test_two_processes_train_the_model_of_one(
    store: Path, alone: Path, tmp_path: Path, overrides: tuple[str, ...]
) -> None:
    assert [status for status, _ in run(2, store, tmp_path / "run", *overrides)] == [0, 0]
    same(tmp_path / "run", alone)
    assert json.loads((tmp_path / "run" / "run.json").read_text())["processes"] == 2


@pytest.mark.slow
def test_a_process_that_is_killed_ends_the_run_and_any_number_resumes_it(
    store: Path, alone: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    (status, complaint), (killed, _) = run(2, store, out, what="kill", when=6)
    assert killed == -signal.SIGKILL
    assert status == 1
    assert "another process of this run has ended" in complaint.splitlines()[-1]
    assert not (out / "model").exists()
    assert [path.name for path in sorted((out / "checkpoints").iterdir())] == ["step-00000004"]
    (status, complaint), (killed, _) = run(2, store, out, what="kill", when=9)
    assert (status, killed) == (1, -signal.SIGKILL)
    assert run(1, store, out) == [(0, "")]
    same(out, alone)


@pytest.mark.slow
def test_a_process_that_hangs_ends_the_run_in_time(store: Path, tmp_path: Path) -> None:
    (status, complaint), _ = run(2, store, tmp_path / "run", "training.timeout_minutes=0.3", what="stop", when=2)
    assert status == 1
    assert "another process of this run has ended, or does not answer" in complaint.splitlines()[-1]


@pytest.mark.slow
def test_what_is_not_finite_in_one_process_stops_all_and_names_the_records(store: Path, tmp_path: Path) -> None:
    ended = run(2, store, tmp_path / "run", what="nan", when=5)
    last = [complaint.splitlines()[-1] for _, complaint in ended]
    assert last[0] == last[1]
    for (status, complaint), line in zip(ended, last, strict=True):
        assert status == 1
        assert "Traceback" not in complaint
        assert line.startswith("step 6: ")
        assert "not finite" in line
        assert line.split("records of the batch: ")[1].count("sim") == 13, "those of all processes"


@pytest.mark.slow
def test_torchrun_with_shards_is_the_run_of_one_though_killed(store: Path, alone: Path, tmp_path: Path) -> None:
    out, shards = tmp_path / "run", "training.strategy=fsdp"
    _, (killed, _) = run(2, store, out, shards, what="kill", when=9)
    assert killed == -signal.SIGKILL
    assert max(path.name for path in (out / "checkpoints").iterdir()) == "step-00000008"
    recipe = tmp_path / "smooth.yaml"
    recipe.write_text(SMOOTH)
    torchrun = ["torch.distributed.run", "--nproc-per-node", "2", "--master-port", str(free_port()), "-m", "biosig"]
    arguments = ["pretrain", str(recipe), "--data", str(store), "--out", str(out), "--set", shards, "--resume"]
    ended = subprocess.run(
        [sys.executable, "-m", *torchrun, *arguments],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert "resumed after step 8 of 12" in ended.stdout
    same(out, alone)


@pytest.mark.slow
def test_the_command_starts_processes_and_speaks_once(store: Path, tmp_path: Path) -> None:
    recipe, out = tmp_path / "smooth.yaml", tmp_path / "run"
    recipe.write_text(SMOOTH)
    arguments = ["-m", "biosig", "pretrain", str(recipe), "--data", str(store), "--out", str(out)]
    command = [sys.executable, *arguments, "--set", "training.processes=2", "--set", "optimiser.steps=3"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0
    assert "rank" not in ended.stderr, "nobody asked what DDP thinks"
    assert ended.stdout.count("step 3: loss") == 1
    assert (out / "model" / "config.json").is_file()
    again = subprocess.run(command, capture_output=True, text=True, check=False)
    assert again.returncode == 2
    assert "exists already; give --resume" in again.stderr
    assert "Traceback" not in again.stderr


@pytest.mark.slow
def test_the_command_says_which_process_was_killed(store: Path, tmp_path: Path) -> None:
    recipe, out = tmp_path / "smooth.yaml", tmp_path / "run"
    recipe.write_text(SMOOTH)
    arguments = ["-m", "biosig", "pretrain", str(recipe), "--data", str(store), "--out", str(out)]
    command = [sys.executable, *arguments, "--set", "training.processes=2", "--set", "optimiser.steps=100000"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 90
        while not (out / "log.jsonl").exists():
            assert running.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        # The last one started is the last process of the run.
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text().split()
        os.kill(int(children[-1]), signal.SIGKILL)
        complaint = running.communicate(timeout=60)[1]
    finally:
        running.kill()
    assert running.returncode == 2
    assert "Traceback" not in complaint
    assert "SIGKILL" in complaint or "another process of this run has ended" in complaint


def test_who_leaves_has_said_everything_and_meets_no_end_of_the_interpreter() -> None:
    code = """
import atexit, os, sys
from pretrain.parallel.launch import leave
class Held:
    def __del__(self):
        os.write(1, b"the interpreter's end")
held = Held()
atexit.register(sys.stdout.write, "handlers")
sys.stdout.write("said, ")
leave()
"""
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "said, handlers", "")


def test_the_launcher_and_the_recipe_must_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    assert leads()
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "1")
    assert started() == 2
    assert not leads()
    with pytest.raises(TrainingError, match=r"training\.processes: expected as many as .* started \(2\), got 3"):
        fabric_of(Training(device=Device.CPU, processes=3))
    assert fabric_of(Training(device=Device.CPU, processes=3), alone=True).world_size == 1


def test_every_process_needs_a_record() -> None:
    fabric: Any = SimpleNamespace(global_rank=0, world_size=17)
    nothing: Any = None
    with pytest.raises(TrainingError, match=r"optimiser\.batch_size: expected .* each of 17 processes, got 13"):
        Trainer(parse(SMOOTH), nothing, nothing, nothing, fabric=fabric)
