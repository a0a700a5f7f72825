"""Copies share a fold where the fold is ours to choose."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from biosig.splits import hashed_fold
from biosig.store import Store, audit, finish, prepare
from tests.biosig.store.fake import FakeCorpus, heart, write_record


def make(folder: Path, records: dict[str, dict[str, object]]) -> Store:
    source = folder / "source"
    source.mkdir()
    for record, content in records.items():
        write_record(source, record, **content)  # type: ignore[arg-type]
    prepare(FakeCorpus(), source, folder / "store", workers=0, records_per_shard=2, progress=False)
    return Store(folder / "store")


def folds(store: Store) -> dict[str, int]:
    return dict(zip(store.column("record"), store.column("fold"), strict=True))


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_subjects_who_share_a_waveform_share_a_fold(tmp_path: Path, gain: float) -> None:
    # Eight subjects, four folds among them at least; the first and the last are one person under two names.
    x = heart(5, leads=3)
    records: dict[str, dict[str, object]] = {f"r{n}": {"subject": f"p{n}"} for n in range(8)}
    records["r0"]["signal_"], records["r7"]["signal_"] = x, x * gain
    records["r7-later"] = {"subject": "p7"}
    store = make(tmp_path, records)
    expected = {f"r{n}": hashed_fold("fake", f"p{n}") for n in range(8)}
    assert expected["r0"] != expected["r7"]
    expected["r7"] = expected["r7-later"] = expected["r0"]
    assert folds(store) == expected
    assert store.info.regrouped == ("r7", "r7-later")
    assert store.verify() == []
    report = audit(store)
    assert report.ok
    assert len(report.duplicates) == 1


def test_an_official_fold_pulls_the_others_and_never_changes(tmp_path: Path) -> None:
    x = heart(5, leads=3)
    records: dict[str, dict[str, object]] = {
        "a": {"subject": "p0", "signal_": x},
        "b": {"subject": "p1", "signal_": x, "fold": 9},
        "c": {"subject": "p2"},
    }
    store = make(tmp_path, records)
    assert folds(store) == {"a": 9, "b": 9, "c": hashed_fold("fake", "p2")}


def test_official_folds_that_contradict_each_other_stay_and_are_told(tmp_path: Path) -> None:
    x = heart(5, leads=3)
    records: dict[str, dict[str, object]] = {
        "a": {"subject": "p0", "signal_": x, "fold": 1},
        "b": {"subject": "p1", "signal_": x, "fold": 9},
    }
    store = make(tmp_path, records)
    assert folds(store) == {"a": 1, "b": 9}
    assert store.info.regrouped == ()
    assert not audit(store).ok


def test_without_copies_nothing_moves(tmp_path: Path) -> None:
    store = make(tmp_path, {f"r{n}": {} for n in range(6)})
    assert folds(store) == {f"r{n}": hashed_fold("fake", f"s-r{n}") for n in range(6)}
    assert store.info.regrouped == ()


def test_folds_are_changed_whatever_the_size_of_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finish, "_GROUP", 2)
    source = tmp_path / "source"
    source.mkdir()
    for number in range(6):
        write_record(source, f"r{number}", heart(number))
    write_record(source, "r7", heart(3))
    options = {"workers": 0, "progress": False, "records_per_shard": 1}
    prepare(FakeCorpus(), source, tmp_path / "store", **options)  # type: ignore[arg-type]
    path = tmp_path / "store" / "records.parquet"
    assert pq.ParquetFile(path).num_row_groups == 4
    expected = {f"r{number}": hashed_fold("fake", f"s-r{number}") for number in (0, 1, 2, 3, 4, 5, 7)}
    expected["r7"] = expected["r3"]
    table = pq.read_table(path)
    assert dict(zip(table["record"].to_pylist(), table["fold"].to_pylist(), strict=True)) == expected
    monkeypatch.undo()
    prepare(FakeCorpus(), source, tmp_path / "whole", **options)  # type: ignore[arg-type]
    whole = tmp_path / "whole" / "records.parquet"
    assert pq.ParquetFile(whole).num_row_groups == 1
    assert pq.read_table(whole).equals(table)
