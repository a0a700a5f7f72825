"""A disk that is full, or may not be written to, stops a run in one line and costs nothing that was there."""

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from pretrain import saving
from pretrain.errors import TrainingError
from pretrain.recipe import Recipe
from pretrain.specs.recipe import Optimiser
from pretrain.training.checkpoint import Checkpoints
from pretrain.training.history import History
from pretrain.training.optimiser import adamw
from pretrain.training.run import Run
from tests.pretrain.mortal import Mortals
from tests.pretrain.tiny import TINY

POSITION = {"epoch": 0, "batch": 3}


def fail_at(patch: pytest.MonkeyPatch, at: int) -> list[str]:
    """From the given change of the disk on, counted from 0, there is no room; what was tried is listed."""
    tried: list[str] = []

    def counted(name: str, change: Callable[..., Any]) -> Callable[..., Any]:
        def change_or_fail(*arguments: Any, **options: Any) -> Any:
            tried.append(name)
            if len(tried) > at:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return change(*arguments, **options)

        return change_or_fail

    for place, name in (
        (Path, "mkdir"),
        (Path, "rename"),
        (Path, "replace"),
        (Path, "chmod"),
        (tempfile, "mkstemp"),
        (os, "fdopen"),
        (os, "fsync"),
    ):
        patch.setattr(place, name, counted(name, getattr(place, name)))
    return tried


def test_no_room_at_any_moment_of_a_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(1)
    module = nn.Linear(50, 40)
    optimiser = adamw(module, Optimiser(steps=9, batch_size=2))
    for at in range(1000):
        folder = tmp_path / str(at)
        checkpoints = Checkpoints(folder, keep=1)
        checkpoints.save(1, module, optimiser, POSITION)
        with monkeypatch.context() as patch:
            fail_at(patch, at)
            try:
                checkpoints.save(2, module, optimiser, POSITION)
                break
            except TrainingError as error:
                complaint = str(error)
        assert complaint.startswith(f"{folder}/step-00000002: cannot be written: No space left on device (0.0 MB are")
        assert "\n" not in complaint
        left = checkpoints.steps()
        assert left in ([1], [1, 2])
        assert f"the checkpoint of step {left[-1]} is whole, and --resume goes on from it" in complaint
        assert len(list(folder.iterdir())) == len(left), "nothing half-written"
        again = Checkpoints(folder, keep=1)
        assert again.load(left[-1], module, optimiser) == (POSITION, History())
        again.save(2, module, optimiser, POSITION)
        assert again.steps() == [2]
    else:
        pytest.fail("the checkpoint was never written")
    assert at > 20


def test_no_room_at_any_moment_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    for at in range(100):
        saving.save_bytes(b"old", path)
        with monkeypatch.context() as patch:
            fail_at(patch, at)
            try:
                saving.save_bytes(b"new", path)
                break
            except OSError:
                pass
        assert path.read_bytes() in (b"old", b"new")
        assert [one.name for one in tmp_path.iterdir()] == ["file"]
    assert at > 4


def test_no_room_for_a_run_leaves_none(
    tiny: Callable[..., Recipe], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        fail_at(patch, 3)
        with pytest.raises(TrainingError, match=r"run: cannot be written: No space left .*\([\d,.]+ MB are free\)$"):
            Run(tmp_path / "run").start(tiny(), {})
    assert list(tmp_path.iterdir()) == []
    Run(tmp_path / "run").start(tiny(), {})
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", lambda *_, **__: _no_room())
        with pytest.raises(TrainingError, match=r"log\.jsonl: cannot be written: No space left on device"):
            Run(tmp_path / "run").write_log({"step": 1})


def _no_room() -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mortals, Path]]:
    """A process with a disk of its own, as large as one asks."""
    # A namespace needs the kernel's leave.
    within = ("unshare", "--map-root-user", "--mount")
    folder = tmp_path_factory.mktemp("small")
    trial = [*within, "mount", "-t", "tmpfs", "tmpfs", str(folder)]
    if shutil.which("unshare") is None or subprocess.run(trial, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    with Mortals(*within) as mortals:
        mortals.shell(f"mount -t tmpfs tmpfs {folder}")
        yield mortals, folder


@pytest.mark.slow
def test_a_disk_that_is_full_and_then_is_not(small: tuple[Mortals, Path], store: Path) -> None:
    mortals, folder = small
    overrides = ("optimiser.steps=4", "training.checkpoint_every=1", "training.validate_every=10")
    assert mortals.run(TINY, store, folder / "whole", *overrides) == (0, "")
    kilobytes = int(mortals.shell(f"du -sk {folder}/whole/checkpoints/step-00000004").split()[0])
    expected = mortals.shell(f"sha256sum < {folder}/whole/model/model.safetensors")
    mortals.shell(f"rm -r {folder}/whole")
    # Two are kept, and a third must be there before the first goes.
    mortals.shell(f"mount -o remount,size={int(2.5 * kilobytes) + 16}k {folder}")
    status, complaint = mortals.run(TINY, store, folder / "run", *overrides)
    assert status == 1
    assert complaint.startswith(f"{folder}/run/checkpoints/step-00000003: cannot be written: No space left on device (")
    assert complaint.endswith("the checkpoint of step 2 is whole, and --resume goes on from it")
    there = mortals.shell(f"ls -A {folder}/run {folder}/run/checkpoints").split()
    assert [name for name in there if "step" in name or "partial" in name] == ["step-00000001", "step-00000002"]
    mortals.shell(f"mount -o remount,size=100m {folder}")
    assert mortals.run(TINY, store, folder / "run", *overrides) == (0, "")
    assert mortals.shell(f"sha256sum < {folder}/run/model/model.safetensors") == expected
    # Where nothing can be written any more, the run that is there stays as it is.
    before = mortals.shell(f"find {folder} -type f | sort | xargs sha256sum")
    mortals.shell(f"mount -o remount,ro {folder}")
    for name in ("run", "another"):
        status, complaint = mortals.run(TINY, store, folder / name, *overrides)
        assert (status, len(complaint.splitlines())) == (1, 1)
        assert complaint.startswith(f"{folder}/{name}")
        assert complaint.endswith("cannot be written: Read-only file system")
    assert mortals.shell(f"find {folder} -type f | sort | xargs sha256sum") == before
