"""The cells of an Excel workbook, for tables that owners distribute as one; formulas and formats are not looked at."""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree as ET
from xml.parsers import expat

from biosig.errors import CorpusError

# A table of people has some kilobytes; what unpacks to more is no such table.
MAX_BYTES = 2**24
_MAX_COLUMNS = 1024
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ET.ParseError, expat.ExpatError)
_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_PLACE = re.compile(r"([A-Z]{1,3})\d{1,7}")


def cells(path: Path) -> list[list[str]]:
    """The rows of the first sheet as texts; an empty cell is an empty text, empty rows are left out.

    Numbers are as the file has them (`8`, `0.5`). Rows may differ in length.

    Raises:
        CorpusError: If the file is no workbook (Office Open XML), is too large, or its XML declares a document type.

    References:
        ECMA-376, Office Open XML file formats, part 1, section 18.3.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            parts = set(archive.namelist())
            shared = _part(path, archive, "xl/sharedStrings.xml") if "xl/sharedStrings.xml" in parts else None
            texts = [] if shared is None else [_joined(item) for item in shared.iter(f"{_MAIN}si")]
            sheet = _part(path, archive, "xl/worksheets/sheet1.xml")
        found = (_row(row, texts) for row in sheet.iter(f"{_MAIN}row"))
        return [row for row in found if any(row)]
    # A way to pack that is not known, or a password, is a RuntimeError; packed data that is damaged has one of its own.
    except (*_DAMAGED, KeyError, IndexError, ValueError, OSError, RuntimeError) as error:
        if isinstance(error, CorpusError):
            raise
        raise CorpusError(f"{path}: expected an Excel workbook: {error}") from None


def _part(path: Path, archive: zipfile.ZipFile, name: str) -> ET.Element:
    with archive.open(name) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise CorpusError(f"{path}: {name}: expected at most {MAX_BYTES} bytes, got more")

    def refuse(*_: object) -> NoReturn:
        raise CorpusError(f"{path}: {name}: expected XML without a document type")

    # Without a document type there are no entities, which could expand without end or reach for files.
    screen = expat.ParserCreate()
    screen.StartDoctypeDeclHandler = refuse
    screen.Parse(content, True)
    return ET.fromstring(content)  # noqa: S314 -- screened above


def _row(row: ET.Element, texts: list[str]) -> list[str]:
    found: dict[int, str] = {}
    for cell in row.iter(f"{_MAIN}c"):
        place = _PLACE.fullmatch(cell.get("r", ""))
        column = _number(place[1]) if place else len(found)
        if column >= _MAX_COLUMNS:
            raise ValueError(f"at most {_MAX_COLUMNS} columns, found {cell.get('r')}")
        value = cell.findtext(f"{_MAIN}v", "")
        kind = cell.get("t", "n")
        if kind == "s" and value:
            value = texts[int(value)]
        elif kind == "inlineStr":
            value = _joined(cell)
        found[column] = value.strip()
    return [found.get(column, "") for column in range(max(found, default=-1) + 1)]


def _joined(element: ET.Element) -> str:
    """A text may be cut into runs of different formats."""
    return "".join(part.text or "" for part in element.iter(f"{_MAIN}t"))


def _number(letters: str) -> int:
    """`A` is 0, `Z` 25, `AA` 26."""
    number = 0
    for letter in letters:
        number = 26 * number + ord(letter) - ord("A") + 1
    return number - 1
