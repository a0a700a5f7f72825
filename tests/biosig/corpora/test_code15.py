"""The Chagas label and who the exams are of."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosig.corpora import CORPORA
from biosig.errors import CorpusError, RecordError
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


def test_a_table_without_patients_is_refused(tmp_path: Path) -> None:
    write_record(tmp_path / "7", ("# Chagas label: True",))
    (tmp_path / "exams.csv").write_text("exam_id,age\n7,8\n")
    with pytest.raises(CorpusError, match=r"exams\.csv: expected a column 'patient_id', found exam_id, age"):
        CORPUS.find(tmp_path)
