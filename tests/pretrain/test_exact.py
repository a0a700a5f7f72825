"""One process, several, and micro-batches have one gradient, for every objective there is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.testing import assert_close

from pretrain.training.gradcache import GradCache, split
from pretrain.training.learner import Learner
from pretrain.training.rng import draw_key, seeded
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
@pytest.mark.parametrize("size", [1, MICRO_BATCH, RECORDS])
def test_gradient_caching_is_the_plain_gradient(case: str, size: int) -> None:
    losses, expected = plain(case)
    assert losses["loss"] > 0
    assert any(value.abs().max() > 1e-4 for name, value in expected.items() if name.startswith("model.signal.encoder"))
    learner = learner_of(case)
    torch.manual_seed(5)
    assert_close(GradCache(learner, size).backward(batch_of(RECORDS)), losses, rtol=1e-5, atol=1e-5)
    same(gradients(learner), expected)


@pytest.mark.slow
@every
@pytest.mark.parametrize("size", SIZES)
def test_two_processes_have_the_gradient_of_one(case: str, size: int | None, spread: Path) -> None:
    losses, expected = plain(case)
    for rank in range(PROCESSES):
        found = load_file(spread / file_of(case, size, rank))
        assert_close(part(found, "loss/"), losses, rtol=1e-5, atol=1e-5)
        same(part(found, "weight/"), expected)
        assert torch.equal(found["state"], torch.get_rng_state()), "the random state does not know how many they are"


def test_dropout_of_the_towers_is_replayed() -> None:
    def fresh() -> Learner:
        return learner_of("signal_language", "patch_transformer_tiny", width=64, depth=1, dropout=0.3)

    whole = batch_of(RECORDS)
    reference = fresh()
    torch.manual_seed(5)
    key = draw_key()
    # Nothing is cached: the features of all micro-batches keep their graph.
    found = [reference.features(one, key, number) for number, one in enumerate(split(whole, MICRO_BATCH))]
    features = {name: torch.cat([one[name] for one in found]) for name in ("signal", "text")}
    losses = reference.losses(features, whole, key)
    losses["loss"].backward()
    cached = fresh()
    torch.manual_seed(5)
    assert_close(GradCache(cached, MICRO_BATCH).backward(whole), losses, rtol=1e-5, atol=1e-5)
    same(gradients(cached), gradients(reference))
    without = fresh().eval()
    GradCache(without, MICRO_BATCH).backward(whole)
    gap = (
        gradients(without)["model.signal.projection.layers.weight"] - cached.model.signal.projection.layers.weight.grad
    )
    assert gap.abs().max() > 0.01, "there was no dropout"


def test_draws_depend_on_key_and_part_alone_and_leave_the_state() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    draws = []
    for key in ((3, 0), (3, 1), (4, 0), (3, 0)):
        with seeded(*key):
            draws.append(torch.rand(4))
    assert torch.equal(draws[0], draws[3])
    assert not torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert torch.equal(torch.get_rng_state(), before)
    assert draw_key() != draw_key()


@every
def test_evaluation_in_micro_batches_is_the_plain_loss(case: str) -> None:
    learner = learner_of(case).eval()
    with torch.no_grad():
        expected = learner(batch_of(RECORDS))
    found = GradCache(learner, MICRO_BATCH).evaluate(batch_of(RECORDS))
    assert_close(found, expected, rtol=1e-5, atol=1e-5)
    assert not any(value.requires_grad for value in found.values())
