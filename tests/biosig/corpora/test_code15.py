"""The Chagas label and who the exams are of."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosig.corpora import CORPORA
from biosig.errors import CorpusError, RecordError
from ontology import annotated, cardiac
from tests.biosig.corpora.synthetic import write_record

CORPUS = CORPORA["code15-samitrop"]


@pytest.mark.parametrize(("text", "codes"), [("True", ["True"]), ("False", ["False"]), ("true", ["True"]), ("", [])])
def test_labels(text: str, codes: list[str], tmp_path: Path) -> None:
    write_record(tmp_path / "1", (f"# Chagas label: {text}", "# Source: CODE-15%"))
    (recording,) = map(CORPUS.read, CORPUS.find(tmp_path))
    assert [code.code for code in recording.codes] == codes
    assert {code.system for code in recording.codes} <= {"chagas"}


def test_another_label_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "1", ("# Chagas label: perhaps",))
    with pytest.raises(RecordError, match=r"1\.hea: Chagas label: expected True or False, got 'perhaps'"):
        CORPUS.read(CORPUS.find(tmp_path)[0])


def test_a_patients_number_is_not_an_exams(tmp_path: Path) -> None:
    """Exam 7 of patient 8 and exam 8 without a patient are two people."""
    for exam in ("7", "8"):
        write_record(tmp_path / exam, ("# Chagas label: True",))
    (tmp_path / "exams.csv").write_text("exam_id,patient_id\n7,8\n8,\n")
    assert [CORPUS.read(entry).subject_id for entry in CORPUS.find(tmp_path)] == ["patient-8", "8"]


EXAMS = """\
exam_id,age,is_male,nn_predicted_age,1dAVb,RBBB,LBBB,SB,ST,AF,patient_id,death,timey,normal_ecg,trace_file
7,38,True,40.160484,True,True,False,False,False,False,8,False,2.098628,False,exams_part13.hdf5
8,73,True,67.05944,False,False,False,False,False,False,9,False,6.657529,True,exams_part13.hdf5
9,67,False,79.62174,,,,,,,9,,,False,exams_part13.hdf5
10,41,False,69.75026,False,False,perhaps,False,False,False,11,,,False,exams_part13.hdf5
11,55,False,60.1,False,False,False,False,False,True,12,,,False,exams_part13.hdf5
"""


def test_the_six_findings_are_those_of_the_table(tmp_path: Path) -> None:
    """The table has the columns and spellings of CODE-15%; exam 12 is not in it, and exam 11 of another study."""
    for exam in ("7", "8", "9", "10", "11", "12"):
        write_record(
            tmp_path / exam, (f"# Source: {'SaMi-Trop' if exam == '11' else 'CODE-15%'}", "# Chagas label: False")
        )
    (tmp_path / "exams.csv").write_text(EXAMS)
    entries = {entry.record_id: entry for entry in CORPUS.find(tmp_path)}
    with pytest.raises(RecordError, match=r"10\.hea: LBBB in exams\.csv: expected True or False, got 'perhaps'"):
        CORPUS.read(entries.pop("10"))
    read = {record: CORPUS.read(entry) for record, entry in entries.items()}
    codes = {record: [code.code for code in one.codes if code.system == "code15"] for record, one in read.items()}
    assert codes == {"7": ["1dAVb", "RBBB"], "8": ["none"], "9": [], "11": [], "12": []}
    assert {cardiac()[id_].abbreviation for id_ in read["7"].concepts} == {"IAVB", "RBBB"}
    assert not read["8"].concepts
    assert [read[record].subject_id for record in ("8", "9", "12")] == ["patient-9", "patient-9", "12"]


def test_silence_of_the_table_is_unknown_and_none_is_absence(tmp_path: Path) -> None:
    """Six concepts are known to be absent of exam 8; of exams 9 and 12 nothing is known."""
    for exam in ("7", "8", "9", "12"):
        write_record(tmp_path / exam, ("# Source: CODE-15%", "# Chagas label: False"))
    (tmp_path / "exams.csv").write_text(EXAMS)
    for record, said in {"7": 6, "8": 6, "9": 0, "12": 0}.items():
        recording = CORPUS.read(next(entry for entry in CORPUS.find(tmp_path) if entry.record_id == record))
        assert len(annotated(CORPUS.name, "code-15", frozenset(code.system for code in recording.codes))) == said


def test_a_table_that_lacks_one_of_the_six_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "7", ("# Chagas label: True",))
    (tmp_path / "exams.csv").write_text(EXAMS.replace(",SB,", ",sinus bradycardia,"))
    with pytest.raises(CorpusError, match=r"exams\.csv: expected a column 'SB', found exam_id, age"):
        CORPUS.find(tmp_path)


def test_a_table_without_patients_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "7", ("# Chagas label: True",))
    (tmp_path / "exams.csv").write_text("exam_id,age\n7,8\n")
    with pytest.raises(CorpusError, match=r"exams\.csv: expected a column 'patient_id', found exam_id, age"):
        CORPUS.find(tmp_path)
