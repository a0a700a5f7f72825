"""Opening a store: views, roles, and every way in which a folder may not be what it says."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from biosig.errors import BiosigError, StoreError
from biosig.preprocess import Preprocessing
from biosig.sealed import sealed
from biosig.store import Store, prepare
from tests.biosig.store.fake import FakeCorpus, describe, heart, write_corpus, write_record


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    source = write_corpus(folder / "source", 12)
    write_record(source, "wide", heart(5, leads=12, seconds=6.0))
    for fold in range(1, 11):
        write_record(source, f"fold{fold:02d}", fold=fold)
    prepare(FakeCorpus(), source, folder / "store", workers=0, records_per_shard=9, progress=False)
    return folder / "store"


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "store"))


def test_windows_are_read_only_views_of_the_file(made: Path) -> None:
    store = Store(made)
    whole = store.block(3)
    part = store.window(3, 100, 250)
    assert part.dtype == np.int16
    assert part.shape == (3, 250)
    assert np.shares_memory(whole, part)
    np.testing.assert_array_equal(part, whole[:, 100:350])
    with pytest.raises(ValueError, match="read-only"):
        part[0, 0] = 1
    assert isinstance(_base(part), np.memmap)


def _base(array: Any) -> Any:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array


@pytest.mark.parametrize(("start", "length"), [(-1, 10), (0, 1001), (990, 11), (5, -1)])
def test_a_window_beyond_the_record_is_refused(made: Path, start: int, length: int) -> None:
    with pytest.raises(BiosigError, match="are not within its 1000"):
        Store(made).window(0, start, length)


def test_rows_by_role_follow_the_split(made: Path) -> None:
    store = Store(made)
    roles = {role: set(store.rows(role).tolist()) for role in ("train", "validation", "test", "unused")}
    assert set.union(*roles.values()) == set(range(len(store)))
    assert sum(map(len, roles.values())) == len(store)
    records = store.records
    for role, rows in roles.items():
        assert {store.split.role(int(fold)) for fold in records["fold"].iloc[sorted(rows)]} <= {role}
    assert records["record"].iloc[sorted(roles["validation"])].tolist().count("fold07") == 1


def test_a_store_travels_by_its_path(made: Path) -> None:
    store = Store(made)
    again = pickle.loads(pickle.dumps(store))
    np.testing.assert_array_equal(again.block(2), store.block(2))
    assert again.fingerprint == store.fingerprint
    assert repr(store).endswith(f"fake, {len(store)} records)")


def test_negative_rows_count_from_the_end_and_others_are_refused(made: Path) -> None:
    store = Store(made)
    assert store.recording(-1).record_id == store.records["record"].iloc[-1]
    with pytest.raises(IndexError):
        store.recording(len(store))


def test_one_rate_or_an_error(made: Path, tmp_path: Path) -> None:
    assert Store(made).sampling_rate == 250.0
    source = write_corpus(tmp_path / "source", 1)
    write_record(source, "slow", rate=100.0)
    prepare(FakeCorpus(), source, tmp_path / "s", preprocessing=Preprocessing(steps=()), workers=0, progress=False)
    with pytest.raises(StoreError, match=r"sampling_rate: expected one for all records, got \[100\.0, 500\.0\]"):
        _ = Store(tmp_path / "s").sampling_rate


def test_events_belong_to_their_record(made: Path) -> None:
    store = Store(made)
    assert len(store.events) == 2 * len(store)
    assert [event.code for event in store.recording(4).events] == ["N", "(AFIB"]


def test_opening_does_not_read_the_shards(copy: Path) -> None:
    # The size is right, the content is not: found by verify and not before.
    for shard in copy.glob("shard-*.npy"):
        shard.write_bytes(bytes(shard.stat().st_size))
    store = Store(copy)
    assert len(store.verify()) == len(list(copy.glob("shard-*.npy")))
    with pytest.raises(StoreError, match=r"shard-00000\.npy: expected a \.npy array"):
        store.block(0)


def test_verify_names_the_file_that_changed(copy: Path) -> None:
    assert Store(copy).verify() == []
    path = copy / "shard-00001.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    (problem,) = Store(copy).verify()
    assert "shard-00001.npy: sha256: expected" in problem


def edit(copy: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    path = copy / "store.json"
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(sealed(document)))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(version=3), r"store\.json: version: expected 2, got 3; prepare the store again"),
        (lambda d: d.update(format="zarr"), r"store\.json: format: expected 'biosig-store', got 'zarr'"),
        (lambda d: d.pop("split"), r"store\.json: split: Field required"),
        (lambda d: d.update(extra=1), r"store\.json: extra: no such field"),
        (lambda d: d.update(records=3), r"records\.parquet: rows: expected 3, got 23"),
        (lambda d: d.update(records=-3), r"store\.json: records: .*greater than or equal to 0"),
        (lambda d: d["files"].pop("records.parquet"), r"store\.json: files: expected records\.parquet among them"),
        (lambda d: d["files"].pop("shard-00001.npy"), r"records\.parquet: shard: expected one of the files .*got 1"),
        (lambda d: d["files"]["shard-00000.npy"].update(size=3), r"shard-00000\.npy: size: expected 3 bytes, got"),
        (lambda d: d["files"]["shard-00000.npy"].update(sha256="xyz"), r"store\.json: files\.shard-00000\.npy\.sha256"),
        (
            lambda d: d["files"].update({"shard-00009.npy": {"size": 1, "sha256": "0" * 64}}),
            r"shard-00009\.npy: expected a file of 1 bytes, got nothing",
        ),
        (lambda d: d["preprocessing"]["steps"].append({"kind": "eval"}), r"store\.json: preprocessing\.steps\.1"),
    ],
)
def test_a_document_that_is_wrong_names_file_and_field(copy: Path, change: Any, message: str) -> None:
    edit(copy, change)
    with pytest.raises(StoreError, match=message):
        Store(copy)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d["split"].update(train=[1, 2, 3, 4, 5, 6, 8], test=[9, 10]),
        lambda d: d["preprocessing"]["steps"].clear(),
        lambda d: d["corpus"].update(name="another"),
        lambda d: d["files"]["shard-00000.npy"].update(sha256="0" * 64),
        lambda d: d.update(missing=0),
        lambda d: d.update(sha256="0" * 64),
    ],
)
def test_a_document_that_was_changed_is_refused(copy: Path, change: Any) -> None:
    path = copy / "store.json"
    document = json.loads(path.read_text())
    path.write_text(json.dumps(document, sort_keys=True))  # otherwise spaced and ordered, it says the same
    assert Store(copy).verify() == []
    change(document)
    path.write_text(json.dumps(document))
    with pytest.raises(StoreError, match=r"store\.json: changed since it was written: sha256: expected '\w{64}', got"):
        Store(copy)


def test_a_shard_of_another_store_is_refused(copy: Path) -> None:
    shard = copy / "shard-00001.npy"
    content = bytearray(shard.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    shard.write_bytes(content)
    store = Store(copy)
    assert store.block(0).size
    for _ in range(2):
        with pytest.raises(StoreError, match=r"shard-00001\.npy: not the file of this store: sampled: expected"):
            store.recording(9)


def test_a_store_of_before_has_no_such_digests_and_is_read(copy: Path, made: Path) -> None:
    path = copy / "store.json"
    document = json.loads(path.read_text())
    del document["sha256"]
    for file in document["files"].values():
        del file["sampled"]
    path.write_text(json.dumps(document))
    np.testing.assert_array_equal(Store(copy).block(9), Store(made).block(9))


@pytest.mark.parametrize("name", ["../secret.npy", "/etc/passwd", "a/b.npy", "..", ".hidden", "a\\b", "", "x\n.npy"])
def test_names_that_lead_elsewhere_are_refused(copy: Path, name: str) -> None:
    edit(copy, lambda d: d["files"].update({name: {"size": 1, "sha256": "0" * 64}}))
    with pytest.raises(StoreError, match=r"store\.json: files"):
        Store(copy)


def test_a_link_that_leads_elsewhere_is_refused(copy: Path, tmp_path: Path) -> None:
    shard = copy / "shard-00000.npy"
    shard.rename(tmp_path / "elsewhere.npy")
    shard.symlink_to(tmp_path / "elsewhere.npy")
    with pytest.raises(StoreError, match="got a link to"):
        Store(copy)


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'"biosig-store"', b"\xff\xfe", b"[" * 100_000])
def test_a_document_that_is_no_document(copy: Path, content: bytes) -> None:
    (copy / "store.json").write_bytes(content)
    with pytest.raises(StoreError, match=r"store\.json"):
        Store(copy)


def test_no_store_at_all(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"not a store: no store\.json in the folder"):
        Store(tmp_path)
    with pytest.raises(StoreError, match="not a store: no such folder"):
        Store(tmp_path / "nowhere")


def change_table(copy: Path, name: str, value: Callable[[Any], Any], row: int = 0) -> None:
    """A table that contradicts the shards, with a document that knows its digest."""
    path = copy / "records.parquet"
    table = pq.read_table(path)
    values = table[name].to_pylist()
    values[row] = value(values[row])
    place = table.schema.names.index(name)
    pq.write_table(table.set_column(place, name, pa.array(values, table.schema.field(name).type)), path)
    describe(copy, "records.parquet")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("offset", lambda _: 10**9),
        ("offset", lambda _: -1),
        ("offset", lambda _: 2**63 - 1),
        ("samples", lambda _: 2**62),
        ("samples", lambda _: 0),
        ("shard", lambda _: 77),
        ("shard", lambda _: -1),
        ("channels", lambda names: names[:-1]),
        ("modality", lambda kinds: kinds[:-1]),
        ("step", lambda steps: steps[:-1]),
        ("step", lambda steps: [0.3, *steps[1:]]),
        ("step", lambda steps: [float("nan"), *steps[1:]]),
        ("shard", lambda _: None),
        ("subject", lambda _: None),
        ("sampling_rate", lambda _: 0.0),
        ("sampling_rate", lambda _: float("nan")),
    ],
)
def test_a_table_that_contradicts_the_shards_is_refused(copy: Path, name: str, value: Any) -> None:
    change_table(copy, name, value)
    with pytest.raises(StoreError, match=r"records\.parquet: \w+( of row 0)?: expected"):
        Store(copy).column(name)


def test_a_modality_that_nobody_knows_is_refused(copy: Path) -> None:
    change_table(copy, "modality", lambda kinds: ["telepathy", *kinds[1:]])
    with pytest.raises(StoreError, match=r"records\.parquet: modality: expected one of ecg, .*telepathy"):
        Store(copy).layout(0)


def test_a_table_of_other_columns_is_refused(copy: Path) -> None:
    path = copy / "records.parquet"
    pq.write_table(pq.read_table(path).drop_columns(["fold"]), path)
    describe(copy, "records.parquet")
    with pytest.raises(StoreError, match=r"records\.parquet: fold: expected int32, got no such column"):
        Store(copy)
    path.write_bytes(b"PAR1 not really PAR1")
    describe(copy, "records.parquet")
    with pytest.raises(StoreError, match=r"records\.parquet: expected Parquet"):
        Store(copy)


def test_a_shard_of_another_type_is_refused(copy: Path) -> None:
    path = copy / "shard-00000.npy"
    size = path.stat().st_size
    for array in (np.zeros((size - 128) // 4, np.float32), np.zeros((2, (size - 128) // 4), np.int16)):
        np.save(path, array)
        describe(copy, "shard-00000.npy")
        with pytest.raises(StoreError, match=r"shard-00000\.npy: expected int16 of one dimension"):
            Store(copy).block(0)


@pytest.mark.parametrize("name", ["records.parquet", "events.parquet"])
@pytest.mark.parametrize("place", [0.0, 0.3, 0.99])
def test_a_table_damaged_anywhere_is_refused_before_it_is_parsed(copy: Path, name: str, place: float) -> None:
    content = bytearray((copy / name).read_bytes())
    content[int(place * len(content))] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(StoreError, match=rf"{name}: damaged: sha256: expected .*; copy the store again") as refusal:
        Store(copy).recording(0)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.take(pa.array([*range(1, len(t)), 0])), "record: expected the events of a record together"),
        (
            lambda t: t.set_column(0, "record", pa.array(["x"] * len(t))),
            "record: expected records of the store, got 'x'",
        ),
        (lambda t: t.set_column(1, "onset", pa.array([float("inf")] * len(t))), "onset: expected seconds"),
        (lambda t: t.set_column(3, "code", pa.array([None] * len(t), pa.string())), "code: expected a value in every"),
    ],
    ids=["apart", "stray", "infinite", "none"],
)
def test_events_that_contradict_the_records_are_refused(copy: Path, change: Any, message: str) -> None:
    path = copy / "events.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    describe(copy, path.name)
    with pytest.raises(StoreError, match=rf"events\.parquet: {message}"):
        Store(copy).recording(0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("meta", lambda _: "[1]"),
        ("meta", lambda _: "{"),
        ("concepts", lambda _: [None]),
        ("channels", lambda names: [None, *names[1:]]),
        ("codes", lambda _: [{"system": "a", "code": None, "likelihood": None}]),
    ],
)
def test_values_within_lists_and_objects_are_checked(copy: Path, name: str, value: Any) -> None:
    change_table(copy, name, value)
    with pytest.raises(StoreError, match=r"records\.parquet: \w+: expected"):
        Store(copy).recording(0)


@pytest.mark.parametrize(
    "header",
    [
        "{'descr': '<i2', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '|O', 'fortran_order': False, 'shape': (1,)}",
        "(" * 900,
        "{'descr': '<i2', 'fortran_order': False, 'shape': (1, 1)}",
    ],
    ids=["huge", "objects", "nested", "two-dimensions"],
)
def test_a_forged_header_of_a_shard_is_refused(copy: Path, header: str) -> None:
    path = copy / "shard-00000.npy"
    content = path.read_bytes()
    text = header.encode().ljust(1013) + b"\n"
    path.write_bytes(content[:8] + len(text).to_bytes(2, "little") + text + content[128:])
    describe(copy, path.name)
    with pytest.raises(StoreError, match=r"shard-00000\.npy: expected") as refusal:
        Store(copy).block(0)
    assert "\n" not in str(refusal.value)


def test_a_document_that_is_a_link_or_no_file_is_refused(copy: Path, tmp_path: Path) -> None:
    (copy / "store.json").rename(tmp_path / "elsewhere.json")
    (copy / "store.json").symlink_to(tmp_path / "elsewhere.json")
    with pytest.raises(StoreError, match="got a link to"):
        Store(copy)
    (copy / "store.json").unlink()
    os.mkfifo(copy / "store.json")
    with pytest.raises(StoreError, match=r"store\.json: expected a file, got something else"):
        Store(copy)
