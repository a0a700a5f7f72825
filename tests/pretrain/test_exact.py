"""One process, several, and micro-batches have one gradient, for every objective there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.testing import assert_close

from pretrain.gradcache import GradCache
from tests.pretrain.exact import CASES, MICRO_BATCH, RECORDS, batch_of, file_of, gradients, learner_of, write_gradients
from tests.pretrain.gloo import in_processes

SIZES = (None, MICRO_BATCH)
PROCESSES = 2
every = pytest.mark.parametrize("case", CASES)


@pytest.fixture(scope="module")
def spread(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gradients of all cases by two processes, plain and in micro-batches."""
    folder = tmp_path_factory.mktemp("gradients")
    in_processes(PROCESSES, write_gradients, folder, SIZES)
    return folder


def plain(case: str) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Losses and gradients by nothing but autograd."""
    learner = learner_of(case)
    torch.manual_seed(5)
    losses = learner(batch_of(RECORDS))
    losses["loss"].backward()
    return {name: value.detach() for name, value in losses.items()}, gradients(learner)


def same(found: Mapping[str, Tensor], expected: Mapping[str, Tensor]) -> None:
    """To 1e-5 of the largest number of each tensor; of the tensors that are next to nothing, to 1e-7 of the largest."""
    assert found.keys() == expected.keys()
    largest = {name: float(value.abs().max()) for name, value in expected.items()}
    least = 0.01 * max(largest.values())
    wrong = {
        name: error / max(largest[name], least)
        for name, value in expected.items()
        if not (error := float((found[name] - value).abs().max())) <= 1e-5 * max(largest[name], least)
    }
    assert not wrong


def part(found: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): value for name, value in found.items() if name.startswith(prefix)}


@every
@pytest.mark.parametrize("size", [MICRO_BATCH, 5, RECORDS])
def test_gradient_caching_is_the_plain_gradient(case: str, size: int) -> None:
    losses, expected = plain(case)
    assert losses["loss"] > 0
    assert any(value.abs().max() > 1e-3 for name, value in expected.items() if name.startswith("model.signal.encoder"))
    learner = learner_of(case)
    torch.manual_seed(5)
    assert_close(GradCache(learner, size).backward(batch_of(RECORDS)), losses, rtol=1e-5, atol=1e-5)
    same(gradients(learner), expected)


@every
@pytest.mark.parametrize("size", SIZES)
def test_two_processes_have_the_gradient_of_one(case: str, size: int | None, spread: Path) -> None:
    losses, expected = plain(case)
    for rank in range(PROCESSES):
        found = load_file(spread / file_of(case, size, rank))
        assert_close(part(found, "loss/"), losses, rtol=1e-5, atol=1e-5)
        same(part(found, "weight/"), expected)
        assert torch.equal(found["state"], torch.get_rng_state()), "the random state does not know how many they are"
