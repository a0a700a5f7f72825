"""Weights sharded over processes: the gradients of one process, whole tensors back, and checkpoints for anybody."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from safetensors.torch import load_file, save_file
from torch.distributed.tensor import DTensor
from torch.testing import assert_close

from pretrain.data.parts import Parts
from pretrain.parallel import launch
from pretrain.parallel.distributed import Processes
from pretrain.parallel.launch import fabric_of
from pretrain.parallel.sharding import clip_gradients, is_sharded, placed_like, shard, whole
from pretrain.specs.execution import Device, Strategy, Training
from pretrain.specs.recipe import Optimiser
from pretrain.training.checkpoint import Checkpoints
from pretrain.training.gradcache import GradCache
from pretrain.training.optimiser import adamw
from tests.pretrain.exact import (
    CASES,
    MICRO_BATCH,
    RECORDS,
    batch_of,
    gradients,
    learner_of,
    share_of,
)
from tests.pretrain.gloo import in_processes
from tests.pretrain.test_exact import part, plain, same

# Every other case in micro-batches.
SIZES = {case: (None, MICRO_BATCH)[number % 2] for number, case in enumerate(CASES)}
ONE = next(iter(CASES))
SPEC = Optimiser(steps=9, batch_size=2, weight_decay=0.1)
# Small enough that gradients are cut.
NORM = 0.05


def fabric_of_shards() -> launch.Fabric:
    # Every block by itself, as in a network that is large.
    launch.shard = partial(shard, least=0)
    return fabric_of(Training(device=Device.CPU, timeout_minutes=2, strategy=Strategy.FSDP))


def parts_of(processes: Processes, size: int | None) -> Parts:
    """This process's records, in as many micro-batches as the others have."""
    mine, first = share_of(batch_of(RECORDS), processes), processes.share(RECORDS).start
    slices = [slice(part.start - first, part.stop - first) for part in processes.parts(RECORDS, size)]
    return Parts.of([{name: value[part] for name, value in mine.items()} for part in slices])


def write_gradients(folder: Path) -> None:
    """In each of several processes; whole tensors."""
    fabric = fabric_of_shards()
    for case, size in SIZES.items():
        learner = learner_of(case)
        learner.processes = Processes(fabric.global_rank, fabric.world_size)
        module = fabric.setup_module(learner)
        torch.manual_seed(5)
        losses = GradCache(learner, fabric=fabric, module=module).backward(parts_of(learner.processes, size))
        found = {f"weight/{name}": whole(value) for name, value in gradients(learner).items()}
        found |= {f"loss/{name}": value for name, value in losses.items()}
        if fabric.is_global_zero:
            save_file(found, folder / f"{case}.safetensors")


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gradients")
    in_processes(2, write_gradients, folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_shards_have_the_gradient_of_one_process(case: str, spread: Path) -> None:
    losses, expected = plain(case)
    found = load_file(spread / f"{case}.safetensors")
    assert_close(part(found, "loss/"), losses, rtol=1e-5, atol=1e-5)
    weights = part(found, "weight/")
    idle = weights.keys() - expected.keys()
    assert not any(weights.pop(name).any() for name in idle), "what no objective looks at has a gradient of 0"
    same(weights, expected)


def step_and_save(folder: Path, *, sharded: bool, first: int | None = None) -> None:
    """A step from the start, or from the checkpoint of one, and a checkpoint of it."""
    fabric = fabric_of_shards() if sharded else fabric_of(Training(device=Device.CPU), alone=True)
    learner = learner_of(ONE)
    learner.processes = Processes(fabric.global_rank, fabric.world_size)
    module = fabric.setup_module(learner)
    assert is_sharded(learner) is sharded
    optimiser = adamw(learner, SPEC)
    checkpoints = Checkpoints(folder, keep=5, writes=fabric.is_global_zero)
    if first is None:
        torch.manual_seed(5)
    else:
        assert checkpoints.load(first, learner, optimiser)[0] == {"batch": first}
    cache = GradCache(learner, fabric=fabric, module=module)
    # Weights that were gathered to be looked at must not be taken for those after the step.
    cache.evaluate(parts_of(learner.processes, MICRO_BATCH))
    cache.backward(parts_of(learner.processes, MICRO_BATCH))
    assert clip_gradients(learner, NORM) > NORM
    fabric.setup_optimizers(optimiser).step()
    done = (first or 0) + 1
    checkpoints.save(done, learner, optimiser, {"batch": done})
    fabric.barrier()
    if sharded:
        parameter = learner.model.signal.projection.layers.weight
        assert isinstance(parameter, DTensor)
        assert torch.equal(whole(placed_like(whole(parameter), parameter)), whole(parameter))


def shards_step_and_save(folder: Path, first: int | None) -> None:
    step_and_save(folder, sharded=True, first=first)


@pytest.mark.slow
def test_checkpoints_of_shards_are_those_of_one_process_and_each_resumes_the_other(tmp_path: Path) -> None:
    in_processes(2, shards_step_and_save, tmp_path / "a", None)
    step_and_save(tmp_path / "a", sharded=False, first=1)
    step_and_save(tmp_path / "b", sharded=False)
    in_processes(2, shards_step_and_save, tmp_path / "b", 1)
    for step in (1, 2):
        for name in ("weights", "optimiser"):
            a, b = (load_file(tmp_path / run / f"step-0000000{step}" / f"{name}.safetensors") for run in "ab")
            # Weights that no objective looks at have no moments, or moments of 0.
            assert not any(a.get(key, b.get(key)).any() for key in a.keys() ^ b.keys() if "/exp" in key)
            shared = a.keys() & b.keys()
            assert_close({key: a[key] for key in shared}, {key: b[key] for key in shared}, rtol=1e-4, atol=1e-6)


def test_what_does_not_go_with_shards_is_said() -> None:
    with pytest.raises(ValidationError, match="expected compile none where strategy is fsdp, got inductor"):
        Training.model_validate({"strategy": "fsdp", "compile": "inductor"})
