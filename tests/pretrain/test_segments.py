"""Windows that follow each other in their record: signals that tell the time say whether they do."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from biosig.recording import Modality
from biosig.store import SCALE, Store
from pretrain.errors import RecipeError, TrainingError
from pretrain.recipe import parse
from pretrain.sampling.segments import Segments
from tests.pretrain.eeg import Shown, clocks
from tests.pretrain.tiny import TINY


def clock(batch: dict[str, Tensor]) -> Tensor:
    """The place in its record of every sample of each window."""
    return (batch["signal"][:, 0] * SCALE[Modality.EEG]).round().long()


def store_of(folder: Path, lengths: dict[str, int], name: str = "clocks") -> Store:
    """Records of so many samples, 10 a second, each of a subject of its own."""
    return Store(clocks(folder, {one: (one, n, [Shown("A", 0, n)]) for one, n in lengths.items()}, name))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Records that hold two, one, no and again no run of two windows of 2 s."""
    return store_of(tmp_path_factory.mktemp("runs"), {"long": 95, "fits": 40, "short": 39, "shorter": 12})


def rows_of(store: Store, *names: str) -> np.ndarray:
    return np.array([row for row in range(len(store)) if store.record(row) in names])


def every(*stores: Store) -> list[np.ndarray]:
    return [np.arange(len(store)) for store in stores]


def test_a_run_is_adjacent_windows_of_one_record(store: Store) -> None:
    segments = Segments([store], every(store), seconds=2.0, size=4)
    for epoch in range(30):
        batch = segments.batch(0, seed=1, epoch=epoch)
        time = clock(batch)
        assert batch["segment"].tolist() == [0, 1, 0, 1]
        assert batch["row"][::2].tolist() == batch["row"][1::2].tolist()
        assert torch.equal(time[::2, -1] + 1, time[1::2, 0]), "the second begins where the first ends"
        assert (time.diff(dim=1) == 1).all()


def test_records_too_short_are_left_out_and_counted(store: Store) -> None:
    segments = Segments([store], every(store), seconds=2.0, size=2)
    assert segments.left_out == 2
    assert segments.note == "2 of 4 records are left out, for they are shorter than 2 windows of 2 s"
    seen = Counter(
        store.record(int(row))
        for place in range(segments.batches_per_epoch)
        for row in segments.batch(place, seed=0, epoch=0)["row"]
    )
    assert seen == {"long": 4, "fits": 2}, "each run once an epoch"
    assert len(segments) == 6
    assert Segments([store], [rows_of(store, "long", "fits")], seconds=2.0, size=2).note == ""
    with pytest.raises(TrainingError, match="expected records of at least 3 windows of 4 s, found none among 4"):
        Segments([store], every(store), seconds=4.0, size=3, segments=3)


def test_runs_begin_anywhere_in_training_and_side_by_side_otherwise(store: Store) -> None:
    only = [rows_of(store, "long")]
    train = Segments([store], only, seconds=2.0, size=2)
    begins = Counter(
        int(clock(train.batch(place, seed=0, epoch=epoch))[0, 0]) for epoch in range(600) for place in (0, 1)
    )
    assert set(begins) == set(range(95 - 40 + 1)), "from the first sample to the last that leaves room"
    assert max(begins.values()) < 3 * min(begins.values()), "any as often as any other"
    still = Segments([store], only, seconds=2.0, size=2, train=False)
    assert {int(clock(still.batch(p, seed=0, epoch=e))[0, 0]) for e in range(5) for p in (0, 1)} == {0, 40}


def test_three_segments_in_several_stores(store: Store, tmp_path: Path) -> None:
    other = store_of(tmp_path, {"a": 61, "b": 59}, "others")
    empty = store_of(tmp_path, {"c": 5}, "empty")
    segments = Segments([store, empty, other], every(store, empty, other), seconds=2.0, size=3, segments=3)
    assert segments.batches_per_epoch == 2
    rows = set()
    for place in range(2):
        batch = segments.batch(place, seed=0, epoch=0)
        rows |= set(batch["row"].tolist())
        time = clock(batch)
        assert (time[1:, 0] - time[:-1, 0] == 20).all()
    first = len(store) + len(empty)
    assert rows == {*rows_of(store, "long"), *(first + rows_of(other, "a"))}, "rows are counted over all stores"


def test_a_batch_depends_on_seed_epoch_and_place_alone_and_parts_make_it(store: Store) -> None:
    one, other = (Segments([store], every(store), seconds=1.0, size=6) for _ in range(2))
    whole = {place: one.batch(place, seed=3, epoch=2) for place in (1, 0)}
    for place in (0, 1):
        for name, value in other.batch(place, seed=3, epoch=2).items():
            assert torch.equal(value, whole[place][name])
        for cut in (1, 3):  # within a run, and between two
            parts = [one.batch(place, seed=3, epoch=2, part=part) for part in (slice(0, cut), slice(cut, 6))]
            for name, value in whole[place].items():
                assert torch.equal(torch.cat([part[name] for part in parts]), value), name
    assert not torch.equal(one.batch(0, seed=4, epoch=2)["signal"], whole[0]["signal"])
    assert not torch.equal(one.batch(0, seed=3, epoch=3)["signal"], whole[0]["signal"])


def test_few_runs_make_a_smaller_batch_where_that_is_allowed(store: Store) -> None:
    fewer = Segments([store], every(store), seconds=2.0, size=64, fewer=True)
    assert fewer.size == 6
    assert fewer.batches_per_epoch == 1
    assert Segments([store], every(store), seconds=2.0, size=64).batches_per_epoch == 0


def test_a_batch_holds_whole_runs() -> None:
    sampler = "data.sampler={kind: segments, segments: 3}"
    with pytest.raises(RecipeError, match=r"expected a multiple of data\.sampler\.segments \(3\), got 16"):
        parse(TINY, overrides=[sampler])
    with pytest.raises(RecipeError, match=r"data\.sampler\.segments\.segments: .*greater than or equal to 2, got 1"):
        parse(TINY, overrides=["data.sampler={kind: segments, segments: 1}"])
