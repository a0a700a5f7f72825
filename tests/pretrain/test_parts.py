"""A batch in parts: what it holds, how often it is made, and the micro-batches of processes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

import ontology
from pretrain.data.parts import Parts, joined
from pretrain.data.pretraining import PretrainingData
from pretrain.models.text import ReportEncoder
from pretrain.parallel.distributed import Processes
from pretrain.recipe import parse
from pretrain.training import session
from pretrain.training.gradcache import GradCache
from tests.pretrain.tiny import TINY


def small(number: int, channels: int = 2) -> dict[str, Tensor]:
    return {
        "signal": torch.full((3, channels, 4), float(number + 1)),
        "mask": torch.ones(3, channels, dtype=torch.bool),
        "row": torch.arange(3) + 10 * number,
        "rate": torch.tensor(8.0),
    }


def test_what_is_small_is_kept_and_samples_are_made_again() -> None:
    made = []

    def make(number: int) -> dict[str, Tensor]:
        made.append(number)
        return small(number, channels=2 + number)

    batch = Parts(make, 2)
    assert [part["row"].tolist() for part in batch.each()] == [[0, 1, 2], [10, 11, 12]]
    assert batch["row"].tolist() == [0, 1, 2, 10, 11, 12]
    assert batch["rate"] == 8
    assert batch["mask"].tolist() == [[True, True, False]] * 3 + [[True] * 3] * 3
    assert set(batch) == {"signal", "mask", "row", "rate"}
    assert len(batch) == 4
    assert "label" not in batch
    assert made == [0, 1]
    signal = batch["signal"]
    assert made == [0, 1, 0, 1]
    assert signal.shape == (6, 3, 4)
    assert signal[:3, 2].abs().sum() == 0


def test_parts_that_nobody_went_through_are_made_when_asked_for() -> None:
    assert Parts(small, 2)["row"].tolist() == [0, 1, 2, 10, 11, 12]
    with pytest.raises(KeyError):
        Parts(small, 2)["label"]


def test_a_quicker_way_is_taken() -> None:
    batch = Parts(small, 2, lambda: iter([small(5), small(6)]))
    assert [int(part["row"][0]) for part in batch.each()] == [50, 60]


def test_one_part_is_not_copied() -> None:
    value = torch.ones(3)
    assert joined([value]) is value


@given(st.integers(1, 300), st.integers(1, 9), st.one_of(st.none(), st.integers(1, 70)))
def test_parts_of_processes_tile_the_batch_and_are_as_many_everywhere(size: int, count: int, most: int | None) -> None:
    if size < count:
        return
    parts = [Processes(rank, count).parts(size, most) for rank in range(count)]
    assert {len(own) for own in parts} == {len(parts[0])}
    assert [row for own in parts for part in own for row in range(size)[part]] == list(range(size))
    lengths = [part.stop - part.start for own in parts for part in own]
    assert min(lengths) >= 1
    if most is not None:
        assert max(lengths) <= most + 1
        assert max(lengths) <= most or size % count


def test_reading_in_parts_gives_the_gradient_of_reading_at_once(store: Path) -> None:
    """The same windows, augmentations, losses and gradients, and the signal of a part is all that is ever there."""
    recipe = parse(TINY, overrides=["optimiser.micro_batch=5"])
    encoder = ReportEncoder()
    data = PretrainingData([store], recipe, ontology.cardiac(), encoder)
    torch.manual_seed(0)
    learner = session.build_learner(recipe, data, ontology.cardiac(), encoder)
    found = []
    for batch in (data.train_batch(3), data.train_parts(3)):
        torch.manual_seed(1)
        learner.zero_grad()
        losses = GradCache(learner, 4).backward(batch)
        found.append((losses, [weight.grad.clone() for weight in learner.parameters() if weight.grad is not None]))
    (whole, by_whole), (parts, by_parts) = found
    assert data.train_parts(3).count == 4
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value)
    for one, other in zip(by_parts, by_whole, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-6)
    rows = torch.cat([part["row"] for part in data.train_parts(3).each()])
    assert torch.equal(rows, data.train_batch(3)["row"])


def test_standardisation_does_not_depend_on_micro_batches(store: Path) -> None:
    whole, parts = (
        PretrainingData([store], parse(TINY, overrides=[*more]), None, None)
        for more in ((), ("optimiser.micro_batch=3",))
    )
    rows = [torch.cat([batch["row"] for batch in data.typical_batches()]) for data in (whole, parts)]
    assert torch.equal(*rows)
