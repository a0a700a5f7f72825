"""Where a grade stands, and what happens when two places disagree."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosig.corpora import CORPORA
from biosig.errors import RecordError
from tests.biosig.corpora.synthetic import write_record

CORPUS = CORPORA["cinc2011"]


def grades(folder: Path) -> dict[str, list[str]]:
    return {entry.record_id: [code.code for code in CORPUS.read(entry).codes] for entry in CORPUS.find(folder)}


def test_the_lists_of_the_original(tmp_path: Path) -> None:
    for record in ("1002603", "1002867", "1005639"):
        write_record(tmp_path / "set-a" / record)
    (tmp_path / "set-a" / "RECORDS-acceptable").write_text("1002867\n1009999\n")
    (tmp_path / "set-a" / "RECORDS-unacceptable").write_text("1002603\n")
    assert grades(tmp_path) == {"1002603": ["unacceptable"], "1002867": ["acceptable"], "1005639": []}
    assert CORPUS.find(tmp_path).missing == ("1009999",)


@pytest.mark.parametrize("spelling", ["# Quality: acceptable", "#Quality: Acceptable", "# quality : acceptable"])
def test_header_and_table_agree(spelling: str, tmp_path: Path) -> None:
    write_record(tmp_path / "1002603", (spelling,))
    (tmp_path / "quality.csv").write_text("record,quality\n1002603,acceptable\n")
    assert grades(tmp_path) == {"1002603": ["acceptable"]}


def test_header_and_table_disagree(tmp_path: Path) -> None:
    write_record(tmp_path / "1002603", ("# Quality: acceptable",))
    (tmp_path / "quality.csv").write_text("record,quality\n1002603,unacceptable\n")
    with pytest.raises(RecordError, match=r"1002603\.hea: quality: .*, got 'acceptable and unacceptable'"):
        grades(tmp_path)


def test_no_grade_of_the_corpus(tmp_path: Path) -> None:
    write_record(tmp_path / "1002603", ("# Quality: splendid",))
    with pytest.raises(RecordError, match=r"quality: expected one of acceptable, .*, got 'splendid'"):
        grades(tmp_path)
