"""The PTB-XL table is someone else's text: what it may hold, and what happens to the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from biosig.corpora import CORPORA, ptbxl
from biosig.errors import CorpusError, RecordError
from biosig.recording import Recording
from tests.biosig.corpora.synthetic import ptbxl_table, write_record

TABLE = "ptbxl_database.csv"


def read_row(folder: Path, row: dict[str, str]) -> Recording:
    (folder / TABLE).write_text(ptbxl_table({}, row))
    write_record(folder / "records500/00000/00002_hr")
    (entry,) = CORPORA["ptb-xl"].find(folder)
    return CORPORA["ptb-xl"].read(entry)


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch owned')",
        "{'NORM': __import__('os').getpid()}",
        "{'NORM': 100.0",
        "{'NORM': True}",
        "{'NORM': '100'}",
        "{'NORM': None}",
        "{'NORM': -1.0}",
        "{'NORM': 101.0}",
        "{'NORM': 1e999}",
        "{'NORM': 1j}",
        "{1: 100.0}",
        "{'': 100.0}",
        "{'NORM'}",
        "['NORM']",
        "{'NORM': 1e999 - 1e999}",
        "",
        "nan",
        "{'a': " * 90 + "1" + "}" * 90,
        "(" * 5000 + ")" * 5000,
        "{" + ", ".join(f"'S{number}': 1.0" for number in range(2000)) + "}",
        "{'NORM': 1.0}\0",
    ],
)
def test_codes_that_are_no_codes(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RecordError, match=rf"{TABLE}: row 2, scp_codes: expected a literal \{{statement: likelihood"):
        read_row(tmp_path, {"scp_codes": text})
    assert not (tmp_path / "owned").exists()


def test_codes_keep_their_order_and_likelihood(tmp_path: Path) -> None:
    codes = read_row(tmp_path, {"scp_codes": "{'SR': 0.0, 'LVH': 50, 'NORM': 100.0}"}).codes
    assert [(code.code, code.likelihood) for code in codes] == [("SR", 0.0), ("LVH", 50.0), ("NORM", 100.0)]


@pytest.mark.parametrize(
    ("axis", "ids"), [("LAD", {"39732003"}), (" ALAD ", {"39732003"}), ("RAD", {"47665007"}), ("MID", set())]
)
def test_the_axis_is_a_code_where_the_table_says_it(axis: str, ids: set[str], tmp_path: Path) -> None:
    recording = read_row(tmp_path, {"scp_codes": "{'SR': 0.0}", "heart_axis": axis})
    assert [(code.system, code.code) for code in recording.codes] == [("scp-ecg", "SR"), ("ptb-xl-axis", axis.strip())]
    assert recording.concepts == {"426783006", *ids}


def test_no_axis_no_code(tmp_path: Path) -> None:
    recording = read_row(tmp_path, {"scp_codes": "{'SR': 0.0}", "heart_axis": ""})
    assert [code.system for code in recording.codes] == ["scp-ecg"]


def test_no_codes_at_all(tmp_path: Path) -> None:
    assert read_row(tmp_path, {"scp_codes": "{}"}).codes == ()


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("patient_id", ""),
        ("patient_id", "15709.5"),
        ("patient_id", "-3.0"),
        ("patient_id", "anna"),
        ("patient_id", "inf"),
        ("patient_id", "1e300"),
        ("strat_fold", "11"),
        ("strat_fold", "0"),
        ("strat_fold", ""),
        ("age", "301"),
        ("age", "-5"),
        ("age", "old"),
        ("age", "inf"),
        ("sex", "2"),
        ("sex", "female"),
    ],
)
def test_a_bad_cell_names_its_row_and_column(column: str, text: str, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=f"{TABLE}: row 2, {column}: expected .*, got {text!r}"):
        read_row(tmp_path, {column: text})


@pytest.mark.parametrize(
    ("text", "age"), [("56.0", 56.0), ("300.0", 90.0), ("", None), ("nan", None), ("0", 0.0), ("95", 95.0)]
)
def test_ages(text: str, age: float | None, tmp_path: Path) -> None:
    assert read_row(tmp_path, {"age": text}).meta["age"] == age


def test_a_bad_row_is_skipped_and_the_others_stay(tmp_path: Path) -> None:
    good = ptbxl_table({}, {}, {}).splitlines()
    damaged = [*good[:2], good[2] + ",one cell more", good[3].replace('"3"', '"three"', 1), "too,few", '"4"']
    (tmp_path / TABLE).write_text("\n".join(damaged))
    write_record(tmp_path / "records500/00000/00001_hr")
    found = CORPORA["ptb-xl"].find(tmp_path)
    assert [entry.record_id for entry in found] == ["00001"]
    assert [record for record, _ in found.skipped] == [f"{TABLE} row {number}" for number in (2, 3, 4, 5)]


@pytest.mark.parametrize("place", ["../outside", "/etc/outside", "records500/../../outside", ""])
def test_a_row_cannot_point_outside_the_folder(place: str, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    write_record(tmp_path / "outside")
    write_record(inner / "records500/00000/00001_hr")
    (inner / TABLE).write_text(ptbxl_table({}, {"filename_hr": place}))
    found = CORPORA["ptb-xl"].find(inner)
    assert [entry.record_id for entry in found] == ["00001"]
    assert found.missing == ("00002",)


def test_rows_without_files_are_counted(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text(ptbxl_table(*[{}] * 20))
    write_record(tmp_path / "records500/00000/00007_hr")
    found = CORPORA["ptb-xl"].find(tmp_path)
    assert [entry.record_id for entry in found] == ["00007"]
    assert len(found.missing) == 19
    with pytest.raises(
        CorpusError, match=r"expected ptbxl_database.csv and records100/ .* found none of the 20 signals"
    ):
        CORPORA["ptb-xl-100"].find(tmp_path)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text(ptbxl_table({}).replace("strat_fold", "fold"))
    with pytest.raises(CorpusError, match=r"ptbxl_database.csv: expected a column 'strat_fold', found ecg_id, "):
        CORPORA["ptb-xl"].find(tmp_path)


def test_a_cell_without_end_is_no_crash(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text(ptbxl_table({}) + '"' + "x" * 200_000)
    with pytest.raises(CorpusError, match=r"ptbxl_database.csv: line \d+: expected comma-separated text"):
        CORPORA["ptb-xl"].find(tmp_path)


def test_bytes_that_are_no_text_spoil_one_cell(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_bytes(ptbxl_table({"report": "REPORT"}).encode().replace(b"REPORT", b"vorhof\xfflimmern"))
    write_record(tmp_path / "records500/00000/00001_hr")
    (entry,) = CORPORA["ptb-xl"].find(tmp_path)
    assert CORPORA["ptb-xl"].read(entry).report == "vorhof\ufffdlimmern"


def test_patients_of_the_table(tmp_path: Path) -> None:
    assert ptbxl.patients(tmp_path) == {}
    (tmp_path / TABLE).write_text("ecg_id,patient_id\n1,15709.0\nx,1.0\n3,\n4,7.0\n")
    assert ptbxl.patients(tmp_path) == {"00001": "15709", "00004": "7"}


def test_what_the_full_table_names_and_the_folder_lacks_is_counted(tmp_path: Path) -> None:
    (tmp_path / TABLE).write_text(ptbxl_table(*[{}] * 21_837))
    write_record(tmp_path / "records500/00000/00001_hr")
    found = CORPORA["ptb-xl"].find(tmp_path)
    assert (len(found), len(found.missing)) == (1, 21_836)
