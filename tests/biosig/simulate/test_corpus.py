"""The folder that `biosig simulate` writes, read back by PhysioNet's own library and by ours."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import wfdb

from biosig.errors import BiosigError
from biosig.simulate import write_corpus
from biosig.simulate.corpus import corpus_record

RECORDS = 40


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_corpus(tmp_path_factory.mktemp("corpus") / "new", RECORDS, seed=3, workers=1, progress=False)


def digest(folder: Path) -> dict[str, str]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def comments(name: Path) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in wfdb.rdheader(str(name)).comments)


def names(corpus: Path) -> list[Path]:
    return [corpus / line for line in (corpus / "RECORDS").read_text(encoding="utf-8").split()]


def test_wfdb_reads_every_record(corpus: Path) -> None:
    assert len(names(corpus)) == RECORDS
    for name in names(corpus):
        record = wfdb.rdrecord(str(name), physical=False)
        assert (record.fs, record.sig_len, record.n_sig) == (500, 5000, 12)
        assert record.sig_name[:3] == ["I", "II", "III"]
        assert [value % 65536 for value in record.checksum] == list(record.calc_checksum())
        assert record.init_value == record.d_signal[0].tolist()
        beats = wfdb.rdann(str(name), "atr")
        assert len(beats.sample) >= 4
        assert beats.sample.max() < 5000


def test_a_record_is_what_was_simulated_to_half_a_microvolt(corpus: Path) -> None:
    whole = corpus_record(3, 0, 0, 0, sampling_rate=500.0, duration=10.0)
    record = wfdb.rdrecord(str(corpus / "000" / "sim000000"))
    np.testing.assert_allclose(record.p_signal.T * 1000, whole.signal, atol=0.51)
    said = comments(corpus / "000" / "sim000000")
    assert said["Dx"] == ",".join(sorted(whole.concepts))
    assert said["Report"] == whole.report
    assert said["Subject"] == whole.subject_id
    assert (float(said["Age"]), said["Sex"].lower()) == (whole.meta["age"], whole.meta["sex"])


def test_some_subjects_come_again_with_their_age_and_sex(corpus: Path) -> None:
    persons: dict[str, list[dict[str, str]]] = {}
    for name in names(corpus):
        said = comments(name)
        persons.setdefault(said["Subject"], []).append(said)
    assert len(persons) < RECORDS
    for visits in persons.values():
        assert len({(said["Age"], said["Sex"]) for said in visits}) == 1
        assert [said["Session"] for said in visits] == [str(k + 1) for k in range(len(visits))]


def test_the_bytes_depend_on_the_seed_alone(corpus: Path, tmp_path: Path) -> None:
    shorter = write_corpus(tmp_path / "shorter", RECORDS // 2, seed=3, workers=1, progress=False)
    whole = digest(corpus)
    for path, sha in digest(shorter).items():
        if path != "RECORDS":
            assert whole[path] == sha
    other = write_corpus(tmp_path / "other", 2, seed=4, workers=1, progress=False)
    assert digest(other)["000/sim000000.dat"] != whole["000/sim000000.dat"]


@pytest.mark.slow
def test_many_processes_write_the_same_bytes(tmp_path: Path) -> None:
    one, two = (
        write_corpus(
            tmp_path / str(workers), 70, seed=1, duration=2.0, sampling_rate=100.0, workers=workers, progress=False
        )
        for workers in (1, 2)
    )
    assert digest(one) == digest(two)


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(BiosigError, match="expected a new or empty folder"):
        write_corpus(tmp_path, 1, progress=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(("records", "seed"), [(0, 1), (3, -1)])
def test_senseless_numbers_are_refused(tmp_path: Path, records: int, seed: int) -> None:
    with pytest.raises(BiosigError, match="at least one record"):
        write_corpus(tmp_path / "new", records, seed=seed, progress=False)
    assert not (tmp_path / "new").exists()


def test_the_corpus_is_read_as_a_corpus(corpus: Path) -> None:
    corpora = pytest.importorskip("biosig.corpora")
    simulated = corpora.CORPORA["simulated"]
    entries = simulated.find(corpus)
    assert len(entries) == RECORDS
    recording = simulated.read(entries[0])
    whole = corpus_record(3, 0, 0, 0, sampling_rate=500.0, duration=10.0)
    assert recording.concepts == whole.concepts
    assert recording.report == whole.report
    assert recording.subject_id == whole.subject_id
    np.testing.assert_allclose(recording.signal, whole.signal, atol=0.51)
    beats = [event for event in whole.events if event.code in "NLRAV/E"]
    assert [event.code for event in recording.events] == [event.code for event in beats]
    assert abs(np.subtract([e.onset for e in recording.events], [e.onset for e in beats])).max() <= 0.0011
