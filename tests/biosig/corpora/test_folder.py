"""Own data: any format, people by a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.corpora import CORPORA, Entries
from biosig.errors import CorpusError, RecordError
from biosig.quality import flags
from tests.biosig.corpora.synthetic import write_record
from tests.biosig.corpora.synthetic_eeg import write_edf

FOLDER = CORPORA["folder"]


def people(folder: Path, table: str) -> dict[str, str]:
    (folder / "subjects.csv").write_text(table)
    return {entry.record_id: FOLDER.read(entry).subject_id for entry in FOLDER.find(folder)}


def test_without_a_table_every_record_is_a_person(tmp_path: Path) -> None:
    for place in ("a/rest", "b/rest", "top"):
        write_record(tmp_path / place)
    found = {entry.record_id: FOLDER.read(entry).subject_id for entry in FOLDER.find(tmp_path)}
    assert found == {"a/rest": "a/rest", "b/rest": "b/rest", "top": "top"}


def test_the_table_names_people_and_what_it_names_in_vain_is_missing(tmp_path: Path) -> None:
    write_record(tmp_path / "a")
    write_record(tmp_path / "b")
    table = "subject,record,note\nanna,a,x\nanna,b,\nanna,lost,\n"
    assert people(tmp_path, table) == {"a": "anna", "b": "anna"}
    found = FOLDER.find(tmp_path)
    assert isinstance(found, Entries)
    assert found.missing == ("lost",)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("record,subject\na,\n", "row 1: expected a new record, a subject"),
        ("record,subject\na,x\na,y\n", "row 2: expected a new record, a subject"),
        ("record,subject\na,x,y\n", "row 1: expected a new record, a subject and a cell in every column, got others"),
        ("record,person\na,x\n", "expected a column 'subject', found record, person"),
        ("", "expected a column 'record', found no columns"),
    ],
)
def test_a_damaged_table_is_refused(table: str, message: str, tmp_path: Path) -> None:
    write_record(tmp_path / "a")
    with pytest.raises(CorpusError, match=rf"subjects\.csv: {message}"):
        people(tmp_path, table)


@pytest.mark.parametrize("fold", ["0", "11", "2.5", "x", "-1", "²"])
def test_a_fold_that_is_none(fold: str, tmp_path: Path) -> None:
    write_record(tmp_path / "a")
    with pytest.raises(RecordError, match=r"a\.hea: subjects\.csv, fold: expected a whole number from 1 to 10"):
        people(tmp_path, f"record,subject,fold\na,x,{fold}\n")


def test_what_the_table_says_goes_before_the_header(tmp_path: Path) -> None:
    write_record(tmp_path / "a", ("#Age: 30", "#Sex: M", "#Dx: 164889003,Unknown", "#Report: from the header"))
    (tmp_path / "subjects.csv").write_text("record,subject,age,sex,session,report,fold\na,x,31,F,2,from the table,7\n")
    (entry,) = FOLDER.find(tmp_path)
    recording = FOLDER.read(entry)
    assert (recording.meta["age"], recording.meta["sex"], recording.meta["fold"]) == (31.0, "female", 7)
    assert (recording.session, recording.report) == ("2", "from the table")
    assert [(code.system, code.code) for code in recording.codes] == [("snomed-ct", "164889003")]
    assert recording.concepts == {"164889003"}


def test_findings_of_the_table_go_before_those_of_the_header(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        write_record(tmp_path / name, ("#Dx: 164889003",) if name != "c" else ())
    (tmp_path / "subjects.csv").write_text('record,subject,dx\na,x,"164909002, 426783006"\nb,y,\nc,z,\n')
    found = [FOLDER.read(entry).concepts for entry in FOLDER.find(tmp_path)]
    assert found == [{"164909002", "426783006"}, {"164889003"}, set()]
    (tmp_path / "subjects.csv").write_text("record,subject,dx\na,x,AFib\n")
    with pytest.raises(RecordError, match=r"a\.hea: subjects\.csv, dx: expected SNOMED-CT identifiers.*got 'AFib'"):
        FOLDER.read(FOLDER.find(tmp_path)[0])


def test_files_that_go_with_a_header_are_no_recordings(tmp_path: Path) -> None:
    write_record(tmp_path / "a")
    (tmp_path / "a.mat").touch()
    (tmp_path / "notes.txt").touch()
    assert [entry.path.name for entry in FOLDER.find(tmp_path)] == ["a.hea"]


def test_recordings_that_differ_in_the_extension_alone_are_all_there(tmp_path: Path) -> None:
    write_record(tmp_path / "a")
    write_edf(tmp_path / "a.edf", ["C3"], np.zeros((1, 200)), 100.0)
    write_edf(tmp_path / "b.edf", ["C3"], np.zeros((1, 200)), 100.0)
    found = FOLDER.find(tmp_path)
    assert isinstance(found, Entries)
    assert found.skipped == ()
    assert {entry.record_id: FOLDER.read(entry).meta["format"] for entry in found} == {
        "a.edf": "edf",
        "a.hea": "wfdb",
        "b": "edf",
    }


@pytest.mark.parametrize(("unit", "flagged"), [("uV", False), ("", True), ("DegC", True)])
def test_an_electrode_whose_unit_is_no_voltage_is_flagged(unit: str, flagged: bool, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).normal(0, 30, (2, 1000))
    write_edf(tmp_path / "a.edf", ["EEG C3", "Temp rectal"], noise, 100.0, unit=unit)
    (entry,) = FOLDER.find(tmp_path)
    assert ("unknown-unit" in flags(FOLDER.read(entry))) == flagged


@pytest.mark.real
def test_other_formats(biosig_data: Path) -> None:
    """EDF with EEG and ECG, from a folder with several recordings of each person."""
    found = FOLDER.find(biosig_data / "eeg" / "eegmat")
    assert len(found) == len(list((biosig_data / "eeg" / "eegmat").glob("*.edf")))
    recording = FOLDER.read(found[0])
    assert {"eeg", "ecg"} <= set(recording.modality)
    assert recording.subject_id == found[0].record_id
