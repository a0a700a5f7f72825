"""DS1 trains, DS2 tests, and nobody does both."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import wfdb

from biosig.corpora import CORPORA, mitdb
from tests.biosig.corpora.synthetic import write_record

CORPUS = CORPORA["mitdb"]


def write(folder: Path, record: str) -> None:
    write_record(folder / record, ("# 69 M 1085 1629 x1",), leads=("MLII", "V1"), rate=360.0)
    wfdb.wrann(record, "atr", np.array([100]), ["N"], fs=360, write_dir=str(folder))


def test_the_split_of_all_48_records(tmp_path: Path) -> None:
    for record in mitdb.DS1 | mitdb.DS2 | mitdb.PACED:
        write(tmp_path, record)
    recordings = [CORPUS.read(entry) for entry in CORPUS.find(tmp_path)]
    assert len(recordings) == 48
    records: dict[str, set[str]] = {}
    people: dict[str, set[str]] = {}
    for recording in recordings:
        role = CORPUS.split.role(recording.meta["fold"])
        records.setdefault(role, set()).add(recording.record_id)
        people.setdefault(role, set()).add(recording.subject_id)
    assert records["test"] == mitdb.DS2
    assert records["unused"] == mitdb.PACED | {"201"}
    assert records["train"] | records["validation"] == mitdb.DS1 - {"201"}
    assert len(records["validation"]) == 3
    assert not people["train"] & people["validation"]
    assert not (people["train"] | people["validation"]) & people["test"]


def test_ds1_and_ds2_are_22_records_each() -> None:
    assert len(mitdb.DS1) == len(mitdb.DS2) == 22
    assert not mitdb.DS1 & mitdb.DS2
    assert not mitdb.PACED & (mitdb.DS1 | mitdb.DS2)
