"""Stores mixed by temperature: exact shares in every epoch, rounds through each store, any part of a batch alike."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch

from biosig.store import Store, Windows
from pretrain.sampling.mixing import shares
from pretrain.sampling.tempered import Tempered
from tests.pretrain.eeg import Shown, clocks

LARGE, SMALL, EMPTY = 60, 6, 5


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> list[Store]:
    """Recordings of ten seconds in which nothing was shown."""
    folder = tmp_path_factory.mktemp("tempered")
    sizes = {"large": LARGE, "small": SMALL, "empty": EMPTY}
    return [
        Store(clocks(folder, {f"{name}-{k}": (f"{name}-{k}", 100, []) for k in range(count)}, name))
        for name, count in sizes.items()
    ]


def tempered(stores: list[Store], temperature: float, *, size: int = 8, train: bool = True) -> Tempered:
    rows = [np.arange(LARGE), np.arange(SMALL), np.arange(0)]
    return Tempered(Windows(stores, rows, seconds=4.0, train=train), size, temperature)


def store_of(rows: torch.Tensor) -> list[int]:
    return [int(row >= LARGE) + int(row >= LARGE + SMALL) for row in rows.tolist()]


@pytest.mark.parametrize("temperature", [1.5, 2.0, 100.0])
def test_every_epoch_has_the_shares_of_the_formula(stores: list[Store], temperature: float) -> None:
    sampler = tempered(stores, temperature)
    # Two windows of four seconds in each recording of ten.
    assert len(sampler) == 2 * (LARGE + SMALL)
    slots = sampler.batches_per_epoch * sampler.size
    expected = slots * shares([2 * LARGE, 2 * SMALL, 0], temperature)
    for epoch in (0, 1, 7):
        batches = [sampler.batch(k, seed=2, epoch=epoch)["row"] for k in range(sampler.batches_per_epoch)]
        found = Counter(store_of(torch.cat(batches)))
        assert sum(found.values()) == slots
        assert found[2] == 0, "an empty store is never taken"
        assert all(abs(found[k] - expected[k]) < 1 for k in (0, 1))


def test_a_store_is_gone_through_before_a_window_comes_again(stores: list[Store]) -> None:
    sampler, seen = tempered(stores, 100.0), Counter[int]()
    for epoch in range(6):
        for place in range(sampler.batches_per_epoch):
            seen.update(sampler.batch(place, seed=0, epoch=epoch)["row"].tolist())
        # Two windows a recording, and rounds that end within an epoch.
        for rows in (range(LARGE), range(LARGE, LARGE + SMALL)):
            counts = [seen[row] for row in rows]
            assert max(counts) - min(counts) <= 2
    assert seen[LARGE] > 5 * seen[0], "the small store is not drowned"


def test_a_batch_is_a_function_of_seed_epoch_and_place(stores: list[Store]) -> None:
    one, other = tempered(stores, 3.0), tempered(stores, 3.0)
    whole = one.batch(3, seed=4, epoch=2)
    other.batch(0, seed=4, epoch=0)
    parts = [other.batch(3, seed=4, epoch=2, part=part) for part in (slice(0, 3), slice(3, 8))]
    for name, value in whole.items():
        assert torch.equal(torch.cat([part[name] for part in parts]), value), name
    assert not torch.equal(one.batch(3, seed=5, epoch=2)["row"], whole["row"])
    assert not torch.equal(one.batch(3, seed=4, epoch=3)["row"], whole["row"])


def test_a_window_that_comes_again_begins_elsewhere(tmp_path: Path) -> None:
    # A clock that tells where a window begins: the stimulus is the whole recording.

    path = clocks(tmp_path, {"a": ("a", 10_000, [Shown("x", 0, 10_000)])})
    windows = Windows([Store(path)], None, seconds=600.0, train=True)
    sampler = Tempered(windows, 1, 2.0)
    starts = [float(sampler.batch(0, seed=1, epoch=epoch)["signal"][0, 0, 0]) for epoch in range(8)]
    assert len(set(starts)) == 8
    fixed = Tempered(Windows([Store(path)], None, seconds=600.0, train=False), 1, 2.0)
    assert {float(fixed.batch(0, seed=1, epoch=epoch)["signal"][0, 0, 0]) for epoch in range(3)} == {0.0}
