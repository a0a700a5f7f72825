"""Every corpus has a whole card, reads a tiny instance of itself right, and says what it misses elsewhere."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosig.corpora import CORPORA, Entries, Entry
from biosig.errors import CorpusError, RecordError
from biosig.preprocess import Preprocessing
from biosig.recording import Modality, Recording
from biosig.splits import Split
from biosig.store import Store, trials
from biosig.store.writer import prepare
from tests.biosig.corpora import synthetic, synthetic_bids, synthetic_eeg, synthetic_emotion, synthetic_seed
from tests.biosig.corpora.synthetic import Expected, millivolts, write_record

WRITERS = synthetic.WRITERS | synthetic_eeg.WRITERS | synthetic_emotion.WRITERS | synthetic_seed.WRITERS
WRITERS |= {"bids": synthetic_bids.bids}
ALL = sorted(WRITERS)


def read_all(name: str, folder: Path) -> dict[str, Recording]:
    return {entry.record_id: CORPORA[name].read(entry) for entry in CORPORA[name].find(folder)}


def test_the_corpora_of_the_first_release_are_there() -> None:
    expected = {
        "ludb",
        "cinc2021",
        "ptb-xl",
        "ptb-xl-100",
        "mitdb",
        "cinc2011",
        "code15-samitrop",
        "simulated",
        "folder",
    }
    assert expected <= set(CORPORA)


def test_a_tiny_instance_of_every_corpus_is_written() -> None:
    assert set(WRITERS) == set(CORPORA)


@pytest.mark.parametrize("name", ALL)
def test_the_card_is_whole(name: str) -> None:
    corpus = CORPORA[name]
    assert corpus.name == name
    assert corpus.modality
    assert all(isinstance(modality, Modality) for modality in corpus.modality)
    assert isinstance(corpus.split, Split)
    assert all(corpus.split.__dict__.values())
    assert all(rate > 0 for rate in corpus.sampling_rates)
    for text in (corpus.title, corpus.licence, corpus.citation, corpus.url):
        assert text == text.strip()
        assert len(text) > 5
    assert corpus.url.startswith("https://") or name == "folder"
    assert "doi:" in corpus.citation or name in ("cinc2011", "folder")


@pytest.mark.parametrize("name", ALL)
def test_a_tiny_instance_reads_right(name: str, tmp_path: Path) -> None:
    expected = WRITERS[name](tmp_path)
    found = CORPORA[name].find(tmp_path)
    assert [entry.record_id for entry in found] == sorted(expected)
    for entry in pickle.loads(pickle.dumps(found)):
        check(CORPORA[name].read(entry), entry, expected[entry.record_id])


def check(recording: Recording, entry: Entry, expected: Expected) -> None:
    assert recording.record_id == entry.record_id
    assert recording.subject_id == expected.subject
    assert recording.meta["age"] == expected.age
    assert recording.meta["sex"] == expected.sex
    assert recording.meta["source"] == expected.source
    assert {key: recording.meta.get(key) for key in ("fold", "sub_corpus", "device")} == {
        key: expected.meta.get(key) for key in ("fold", "sub_corpus", "device")
    }
    assert tuple((code.system, code.code, code.likelihood) for code in recording.codes) == expected.codes
    assert recording.report == expected.report
    assert [(event.code, event.text) for event in recording.events] == [event[2:] for event in expected.events]
    stimuli = expected.stimuli or (("", None),) * len(expected.events)
    assert tuple((event.stimulus, event.trial) for event in recording.events) == stimuli
    times = [(event.onset, event.duration) for event in recording.events]
    np.testing.assert_allclose(
        np.reshape(times, (-1, 2)), np.reshape([e[:2] for e in expected.events], (-1, 2)), atol=1e-9
    )
    # The sine of the n-th lead has 0.1 mV times n, a gain of 1000 a millivolt makes steps of a microvolt.
    right = 1000 * millivolts(len(recording.channels), recording.sampling_rate, recording.duration).T
    known = np.setdiff1d(np.arange(recording.n_times), expected.beyond)
    np.testing.assert_allclose(recording.signal[:, known], right[:, known], atol=expected.atol)
    beyond = list(expected.beyond)
    size = np.abs(right).max(axis=1, keepdims=True)
    assert (np.abs(recording.signal - right)[:, beyond] < 0.01 * size).all()


@pytest.mark.parametrize("name", ALL)
def test_a_tiny_instance_becomes_a_store_with_all_its_events(name: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.mkdir()
    expected = WRITERS[name](source)
    report = prepare(name, source, tmp_path / "store", preprocessing=Preprocessing(steps=()), workers=0, progress=False)
    store = Store(report.store)
    assert report.read == len(store) == len(expected)
    counted = Counter(store.events["record"])
    assert counted == Counter({record: len(each.events) for record, each in expected.items() if each.events})
    presented = Counter(
        {record: sum(bool(stimulus) for stimulus, _ in each.stimuli) for record, each in expected.items()}
    )
    assert Counter(trials(store)["record"]) == +presented


@pytest.mark.parametrize("name", ALL)
def test_two_reads_are_equal(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    one, two = read_all(name, tmp_path), read_all(name, tmp_path)
    for record_id, recording in one.items():
        assert recording.meta == two[record_id].meta
        assert recording.codes == two[record_id].codes
        assert recording.events == two[record_id].events
        np.testing.assert_array_equal(recording.signal, two[record_id].signal)


@pytest.mark.parametrize("name", ALL)
def test_the_folder_above_finds_the_same_records(name: str, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    expected = WRITERS[name](inner)
    if name == "folder":
        expected = {f"inner/{record_id}": record for record_id, record in expected.items()}
    found = CORPORA[name].find(tmp_path)
    assert [entry.record_id for entry in found] == sorted(expected)
    assert CORPORA[name].read(found[0]).meta["source"] == f"inner/{expected[found[0].record_id].source}"


@pytest.mark.parametrize("name", ALL)
def test_no_such_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"expected a folder with .* found nothing"):
        CORPORA[name].find(tmp_path / "nowhere")
    (tmp_path / "file").touch()
    with pytest.raises(CorpusError, match=r"expected a folder with .* found a file"):
        CORPORA[name].find(tmp_path / "file")


@pytest.mark.parametrize("name", ALL)
def test_an_empty_folder(name: str, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=f"expected .* for the corpus '{name}', found no"):
        CORPORA[name].find(tmp_path)


@pytest.mark.parametrize("other", ALL)
def test_the_folder_of_another_corpus_is_refused(other: str, tmp_path: Path) -> None:
    WRITERS[other](tmp_path)
    for name in ALL:
        if name not in ("folder", other):
            with pytest.raises(CorpusError, match=f"expected .* for the corpus '{name}', found"):
                CORPORA[name].find(tmp_path)


@pytest.mark.parametrize("name", ALL)
def test_a_damaged_record_is_one_error_and_the_others_read(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    bad, *good = CORPORA[name].find(tmp_path)
    bad.path.write_bytes(b"no header at all\n" + bad.path.read_bytes()[:40])
    with pytest.raises(RecordError, match=bad.path.name):
        CORPORA[name].read(bad)
    again = CORPORA[name].find(tmp_path) if good else []
    # A file may hold several records, which are then lost together.
    assert [CORPORA[name].read(entry).record_id for entry in again if entry.path != bad.path] == [
        entry.record_id for entry in good if entry.path != bad.path
    ]


@pytest.mark.parametrize("name", ALL)
def test_a_record_without_its_signal_file_is_a_record_error(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    entry = CORPORA[name].find(tmp_path)[0]
    samples = entry.path.with_suffix(".dat")
    (samples if samples.is_file() else entry.path).unlink()
    with pytest.raises(RecordError):
        CORPORA[name].read(entry)


# Identifiers from the tables of the Challenge 2021, not from the crosswalks.
NSR, AF, PVC = "426783006", "164889003", "427172004"


@pytest.mark.parametrize(
    ("name", "record", "concepts"),
    [
        ("ludb", "34", {NSR, "27885002"}),
        ("cinc2021", "A0101", {AF}),
        ("cinc2021", "E00001", {"284470004", "39732003"}),
        ("cinc2021", "JS10647", set()),
        ("ptb-xl", "00001", {NSR}),
        ("mitdb", "100", {NSR, AF, PVC}),
        ("simulated", "000000", {AF}),
        ("cinc2011", "1002867", set()),
        ("code15-samitrop", "14", set()),
        ("dasps", "S02-03", {"biosig:emotion-anxiety", "biosig:emotion-anxiety-severe"}),
        ("eegmat", "Subject00_1", set()),
        ("sleep-edf", "SC4001E", {"biosig:stage-w", "biosig:stage-n3", "biosig:stage-s4"}),
        ("chb-mit", "chb21_19", {"biosig:seizure"}),
        ("chb-mit", "chb01_01", {"biosig:no-seizure"}),
        ("eegmmidb", "S001R04", set()),
        ("kalunga2016", "subject01_run1", set()),
    ],
)
def test_codes_become_concepts(name: str, record: str, concepts: set[str], tmp_path: Path) -> None:
    WRITERS[name](tmp_path)
    found = read_all(name, tmp_path)[record].concepts
    assert concepts <= found
    assert bool(concepts) == bool(found)


def test_entries_are_sorted_and_a_duplicate_is_named() -> None:
    entries = [
        Entry("b", Path("b")),
        Entry("a", Path("x/a"), {"source": "x/a"}),
        Entry("a", Path("y/a"), {"source": "y/a"}),
    ]
    found = Entries(entries, missing=["c"], skipped=[("d", "bad")])
    assert [entry.record_id for entry in found] == ["a", "b"]
    assert found[0].path == Path("x/a")
    assert found.missing == ("c",)
    assert found.skipped == (("d", "bad"), ("a", "y/a: the record is also x/a"))
    copy = pickle.loads(pickle.dumps(found))
    assert (list(copy), copy.missing, copy.skipped) == (list(found), found.missing, found.skipped)


def test_the_same_record_in_two_folders_is_read_once(tmp_path: Path) -> None:
    for place in ("georgia/E00001", "WFDB_Ga/E00001"):
        write_record(tmp_path / place, ("#Dx: 426783006",))
    found = CORPORA["cinc2021"].find(tmp_path)
    assert [entry.meta["source"] for entry in found] == ["WFDB_Ga/E00001.hea"]
    assert found.skipped == (("E00001", "georgia/E00001.hea: the record is also WFDB_Ga/E00001.hea"),)


def test_a_new_file_in_the_package_is_a_new_corpus(tmp_path: Path) -> None:
    """In another process, with a copy of the package's path: adding a corpus is adding one file."""
    (tmp_path / "mine.py").write_text(
        "from biosig.corpora.base import CORPORA\n"
        "from biosig.corpora.ludb import Ludb\n"
        "class Mine(Ludb):\n    name = 'mine'\n"
        "CORPORA.add(Mine.name, Mine())\n"
    )
    code = (
        "import importlib.util, sys; spec = importlib.util.find_spec('biosig.corpora');"
        f"spec.submodule_search_locations.append({str(tmp_path)!r});"
        "module = importlib.util.module_from_spec(spec); sys.modules['biosig.corpora'] = module;"
        "spec.loader.exec_module(module); print('mine' in module.CORPORA)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "True\n", run.stderr


def test_a_third_partys_corpus_comes_by_entry_point(tmp_path: Path) -> None:
    (tmp_path / "theirs.py").write_text(
        "from biosig.corpora.ludb import Ludb\nclass Theirs(Ludb):\n    name = 'theirs'\ntheirs = Theirs()\n"
    )
    info = tmp_path / "theirs-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[biosig.corpora]\ntheirs = theirs:theirs\nbroken = nowhere_at_all:x\n")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from biosig.corpora import CORPORA;"
        "print(CORPORA['theirs'].name, 'broken' in CORPORA, 'ludb' in CORPORA)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.stdout == "theirs False True\n", run.stderr
    assert "corpus 'broken' of 'nowhere_at_all:x' cannot be loaded" in run.stderr


def test_a_wide_corpus_is_found_without_reading_it(tmp_path: Path) -> None:
    """Finding opens one header: the rest are not even readable as headers."""
    write_record(tmp_path / "E00000", ("#Dx: 426783006",))
    for number in range(1, 500):
        folder = tmp_path / f"g{number // 100}"
        folder.mkdir(exist_ok=True)
        (folder / f"E{number:05d}.hea").touch()
    assert len(CORPORA["cinc2021"].find(tmp_path)) == 500


def test_fields_of_an_entry_cannot_be_changed() -> None:
    entry = Entry("a", Path("a"))
    assert replace(entry, record_id="b").record_id == "b"
    with pytest.raises(AttributeError):
        entry.record_id = "b"  # type: ignore[misc]
