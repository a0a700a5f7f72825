"""Preparing: what ends up in the store, whatever the records and however many workers."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from biosig.corpora.base import Entry
from biosig.errors import BiosigError, CorpusError, StoreError
from biosig.preprocess import Bandpass, Preprocessing, Resample
from biosig.recording import Recording
from biosig.splits import hashed_fold
from biosig.store import Store, prepare
from biosig.store.partial import Partial, Plan
from biosig.store.quantise import GAP
from tests.biosig.store.fake import FakeCorpus, contents, heart, write_corpus, write_record

KEEP = Preprocessing(steps=())


def run(source: Path, store: Path, **options: object) -> Store:
    prepare(FakeCorpus(), source, store, **{"workers": 0, "progress": False, **options})  # type: ignore[arg-type]
    return Store(store)


def test_a_record_comes_back_as_it_was_read_and_preprocessed(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 5)
    store = run(source, tmp_path / "store")
    corpus = FakeCorpus()
    entries = corpus.find(source)
    assert store.records["record"].tolist() == [entry.record_id for entry in entries]
    for row, entry in enumerate(entries):
        expected = Resample(rate=250.0).apply(corpus.read(entry))
        found = store.recording(row)
        assert np.abs(found.signal - expected.signal).max() <= np.abs(expected.signal).max() / 32767
        for name in (
            "channels",
            "modality",
            "sampling_rate",
            "record_id",
            "subject_id",
            "session",
            "codes",
            "concepts",
        ):
            assert getattr(found, name) == getattr(expected, name), name
        assert found.report == expected.report
        assert found.events == expected.events
        assert (found.meta["age"], found.meta["sex"], found.meta["device"]) == (61.0, "female", "CS-12")
        assert "comments" not in found.meta
        assert found.meta["flags"] == ()


def test_the_columns_say_where_everything_comes_from(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 3)
    write_record(source, "folded", fold=9)
    store = run(source, tmp_path / "store")
    records = store.records.set_index("record")
    for name in ("r000", "r001", "r002"):
        row = records.loc[name]
        assert row["fold"] == hashed_fold("fake", f"s-{name}")
        assert row["source"] == f"{name}.npz"
        assert row["source_sha256"] == hashlib.sha256((source / f"{name}.npz").read_bytes()).hexdigest()
        assert row["corpus"] == "fake"
        assert len(row["fingerprint"]) == 32
        assert list(row["channels"]) == ["I", "II", "III"]
    assert records.loc["folded", "fold"] == 9
    assert records[["heart_rate", "mean_rr", "sdnn", "rmssd", "qrs_width"]].isna().all(axis=None)
    assert store.events["record"].value_counts().to_dict() == dict.fromkeys(records.index, 2)
    document = json.loads((tmp_path / "store" / "store.json").read_text())
    assert document["preprocessing"] == {"steps": [{"kind": "resample", "rate": 250.0}]}
    assert document["skipped"] == [{"record": "refused", "reason": "a damaged row"}]
    assert document["missing"] == 1
    assert document["corpus"]["licence"] == "none"
    for name, file in document["files"].items():
        content = (tmp_path / "store" / name).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (file["size"], file["sha256"])
    assert set(document["files"]) | {"store.json"} == {path.name for path in (tmp_path / "store").iterdir()}


def test_the_digest_of_a_wfdb_record_covers_header_and_signals(tmp_path: Path) -> None:
    from biosig.store.row import _digest

    header = tmp_path / "a.hea"
    header.write_text("a 2 500 3\na.dat 16 200 16 0 0 0 0 I\n a.dat 16 200 16 0 0 0 0 II\n../x.dat 16 200\n#Age: 3\n")
    (tmp_path / "a.dat").write_bytes(b"abcdef")
    expected = hashlib.sha256(header.read_bytes() + b"abcdef").hexdigest()
    assert _digest(header, 0, 0) == expected


def test_bytes_are_the_same_for_any_number_of_workers_and_every_time(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 41)
    write_record(source, "r010x", does="record error")
    write_record(source, "gap", np.full((3, 1000), np.nan, np.float32))
    options = {"records_per_shard": 20}
    first = contents(run(source, tmp_path / "0", **options).path)
    assert len([name for name in first if name.startswith("shard")]) == 3
    for name, workers in (("again", 0), ("1", 1), ("2", 2), ("3", 3)):
        assert contents(run(source, tmp_path / name, workers=workers, **options).path) == first


@pytest.mark.parametrize("workers", [0, 2])
def test_no_exception_of_a_reader_stops_the_run(tmp_path: Path, workers: int) -> None:
    source = write_corpus(tmp_path / "source", 20)
    for name in ("record error", "key error", "exit", "memory"):
        write_record(source, name.replace(" ", "-"), does=name)
    (source / "not-a-zip.npz").write_bytes(b"PK\x03\x04 not really")
    write_record(source, "empty", np.zeros((3, 0), np.float32))
    write_record(source, "mute", np.zeros((0, 10), np.float32))
    write_record(source, "twice", leads=np.array(["I", "I", "II"]))
    report = prepare(FakeCorpus(), source, tmp_path / "store", workers=workers, progress=False)
    assert report.read == 20
    reasons = dict(report.skipped)
    assert reasons.pop("refused") == "a damaged row"
    assert reasons["record-error"] == "record-error.npz: gain: expected a positive number, got '-5'"
    assert reasons["key-error"] == r"KeyError: 'no such\nthing'"
    assert reasons["exit"] == "SystemExit: 3"
    assert reasons["memory"] == "MemoryError:"
    assert reasons["empty"] == "empty.npz: signal: expected at least one channel and one sample, got (3, 0)"
    assert "occurs twice" in reasons["twice"]
    assert set(reasons) == {"record-error", "key-error", "exit", "memory", "not-a-zip", "empty", "mute", "twice"}
    assert all("\n" not in reason and len(reason) <= 300 for reason in reasons.values())
    assert report.missing == 1


def test_a_worker_that_dies_costs_one_record(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 24)
    write_record(source, "r005x", does="segfault")
    write_record(source, "r006x", does="killed")
    write_record(source, "r015x", does="killed once")
    report = prepare(FakeCorpus(), source, tmp_path / "store", workers=2, progress=False)
    assert report.read == 25
    assert dict(report.skipped) == {
        "refused": "a damaged row",
        "r005x": "the process that read it died: SIGSEGV",
        "r006x": "the process that read it died: SIGKILL",
    }
    assert Store(tmp_path / "store").verify() == []


def test_nothing_readable_is_an_error_and_leaves_no_store(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    write_record(source, "a", does="record error")
    with pytest.raises(BiosigError, match=r"none of 2 records could be read; the first: refused: a damaged row"):
        run(source, tmp_path / "store")
    assert not (tmp_path / "store").exists()


def test_a_folder_of_something_else_is_the_corpus_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="corpus 'ludb'"):
        prepare("ludb", tmp_path, tmp_path / "store", progress=False)
    assert not (tmp_path / "store.partial").exists()


def test_the_limit_takes_the_first_names(tmp_path: Path) -> None:
    store = run(write_corpus(tmp_path / "source", 9), tmp_path / "store", limit=4)
    assert store.records["record"].tolist() == ["r000", "r001", "r002", "r003"]


@pytest.mark.parametrize(("name", "value"), [("workers", -1), ("limit", 0), ("records_per_shard", 0)])
def test_settings_that_make_no_sense(tmp_path: Path, name: str, value: int) -> None:
    with pytest.raises(BiosigError, match=f"{name}: expected at least"):
        run(write_corpus(tmp_path / "source", 1), tmp_path / "store", **{name: value})


def test_the_right_rate_is_stored_bit_for_bit(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    x = np.round(heart(3, seconds=4.0, rate=250.0)).astype(np.float32)
    write_record(source, "a", x, rate=250.0)
    np.testing.assert_array_equal(run(source, tmp_path / "store").recording(0).signal, x)


def test_gaps_constants_and_artefacts_survive(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    x = heart(1, leads=4, seconds=4.0)
    x[0, 100:300] = np.nan
    x[1] = 0
    x[2] = 17.25
    x[3, 7] = 1e9
    write_record(source, "a", x)
    store = run(source, tmp_path / "store", preprocessing=KEEP)
    found = store.recording(0).signal
    np.testing.assert_array_equal(np.isnan(found), np.isnan(x))
    np.testing.assert_array_equal(found[1:3], x[1:3])
    assert found[3, 7] == pytest.approx(1e9, rel=1e-4)
    assert (store.window(0, 100, 200)[0] == GAP).all()
    assert set(store.records["quality"][0]) >= {"flat", "nan", "range"}


def test_records_of_many_shapes_lie_side_by_side(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    for name, leads, seconds in (("a", 12, 3.0), ("b", 2, 7.5), ("c", 1, 2.0), ("d", 12, 3.0)):
        write_record(source, name, heart(ord(name), leads=leads, seconds=seconds))
    store = run(source, tmp_path / "store", records_per_shard=3, preprocessing=KEEP)
    for row, name in enumerate("abcd"):
        with np.load(source / f"{name}.npz") as file:
            np.testing.assert_allclose(store.recording(row).signal, file["signal"], atol=0.1)
    assert [layout.records for layout in store.info.layouts] == [2, 1, 1]


def test_statistics_only_when_asked(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    write_record(source, "a", heart(1, leads=2))
    records = run(source, tmp_path / "store", statistics=True).records
    assert 40 < records["heart_rate"][0] < 120
    assert records["mean_rr"][0] == pytest.approx(60_000 / records["heart_rate"][0])


def test_an_existing_store_is_overwritten_only_when_asked(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 3)
    before = contents(run(source, tmp_path / "store").path)
    with pytest.raises(StoreError, match=r"store: the store exists; choose another name, or overwrite it"):
        run(source, tmp_path / "store", limit=2)
    assert contents(tmp_path / "store") == before
    assert not (tmp_path / "store.partial").exists()
    assert len(run(source, tmp_path / "store", limit=2, overwrite=True)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["source", "store"]


def test_overwriting_that_fails_leaves_the_old_store(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 3)
    before = contents(run(source, tmp_path / "store").path)
    for path in source.iterdir():
        path.write_bytes(b"")
    with pytest.raises(BiosigError, match="could be read"):
        run(source, tmp_path / "store", overwrite=True)
    assert contents(tmp_path / "store") == before


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_that_is_no_store_is_never_touched(tmp_path: Path, overwrite: bool) -> None:
    source = write_corpus(tmp_path / "source", 1)
    for name, place in (("store", "store"), ("other", "other.partial")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "thesis.tex").write_text("years of work")
        with pytest.raises(StoreError, match="nothing was touched"):
            run(source, tmp_path / name, overwrite=overwrite)
        assert (tmp_path / place / "thesis.tex").read_text() == "years of work"
    (tmp_path / "file").write_text("mine")
    with pytest.raises(StoreError, match="exists and is not a store"):
        run(source, tmp_path / "file", overwrite=overwrite)


def test_an_empty_folder_may_be_filled(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    assert len(run(write_corpus(tmp_path / "source", 2), tmp_path / "store")) == 2


def test_what_another_configuration_left_is_refused_or_dropped(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 4)
    expected = contents(run(source, tmp_path / "expected", preprocessing=KEEP).path)
    for path in sorted(source.iterdir())[2:]:
        path.rename(path.with_suffix(".away"))
    # A run that fails at its end leaves everything it had done.
    (tmp_path / "store.partial" / "work").mkdir(parents=True)
    plan = Plan.of(
        FakeCorpus(), source, FakeCorpus().find(source), Preprocessing(), statistics=False, per_shard=256, chunk=16
    )
    with Partial(tmp_path / "store", plan, overwrite=False):
        pass
    with pytest.raises(StoreError, match=r"begun with another configuration \(preprocessing: .*250"):
        run(source, tmp_path / "store", preprocessing=KEEP)
    with pytest.raises(StoreError, match=r"begun with another configuration \(statistics: false, now true\)"):
        run(source, tmp_path / "store", statistics=True)
    for path in source.glob("*.away"):
        path.rename(path.with_suffix(".npz"))
    with pytest.raises(StoreError, match=r"begun with another configuration \(records: 2, now 4\)"):
        run(source, tmp_path / "store")
    assert contents(run(source, tmp_path / "store", preprocessing=KEEP, overwrite=True).path) == expected


def test_a_source_that_changed_meanwhile_is_another_configuration(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 2)
    entries = FakeCorpus().find(source)
    plan = Plan.of(FakeCorpus(), source, entries, Preprocessing(), statistics=False, per_shard=256, chunk=16)
    with Partial(tmp_path / "store", plan, overwrite=False):
        pass
    write_record(source, "r001", heart(77, leads=3, seconds=5.0))
    with pytest.raises(StoreError, match="source files have changed since"):
        run(source, tmp_path / "store")


@pytest.mark.skipif(sys.platform == "win32", reason="no file locks of this kind")
def test_two_runs_do_not_write_to_one_place(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 2)
    entries = FakeCorpus().find(source)
    plan = Plan.of(FakeCorpus(), source, entries, Preprocessing(), statistics=False, per_shard=256, chunk=16)
    with (
        Partial(tmp_path / "store", plan, overwrite=False),
        pytest.raises(StoreError, match="another process is preparing this store"),
    ):
        run(source, tmp_path / "store")
    assert len(run(source, tmp_path / "store")) == 2


def test_text_that_is_no_text_does_not_break_the_tables(tmp_path: Path) -> None:
    class Odd(FakeCorpus):
        def read(self, entry: Entry) -> Recording:
            from dataclasses import replace

            recording = super().read(entry)
            meta = {**recording.meta, "sex": "f\ud800", "age": float("nan"), "device": np.float32(3), 7: {"a": b"\xff"}}
            return replace(recording, report="half \udce4 character", subject_id="Mäx\ud83d", meta=meta)

    prepare(Odd(), write_corpus(tmp_path / "source", 2), tmp_path / "store", workers=0, progress=False)
    found = Store(tmp_path / "store").recording(0)
    assert found.report == "half ? character"
    assert found.subject_id == "Mäx?"
    assert found.meta["age"] is None


def test_a_corpus_that_cannot_travel_is_told_so(tmp_path: Path) -> None:
    class Local(FakeCorpus):
        pass

    source = write_corpus(tmp_path / "source", 2)
    with pytest.raises(BiosigError, match=r"'fake' cannot travel to worker processes .*workers=0"):
        prepare(Local(), source, tmp_path / "store", workers=1, progress=False)
    assert len(run(source, tmp_path / "store")) == 2


def python(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[3]
    return subprocess.run(
        [sys.executable, *map(str, arguments)] if not code else [sys.executable, "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


@pytest.mark.parametrize("corpus", ["FakeCorpus", "Own"])
def test_a_script_without_guard_ends_with_advice(tmp_path: Path, corpus: str) -> None:
    source = write_corpus(tmp_path / "source", 2)
    script = tmp_path / "script.py"
    script.write_text(
        textwrap.dedent(
            f"""
            from biosig.store import prepare
            from tests.biosig.store.fake import FakeCorpus

            class Own(FakeCorpus):
                pass

            prepare({corpus}(), {str(source)!r}, {str(tmp_path / "store")!r}, workers=1, progress=False)
            """
        )
    )
    done = python("", script)
    assert done.returncode != 0
    assert "a worker process cannot start" in done.stderr
    assert "if __name__ == '__main__':" in done.stderr
    assert not (tmp_path / "store").exists()


def test_preparing_imports_nothing_heavy(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 1)
    done = python(
        f"""
        import sys
        from biosig.store import prepare
        from tests.biosig.store.fake import FakeCorpus
        prepare(FakeCorpus(), {str(source)!r}, {str(tmp_path / "store")!r}, workers=0, progress=False)
        print([name for name in ("torch", "mne", "neurokit2", "matplotlib", "sklearn") if name in sys.modules])
        """
    )
    assert done.stdout.strip() == "[]", done.stderr


def test_the_command_prepares_and_reports(tmp_path: Path) -> None:
    import wfdb

    source = tmp_path / "source"
    source.mkdir()
    for number in range(3):
        x = heart(number, leads=3, seconds=3.0).T.astype(np.float64) / 1000
        wfdb.wrsamp(
            f"r{number}", fs=500, units=["mV"] * 3, sig_name=["I", "II", "III"], p_signal=x, fmt=["16"] * 3,
            write_dir=str(source),
        )  # fmt: skip
    (source / "bad.hea").write_text("bad 1 500 10\nbad.dat 16 200 16 0 0 0 0 I\n")
    command = ("-m", "biosig", "prepare", "folder", source, tmp_path / "store", "--rate", "100", "--workers", "1")
    done = python("", *command)
    assert done.returncode == 0, done.stderr
    assert "3 records read, 1 skipped, in" in done.stdout
    assert "skipped bad" in done.stdout
    assert Store(tmp_path / "store").sampling_rate == 100
    again = python("", *command)
    assert again.returncode == 2
    assert "the store exists" in again.stderr
    assert python("", *command, "--overwrite").returncode == 0


def test_preprocessing_is_stored_and_can_be_used_again(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 2)
    pipeline = Preprocessing(steps=(Bandpass(low=0.5, high=40.0), Resample(rate=100.0)))
    store = run(source, tmp_path / "store", preprocessing=pipeline)
    again = store.info.preprocessing
    assert again == pipeline
    corpus = FakeCorpus()
    expected = again.apply(corpus.read(corpus.find(source)[1])).signal
    np.testing.assert_allclose(store.recording(1).signal, expected, atol=np.abs(expected).max() / 32767)
