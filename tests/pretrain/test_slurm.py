"""In the job of a scheduler, whose variables do not get in the way."""

from __future__ import annotations

import pytest

from pretrain.parallel.launch import fabric_of
from pretrain.specs.execution import Device, Training

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


def test_a_process_that_works_alone_does_not_look_at_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in JOB.items():
        monkeypatch.setenv(name, value)
    fabric = fabric_of(Training(device=Device.CPU))
    assert (fabric.world_size, fabric.global_rank, fabric.local_rank) == (1, 0, 0)
    assert fabric.is_global_zero
