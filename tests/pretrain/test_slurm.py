"""In the job of a scheduler: its variables do not get in the way, and the documented script does what it says."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pretrain.parallel.launch import fabric_of
from pretrain.specs.execution import Device, Training
from tests.pretrain.gloo import free_port
from tests.pretrain.tiny import TINY

# What srun tells the fourth of eight tasks.
JOB = {
    "SLURM_JOB_ID": "123",
    "SLURM_JOB_NAME": "biosig",
    "SLURM_JOB_NODELIST": "n[1-2]",
    "SLURM_NODELIST": "n[1-2]",
    "SLURM_NNODES": "2",
    "SLURM_NTASKS": "8",
    "SLURM_PROCID": "3",
    "SLURM_LOCALID": "3",
    "SLURM_NODEID": "0",
}
SCRIPT = Path(__file__).parents[2] / "docs" / "examples" / "pretrain.sbatch"


def test_a_process_that_works_alone_does_not_look_at_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    fabric = fabric_of(Training(device=Device.CPU))
    assert (fabric.world_size, fabric.global_rank, fabric.local_rank) == (1, 0, 0)
    assert fabric.is_global_zero


@pytest.mark.slow
def test_the_script_goes_back_into_the_queue_and_goes_on(store: Path, tmp_path: Path) -> None:
    # Two tools of the scheduler, as far as the script needs them.
    for name, text in (
        ("srun", 'exec "$@"'),
        ("scontrol", f'if [ "$1" = show ]; then echo localhost; else echo "$@" >> {tmp_path}/queue; fi'),
        ("torchrun", f'exec {sys.executable} -m torch.distributed.run "$@"'),
    ):
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "tiny.yaml").write_text(TINY)
    job = {
        **JOB,
        "SLURM_NNODES": "1",
        "RENDEZVOUS_PORT": str(free_port()),
        "RECIPE": str(tmp_path / "tiny.yaml"),
        "STORE": str(store),
        "OUT": str(tmp_path / "run"),
        "OPTIONS": "--set optimiser.steps=300 --set training.log_every=100 --set training.validate_every=150",
        "PATH": f"{tmp_path}:{os.environ['PATH']}",
        "OMP_NUM_THREADS": "1",
    }
    checkpoints = tmp_path / "run" / "checkpoints"
    running = subprocess.Popen(["bash", SCRIPT], env=os.environ | job, cwd=SCRIPT.parents[2])
    try:
        while not any(checkpoints.glob("step-*")):
            assert running.poll() is None
            time.sleep(0.05)
        running.send_signal(signal.SIGUSR1)
        assert running.wait(60) == 0
    finally:
        running.kill()
    assert (tmp_path / "queue").read_text() == "requeue 123\n"
    assert not (tmp_path / "run" / "model").exists()
    done = max(path.name for path in checkpoints.glob("step-*"))
    ended = subprocess.run(
        ["bash", SCRIPT], env=os.environ | job, cwd=SCRIPT.parents[2], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    assert f"resumed after step {int(done.removeprefix('step-'))} of 300" in ended.stdout
    assert (tmp_path / "run" / "model" / "config.json").is_file()
