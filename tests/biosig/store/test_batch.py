"""Windows as tensors: scale, masks, padding, and montages side by side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from biosig.channels import positions
from biosig.corpora.base import Entry
from biosig.errors import BiosigError
from biosig.preprocess import Preprocessing
from biosig.recording import Modality, Recording
from biosig.store import MODALITIES, SCALE, Store, Windows, batch, batches, collate, prepare
from tests.biosig.store.fake import FakeCorpus, write_record

SAMPLES = 1000
KINDS = {"Cz": Modality.EEG, "Pz": Modality.EEG, "EOG": Modality.EOG, "SpO2": Modality.OTHER}


class Mixed(FakeCorpus):
    """Records whose channels say what they are."""

    def read(self, entry: Entry) -> Recording:
        with np.load(entry.path) as file:
            names = tuple(str(name) for name in file["leads"])
            kinds = tuple(KINDS.get(name, Modality.ECG) for name in names)
            return Recording(file["signal"], names, 250.0, kinds, record_id=entry.record_id, subject_id=entry.record_id)


SETS = {
    "a-ecg": ("I", "II", "V1"),
    "b-eeg": ("Cz", "Pz"),
    "c-both": ("Cz", "EOG", "II", "SpO2", "V9x"),
    "d-short": ("II",),
    "e-gap": ("I", "II"),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    folder = tmp_path_factory.mktemp("batch")
    (folder / "source").mkdir()
    for seed, (name, leads) in enumerate(SETS.items()):
        x = np.random.default_rng(seed).normal(0, 100, size=(len(leads), SAMPLES)).astype(np.float32)
        if name == "d-short":
            x = x[:, :300]
        if name == "e-gap":
            x[0, 200:700] = np.nan
            x[1, 10] = np.nan
        write_record(folder / "source", name, x, leads=np.array(leads))
    keep = Preprocessing(steps=())
    prepare(Mixed(), folder / "source", folder / "store", preprocessing=keep, workers=0, progress=False)
    return Store(folder / "store")


def test_a_batch_has_the_promised_shapes_and_types(store: Store) -> None:
    found = batch(store, range(5), [0] * 5, 400)
    shapes = {name: (tuple(tensor.shape), tensor.dtype) for name, tensor in found.items()}
    assert shapes == {
        "signal": ((5, 5, 400), torch.float32),
        "mask": ((5, 5), torch.bool),
        "position": ((5, 5, 3), torch.float32),
        "modality": ((5, 5), torch.int64),
        "valid": ((5,), torch.int64),
        "row": ((5,), torch.int64),
        "start": ((5,), torch.int64),
    }


def test_signals_are_scaled_by_modality(store: Store) -> None:
    found = batch(store, [2], [100], 200)["signal"][0]
    recording = store.recording(2)
    for channel, kind in enumerate(recording.modality):
        expected = recording.signal[channel, 100:300] / SCALE.get(kind, 1.0)
        np.testing.assert_allclose(found[channel].numpy(), expected, rtol=1e-6)
    assert dict(SCALE) == {Modality.ECG: 1000.0, Modality.EEG: 50.0, Modality.EOG: 50.0}


def test_what_is_not_there_is_masked_and_zero(store: Store) -> None:
    found = batch(store, [0, 1, 2], [0, 0, 0], 100)
    assert found["mask"].sum(1).tolist() == [3, 2, 5]
    for item, leads in enumerate((3, 2, 5)):
        assert found["mask"][item, :leads].all()
        assert not found["signal"][item, leads:].any()
        assert not found["position"][item, leads:].any()
    assert [MODALITIES[i] for i in found["modality"][2].tolist()] == list(store.recording(2).modality)


def test_positions_are_the_sensors_and_zero_where_unknown(store: Store) -> None:
    found = batch(store, [0, 2], [0, 0], 10)["position"]
    np.testing.assert_array_equal(found[0, :3].numpy(), positions(("I", "II", "V1"), Modality.ECG))
    names, kinds = store.layout(2)
    expected = positions(names, kinds)
    assert np.isnan(expected[3]).all()
    np.testing.assert_array_equal(found[1].numpy(), np.nan_to_num(expected))


def test_short_records_are_padded_and_say_so(store: Store) -> None:
    found = batch(store, [3, 3, 0], [0, 250, 900], 400)
    assert found["valid"].tolist() == [300, 50, 100]
    assert not found["signal"][0, :, 300:].any()
    assert found["signal"][0, 0, :300].all()


def test_gaps_are_zero_and_a_channel_that_is_one_long_gap_is_not_there(store: Store) -> None:
    found = batch(store, [4, 4], [0, 300], 300)
    assert found["mask"].tolist() == [[True, True], [False, True]]
    assert torch.isfinite(found["signal"]).all()
    assert not found["signal"][0, 0, 200:].any()
    assert found["signal"][0, 1, 10] == 0
    assert found["signal"][0, 0, :200].all()


def test_what_makes_no_batch_is_refused(store: Store) -> None:
    with pytest.raises(BiosigError, match="a batch of no windows"):
        collate([], 10)
    for start in (-1, 300):
        with pytest.raises(BiosigError, match=f"d-short: a window cannot begin at sample {start} of 300"):
            batch(store, [3], [start], 10)
    with pytest.raises(ValueError, match="zip"):
        batch(store, [1, 2], [0], 10)


def test_windows_stand_side_by_side_for_evaluation(store: Store) -> None:
    windows = Windows([store], seconds=1.0, train=False)
    assert (windows.length, len(windows)) == (250, 4 * 4 + 1)
    assert windows.starts(range(len(windows))).tolist() == [0, 250, 500, 750] * 3 + [0] + [0, 250, 500, 750]
    assert windows.rows.tolist() == [0] * 4 + [1] * 4 + [2] * 4 + [3] + [4] * 4


def test_training_windows_start_anywhere_and_only_by_seed_and_epoch(store: Store) -> None:
    windows = Windows([store], [np.array([0, 3, 2])], seconds=2.0, train=True)
    assert windows.rows.tolist() == [0, 0, 3, 2, 2]
    all_of = np.array([windows.starts(range(5), seed=1, epoch=epoch) for epoch in range(300)])
    assert all_of[:, [0, 1, 3, 4]].min() < 10
    assert all_of[:, [0, 1, 3, 4]].max() > 490
    assert all_of.max() <= 500
    assert not all_of[:, 2].any()  # shorter than a window
    again = Windows([store], [np.array([0, 3, 2])], seconds=2.0, train=True)
    assert again.starts([4, 1], seed=1, epoch=7).tolist() == all_of[7, [4, 1]].tolist()
    assert windows.starts(range(5), seed=2, epoch=7).tolist() != all_of[7].tolist()
    one, other = (w.batch([4, 1], seed=1, epoch=7) for w in (windows, again))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_several_stores_are_one_table(store: Store) -> None:
    windows = Windows([store, store], [np.array([1]), np.array([0, 4])], seconds=4.0, train=False)
    found = windows.batch([2, 0])
    assert found["row"].tolist() == [9, 1]
    assert windows.records["record"].iloc[found["row"].numpy()].tolist() == ["e-gap", "b-eeg"]
    assert found["signal"].shape == (2, 2, 1000)


def test_windows_refuse_what_does_not_fit(store: Store, tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    write_record(tmp_path / "source", "x", rate=500.0)
    prepare(
        FakeCorpus(),
        tmp_path / "source",
        tmp_path / "fast",
        preprocessing=Preprocessing(steps=()),
        workers=0,
        progress=False,
    )
    with pytest.raises(BiosigError, match="one sampling rate were expected, got 250, 500 Hz"):
        Windows([store, Store(tmp_path / "fast")], seconds=1.0, train=True)
    with pytest.raises(BiosigError, match="no record to take windows from"):
        Windows([store], [np.array([], dtype=np.int64)], seconds=1.0, train=True)
    with pytest.raises(BiosigError, match="windows of no store"):
        Windows([], seconds=1.0, train=True)
    with pytest.raises(BiosigError, match="expected rows for each of 1 stores, got 2"):
        Windows([store], [np.array([0]), np.array([1])], seconds=1.0, train=True)


def test_batches_cover_every_item_once_in_an_order_of_seed_and_epoch() -> None:
    found = batches(103, 10, seed=1, epoch=2)
    assert [len(some) for some in found] == [10] * 10 + [3]
    assert sorted(np.concatenate(found).tolist()) == list(range(103))
    again = batches(103, 10, seed=1, epoch=2)
    assert all(np.array_equal(a, b) for a, b in zip(found, again, strict=True))
    for seed, epoch in ((1, 3), (2, 2)):
        assert not np.array_equal(np.concatenate(batches(103, 10, seed=seed, epoch=epoch)), np.concatenate(found))
    dropped = batches(103, 10, seed=1, epoch=2, drop_last=True)
    assert [some.tolist() for some in dropped] == [some.tolist() for some in found[:10]]
    in_order = batches(7, 3, seed=0, epoch=0, shuffle=False)
    assert [some.tolist() for some in in_order] == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.parametrize(("n", "size", "drop_last"), [(0, 4, False), (3, 4, True), (5, 0, False)])
def test_no_batch_is_an_error(n: int, size: int, drop_last: bool) -> None:
    with pytest.raises(BiosigError):
        batches(n, size, seed=0, epoch=0, drop_last=drop_last)
