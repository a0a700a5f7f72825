"""Beats in a store: found once, on the clock of the samples, in a file that older stores do without."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from biosig.cli import main
from biosig.corpora import CORPORA
from biosig.errors import StoreError
from biosig.physiology import beats, summary
from biosig.preprocess import Crop, Preprocessing, Resample
from biosig.store import Store, prepare
from tests.biosig.store.fake import FakeCorpus, contents, describe, write_corpus, write_record


def run(source: Path, store: Path, **options: object) -> Store:
    prepare(FakeCorpus(), source, store, **{"workers": 0, "progress": False, "statistics": True, **options})  # type: ignore[arg-type]
    return Store(store)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = write_corpus(tmp_path_factory.mktemp("beats") / "source", 4)
    write_record(folder, "flat", np.zeros((3, 2000), np.float32))
    write_record(folder, "gap", np.full((3, 2000), np.nan, np.float32))
    return folder


@pytest.fixture(scope="module")
def store(source: Path) -> Store:
    return run(source, source.parent / "store")


def test_beats_are_those_of_the_recording_as_it_came(store: Store, source: Path) -> None:
    corpus = FakeCorpus()
    for entry in corpus.find(source):
        row = store.records["record"].tolist().index(entry.record_id)
        expected, found = beats(corpus.read(entry)), store.beats(row)
        np.testing.assert_array_equal(found.peaks, expected.peaks)
        np.testing.assert_array_equal(found.qrs_widths, expected.qrs_widths)
        told = {name: store.records.loc[row, name] for name in summary(expected)}
        assert told == pytest.approx(
            {name: np.nan if v is None else v for name, v in summary(expected).items()}, nan_ok=True
        )
    assert any(len(store.beats(row).peaks) >= 3 for row in range(len(store)))


def test_a_record_without_beats_is_kept_and_unknown(store: Store) -> None:
    for name in ("flat", "gap"):
        row = store.records["record"].tolist().index(name)
        assert len(store.beats(row).peaks) == 0
        assert store.records.loc[row, ["heart_rate", "qrs_width"]].isna().all()


def test_events_are_those_of_the_source(store: Store) -> None:
    assert set(store.events["code"]) == {"N", "(AFIB"}
    assert len(store.events) == 2 * len(store)


def test_beats_move_with_a_crop_and_not_with_a_new_rate(source: Path, store: Store, tmp_path: Path) -> None:
    cut = run(
        source, tmp_path / "cut", preprocessing=Preprocessing(steps=(Crop(start=1.0, stop=3.0), Resample(rate=100.0)))
    )
    for row in range(len(store)):
        whole = store.beats(row)
        inside = (whole.peaks >= 1.0) & (whole.peaks < 3.0)
        np.testing.assert_allclose(cut.beats(row).peaks, whole.peaks[inside] - 1.0, atol=1e-9)
        np.testing.assert_array_equal(cut.beats(row).qrs_widths, whole.qrs_widths[inside])


def test_the_file_is_hashed_and_the_same_for_any_number_of_workers(store: Store, source: Path, tmp_path: Path) -> None:
    assert store.info.files["physiology.parquet"].size == (store.path / "physiology.parquet").stat().st_size
    assert store.verify() == []
    assert contents(run(source, tmp_path / "two", workers=2).path) == contents(store.path)


def test_a_store_without_them_opens_and_says_which_option_finds_them(source: Path, tmp_path: Path) -> None:
    without = run(source, tmp_path / "without", statistics=False)
    assert not without.has_physiology
    assert "physiology.parquet" not in contents(without.path)
    with pytest.raises(
        StoreError, match=r"physiology\.parquet: no such file: prepare the store again with --physiology"
    ):
        without.beats(0)


def test_a_store_of_before_has_statistics_and_no_beats(store: Store, tmp_path: Path) -> None:
    old = tmp_path / "old"
    shutil.copytree(store.path, old)
    (old / "physiology.parquet").unlink()
    document = json.loads((old / "store.json").read_text())
    del document["files"]["physiology.parquet"], document["sha256"]
    (old / "store.json").write_text(json.dumps(document))
    assert Store(old).records["heart_rate"].notna().any()
    assert not Store(old).has_physiology


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.take([1, 0, 2, 3, 4, 5]), "record: expected the records of the store in their order"),
        (lambda table: table.drop_columns("peaks"), "peaks: expected list"),
        (lambda table: table.slice(1), "rows: expected 6, got 5"),
        (
            lambda table: table.set_column(2, table.schema.field(2), [[[1.0]] * len(table)]),
            "qrs_widths: expected one for every peak",
        ),
        (
            lambda table: table.set_column(1, table.schema.field(1), [[[1e9] * len(p) for p in table["peaks"]]]),
            "peaks: expected seconds within their record, got 1000000000.0",
        ),
    ],
    ids=["order", "column", "rows", "widths", "beyond"],
)
def test_a_table_that_contradicts_the_store_is_refused(store: Store, tmp_path: Path, change, message: str) -> None:  # type: ignore[no-untyped-def]
    damaged = tmp_path / "damaged"
    shutil.copytree(store.path, damaged)
    path = damaged / "physiology.parquet"
    pq.write_table(change(pq.read_table(path)), path)
    describe(damaged, path.name)
    with pytest.raises(StoreError, match=message):
        Store(damaged).beats(0)


def test_the_command_counts_what_is_unknown(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(CORPORA._entries, "fake", FakeCorpus())
    with pytest.raises(SystemExit) as stop:
        main(["prepare", "fake", str(source), str(tmp_path / "store"), "--physiology", "--workers", "0"])
    assert not stop.value.code
    assert "R peaks in 4 records; none was found in 2, whose rhythm is unknown" in capsys.readouterr().out
