"""Tables that lie beside the recordings of a corpus, read a row at a time so that one bad row stays one bad row."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

from biosig.errors import CorpusError

Row = dict[str, str]


def locate(source: Path, name: str) -> Path | None:
    """The table of this name in the folder or one folder below it, if there is one."""
    return next((path for path in (source / name, *sorted(source.glob(f"*/{name}"))) if path.is_file()), None)


def rows(path: Path, columns: tuple[str, ...], delimiter: str = ",") -> Iterator[tuple[str, Row | None]]:
    """Where a row is (`row 7`, counted from the first one after the names), and its cells by column.

    A row with fewer or more cells than there are columns is `None`: what its cells mean is anyone's guess.

    Args:
        path: A comma-separated file with the names of the columns in its first row.
        columns: Those it must have.
        delimiter: Instead of the comma; with tabs, a quotation mark is a letter like any other.

    Raises:
        CorpusError: If a column is missing, or the file is no table.
    """
    # A byte that is not UTF-8 spoils its own cell only.
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        reader = csv.reader(
            file, delimiter=delimiter, quoting=csv.QUOTE_NONE if delimiter == "\t" else csv.QUOTE_MINIMAL
        )
        try:
            names = next(reader, [])
            if lost := [column for column in columns if column not in names]:
                # Whatever stands there, on one line.
                found = " ".join(", ".join(names).split())[:200] or "no columns"
                raise CorpusError(f"{path}: expected a column {lost[0]!r}, found {found}")
            for number, cells in enumerate(reader, start=1):
                if cells:
                    yield f"row {number}", dict(zip(names, cells, strict=True)) if len(cells) == len(names) else None
        except csv.Error as error:
            raise CorpusError(f"{path}: line {reader.line_num}: expected comma-separated text: {error}") from None
