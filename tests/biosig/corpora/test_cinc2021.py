"""Record names tell the sub-corpus; who is who where headers do not say."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosig.corpora import CORPORA
from biosig.corpora.cinc2021 import sub_corpus
from tests.biosig.corpora.synthetic import ptbxl_table, write_record

CORPUS = CORPORA["cinc2021"]


@pytest.mark.parametrize(
    ("record", "part"),
    [
        ("A0001", "cpsc_2018"),
        ("A6877", "cpsc_2018"),
        ("Q3581", "cpsc_2018_extra"),
        ("I0075", "st_petersburg_incart"),
        ("S0549", "ptb"),
        ("HR21837", "ptb-xl"),
        ("E10344", "georgia"),
        ("JS00001", "chapman_shaoxing"),
        ("JS10646", "chapman_shaoxing"),
        ("JS10647", "ningbo"),
        ("JS45551", "ningbo"),
    ],
)
def test_the_first_and_last_of_every_part(record: str, part: str) -> None:
    assert sub_corpus(record) == part


@pytest.mark.parametrize("record", ["A00001", "A001", "X0001", "JS1", "00001_hr", "HR0001", "a0001", "E0001", ""])
def test_other_names_are_no_records(record: str) -> None:
    with pytest.raises(ValueError, match="expected a record name"):
        sub_corpus(record)


def test_people_of_ptbxl_are_kept_together_where_its_table_is_there(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        write_record(tmp_path / f"ptb-xl/HR{number:05d}", ("#Dx: 426783006",))
    alone = {entry.record_id: CORPUS.read(entry).subject_id for entry in CORPUS.find(tmp_path)}
    assert alone == {name: name for name in ("HR00001", "HR00002", "HR00003")}
    (tmp_path / "ptb-xl/ptbxl_database.csv").write_text(ptbxl_table({}, {"patient_id": "5.0"}, {}))
    known = {entry.record_id: CORPUS.read(entry).subject_id for entry in CORPUS.find(tmp_path)}
    assert known == {"HR00001": "ptb-xl-15709", "HR00002": "ptb-xl-5", "HR00003": "ptb-xl-15709"}


def test_an_unknown_diagnosis_is_no_code(tmp_path: Path) -> None:
    for number, dx in enumerate(("#Dx: ", "#Dx: NaN", "#Dx: Unknown", "#Rx: Unknown")):
        write_record(tmp_path / f"E{number:05d}", (dx,))
    assert [CORPUS.read(entry).codes for entry in CORPUS.find(tmp_path)] == [()] * 4


def test_a_label_given_twice_counts_once_and_an_unknown_code_stays(tmp_path: Path) -> None:
    write_record(tmp_path / "E00001", ("#Dx: 284470004,284470004,123",))
    (recording,) = map(CORPUS.read, CORPUS.find(tmp_path))
    assert [code.code for code in recording.codes] == ["284470004", "123"]
    assert recording.concepts == {"284470004"}
