"""A checkpoint brings everything back, and is whole or not there."""

import json
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from pretrain.errors import TrainingError
from pretrain.saving import save_bytes, save_tensors
from pretrain.specs.recipe import Optimiser
from pretrain.training import checkpoint as checkpoint_module
from pretrain.training.checkpoint import Checkpoints
from pretrain.training.history import History
from pretrain.training.optimiser import adamw

SPEC = Optimiser(steps=10, batch_size=2, weight_decay=0.1)
POSITION = {"epoch": 0, "batch": 3, "records": 8}


def network() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))


def steps(module: nn.Module, optimiser: torch.optim.Optimizer, count: int) -> list[float]:
    losses = []
    for _ in range(count):
        noise = torch.randn(6, 3) + float(np.random.rand()) + random.random()  # noqa: NPY002
        loss: Tensor = module(noise).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def test_a_restored_run_repeats_every_bit(tmp_path: Path) -> None:
    module = network()
    optimiser = adamw(module, SPEC)
    steps(module, optimiser, 3)
    Checkpoints(tmp_path, keep=1).save(3, module, optimiser, POSITION)
    expected = steps(module, optimiser, 4)

    fresh = network()
    other = adamw(fresh, SPEC)
    steps(fresh, other, 1)  # whatever it did before is forgotten
    assert Checkpoints(tmp_path, keep=1).load(3, fresh, other) == (POSITION, History())
    assert steps(fresh, other, 4) == expected
    for name, value in module.state_dict().items():
        assert torch.equal(value, fresh.state_dict()[name]), name


def test_matrices_decay_and_vectors_do_not() -> None:
    module = network()
    decaying, plain = adamw(module, SPEC).param_groups
    assert decaying["weight_decay"] == 0.1
    assert plain["weight_decay"] == 0
    assert all(parameter.ndim >= 2 for parameter in decaying["params"])
    assert {id(p) for p in plain["params"]} == {id(p) for p in module.parameters() if p.ndim < 2}


def test_the_last_few_are_kept(tmp_path: Path) -> None:
    module = network()
    optimiser = adamw(module, SPEC)
    checkpoints = Checkpoints(tmp_path, keep=2)
    for step in (1, 2, 3, 2):
        checkpoints.save(step, module, optimiser, POSITION)
    assert checkpoints.steps() == [2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000002", "step-00000003"]


@pytest.mark.parametrize("writes", range(1, 5))
def test_a_writer_that_dies_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int) -> None:
    module = network()
    optimiser = adamw(module, SPEC)
    checkpoints = Checkpoints(tmp_path, keep=1)
    checkpoints.save(1, module, optimiser, POSITION)
    done = 0

    def dies(*arguments: object) -> None:
        nonlocal done
        done += 1
        if done == writes:
            raise KeyboardInterrupt
        real = save_tensors if str(arguments[1]).endswith("safetensors") else checkpoint_module.save_sealed
        real(*arguments)  # type: ignore[operator]

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint_module, "save_tensors", dies)
        if writes == 4:
            patch.setattr(checkpoint_module, "save_sealed", dies)
        with pytest.raises(KeyboardInterrupt):
            checkpoints.save(2, module, optimiser, POSITION)
    assert checkpoints.steps() == [1]
    again = Checkpoints(tmp_path, keep=1)
    assert [path.name for path in tmp_path.iterdir()] == ["step-00000001"]
    again.load(1, module, optimiser)


@pytest.mark.parametrize("name", ["weights.safetensors", "optimiser.safetensors", "random.safetensors", "state.json"])
def test_a_damaged_checkpoint_is_an_error_that_names_it(tmp_path: Path, name: str) -> None:
    module = network()
    optimiser = adamw(module, SPEC)
    steps(module, optimiser, 1)
    path = Checkpoints(tmp_path, keep=1).save(1, module, optimiser, POSITION) / name
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(TrainingError, match="step-00000001: a checkpoint that cannot be loaded: "):
        Checkpoints(tmp_path, keep=1).load(1, module, optimiser)


def test_files_that_were_not_written_together_are_refused(tmp_path: Path) -> None:
    module = network()
    optimiser = adamw(module, SPEC)
    checkpoints = Checkpoints(tmp_path, keep=9)
    for step in (1, 2):
        steps(module, optimiser, 1)
        checkpoints.save(step, module, optimiser, POSITION)
    second = checkpoints.path(2)
    for name in ("weights.safetensors", "optimiser.safetensors", "random.safetensors"):
        own = (second / name).read_bytes()
        (second / name).write_bytes((checkpoints.path(1) / name).read_bytes())
        with pytest.raises(TrainingError, match=rf"step-00000002: .*{name}: not the file that was saved with this"):
            checkpoints.load(2, module, optimiser)
        (second / name).write_bytes(own)
    checkpoints.load_weights(2, module)
    state = second / "state.json"
    written = state.read_text()
    state.write_text(written.replace('"epoch": 0', '"epoch": 1'))
    assert state.read_text() != written
    with pytest.raises(TrainingError, match=r"state\.json: changed since it was written"):
        checkpoints.load_weights(2, module)
    state.write_text(written)
    second.rename(checkpoints.path(4))
    with pytest.raises(TrainingError, match=r"step-00000004: .*state\.json: step: expected 4, got 2"):
        checkpoints.load(4, module, optimiser)


def test_a_checkpoint_of_before_has_no_digests_and_is_loaded(tmp_path: Path) -> None:
    module = network()
    optimiser = adamw(module, SPEC)
    path = Checkpoints(tmp_path, keep=1).save(1, module, optimiser, POSITION) / "state.json"
    state = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in state.items() if name not in ("files", "sha256")}))
    assert Checkpoints(tmp_path, keep=1).load(1, module, optimiser) == (POSITION, History())


def test_the_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    module = network()
    Checkpoints(tmp_path, keep=1).save(1, module, adamw(module, SPEC), POSITION)
    other = nn.Linear(3, 4)
    with pytest.raises(TrainingError, match="cannot be loaded"):
        Checkpoints(tmp_path, keep=1).load(1, other, adamw(other, SPEC))


def test_a_file_is_whole_or_as_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    save_bytes(b"old", path)

    def full(_: int) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full)
        with pytest.raises(OSError, match="no space left"):
            save_bytes(b"new", path)
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
