"""Places of records against the plain loop over the table, whatever is read at once; columns read when asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from biosig.errors import StoreError
from biosig.store import Store, prepare, tables
from tests.biosig.store.fake import FakeCorpus, heart, write_record
from tests.biosig.store.test_reader import change_table


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nine records in five shards, of three sets of channels that come again."""
    folder = tmp_path_factory.mktemp("places")
    source = folder / "source"
    source.mkdir()
    for number, leads in enumerate((3, 3, 1, 12, 3, 1, 1, 12, 3)):
        write_record(source, f"r{number}", heart(number, leads=leads, seconds=1.0 + number / 10))
    prepare(FakeCorpus(), source, folder / "store", workers=0, records_per_shard=2, progress=False)
    return folder / "store"


@pytest.mark.parametrize("at_once", [1, 2, 4, 1000])
def test_places_are_those_of_the_table_whatever_is_read_at_once(
    made: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(tables, "_BATCH", at_once)
    store, rows = Store(made), pq.read_table(made / "records.parquet").to_pylist()
    seen: list[tuple[str, ...]] = []
    needed: dict[int, int] = {}
    for row, facts in enumerate(rows):
        names = tuple(facts["channels"])
        if names not in seen:
            seen.append(names)
        assert store.layout(row)[0] == names
        assert store.layout_of[row] == seen.index(names)
        assert store.steps(row).tolist() == facts["step"]
        assert (store.samples[row], store.rates[row]) == (facts["samples"], facts["sampling_rate"])
        whole = np.load(made / f"shard-{facts['shard']:05d}.npy")
        size = len(names) * facts["samples"]
        expected = whole[facts["offset"] : facts["offset"] + size].reshape(len(names), -1)
        np.testing.assert_array_equal(store.block(row), expected)
        needed[facts["shard"]] = max(needed.get(facts["shard"], 0), facts["offset"] + size)
    assert [names for names, _ in store.layouts] == seen
    assert store._place.needed == needed


@pytest.mark.parametrize("at_once", [1, 1000])
def test_an_error_names_the_row_of_the_table(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(tables, "_BATCH", at_once)
    copy = tmp_path / "store"
    shutil.copytree(made, copy)
    change_table(copy, "offset", lambda _: 10**9, row=5)
    with pytest.raises(StoreError, match=r"records\.parquet: offset of row 5: expected what shard-00002"):
        Store(copy)


def test_a_column_is_read_when_it_is_asked_for(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    plain = tables.Table.read
    monkeypatch.setattr(tables.Table, "read", lambda table, names: read.extend(names) or plain(table, names))
    store = Store(made)
    store.window(0, 0, 10)
    store.layout(0)
    assert read == []
    assert store.column("report") == ["Sinusrhythmus, Linkslagetyp ✓"] * 9
    assert store.frame("record", "age").columns.tolist() == ["record", "age"]
    assert store.record(-1) == "r8"
    assert read == ["report", "record", "age", "record"]


def test_a_list_without_a_value_is_found_when_it_is_read(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(made, copy)
    change_table(copy, "concepts", lambda _: None)
    store = Store(copy)
    with pytest.raises(StoreError, match=r"records\.parquet: concepts: expected a value in every row"):
        store.column("concepts")


def test_a_store_that_is_replaced_stays_what_it_was(made: Path, tmp_path: Path) -> None:
    copy = tmp_path / "store"
    shutil.copytree(made, copy)
    store = Store(copy)
    names = Store(made).column("record")
    shutil.rmtree(copy)
    shutil.copytree(made, copy)
    change_table(copy, "record", lambda _: "another")
    assert store.column("record") == names
    assert Store(copy).record(0) == "another"
