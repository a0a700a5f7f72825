"""Cells of a workbook, written by hand as the standard has it."""

from __future__ import annotations

import zipfile
from pathlib import Path
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig.corpora.spreadsheet import MAX_BYTES, cells
from biosig.errors import CorpusError

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def letters(column: int) -> str:
    """The name of a column, counted on fingers."""
    names = [""]
    while len(names) <= column + 1:
        names += [name + chr(letter) for name in names if len(name) == len(names[-1]) for letter in range(65, 91)]
    return names[column + 1]


def write_xlsx(path: Path, rows: list[list[object]], *, inline: bool = False) -> None:
    """A workbook with one sheet: texts shared or in their cells, numbers as numbers, nothing for an empty text."""
    shared: list[str] = []
    lines = []
    for number, row in enumerate(rows, start=1):
        found = []
        for column, value in enumerate(row):
            place = f"{letters(column)}{number}"
            if isinstance(value, str) and value and inline:
                found.append(f'<c r="{place}" t="inlineStr"><is><t>{escape(value)}</t></is></c>')
            elif isinstance(value, str) and value:
                found.append(f'<c r="{place}" t="s"><v>{len(shared)}</v></c>')
                shared.append(value)
            elif not isinstance(value, str):
                found.append(f'<c r="{place}"><v>{value}</v></c>')
        lines.append(f'<row r="{number}">{"".join(found)}</row>')
    with zipfile.ZipFile(path, "w") as archive:
        texts = "".join(f"<si><r><t>{escape(text[:1])}</t></r><r><t>{escape(text[1:])}</t></r></si>" for text in shared)
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{texts}</sst>')
        sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", sheet)


@pytest.mark.parametrize("inline", [False, True])
def test_texts_numbers_and_gaps(inline: bool, tmp_path: Path) -> None:
    rows: list[list[object]] = [["name", "a < b & c"], [], ["", 8, 0.5, "é"], [*[""] * 27, "far"]]
    write_xlsx(tmp_path / "table.xlsx", rows, inline=inline)
    assert cells(tmp_path / "table.xlsx") == [["name", "a < b & c"], ["", "8", "0.5", "é"], [*[""] * 27, "far"]]


TEXTS = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=6)


@given(st.lists(st.lists(st.one_of(TEXTS, st.integers(-99, 99)), min_size=1, max_size=30), max_size=5))
def test_what_was_written_is_read(tmp_path_factory: pytest.TempPathFactory, rows: list[list[object]]) -> None:
    path = tmp_path_factory.mktemp("sheet") / "table.xlsx"
    write_xlsx(path, rows)
    said = [[str(cell) for cell in row] for row in rows]
    trimmed = [row[: max((place + 1 for place, cell in enumerate(row) if cell), default=0)] for row in said]
    assert cells(path) == [row for row in trimmed if row]


def test_what_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    path.write_bytes(b"name,age\n")
    with pytest.raises(CorpusError, match=r"table\.xlsx: expected an Excel workbook"):
        cells(path)
    with pytest.raises(CorpusError, match="expected an Excel workbook"):
        cells(tmp_path / "nowhere.xlsx")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(CorpusError, match="expected an Excel workbook"):
        cells(path)


@pytest.mark.parametrize(
    ("sheet", "message"),
    [
        ('<!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>', "without a document type"),
        ('<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE x [<!ENTITY a "b">]><x/>', "without a document type"),
        (f'<worksheet xmlns="{MAIN}"><row><c r="ZZZ1"><v>1</v></c></row></worksheet>', "at most 1024 columns"),
        (f'<worksheet xmlns="{MAIN}"><row><c t="s"><v>7</v></c></row></worksheet>', "expected an Excel workbook"),
        ("<worksheet>", "expected an Excel workbook"),
        (" " * (MAX_BYTES + 1), "expected at most"),
    ],
)
def test_what_a_hostile_sheet_asks_for_is_refused(sheet: str, message: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "table.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", sheet.encode("utf-16" if "UTF-16" in sheet else "utf-8"))
    with pytest.raises(CorpusError, match=message):
        cells(tmp_path / "table.xlsx")


def test_a_workbook_packed_in_a_way_that_nobody_knows(tmp_path: Path) -> None:
    path = tmp_path / "table.xlsx"
    write_xlsx(path, [["a"]])
    content = bytearray(path.read_bytes())
    at = content.find(b"PK\x01\x02")  # the first entry of the list at the end
    while at >= 0:
        content[at + 10 : at + 12] = b"\x63\0"
        at = content.find(b"PK\x01\x02", at + 1)
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"table\.xlsx: expected an Excel workbook: .*compression"):
        cells(path)
