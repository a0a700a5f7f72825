"""The active rows of an RF2 file, streamed in blocks of lines, and every line checked."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import compress, repeat
from typing import IO, NoReturn, TypeAlias

import numpy as np
from jaxtyping import Shaped

from ontology.errors import OntologyError
from ontology.identifiers import check_digits, is_snomed
from ontology.rf2_files import Part, Table

Watch: TypeAlias = Callable[[IO[bytes], Part], IO[bytes]]

_BUFFER, _BLOCK = 1 << 20, 1 << 16  # bytes read, and characters split, at once: fields that stay in the cache
_LONGEST = 1 << 16  # characters in a line; the longest terms have a few thousand
_ID, _UUID = r"[1-9][0-9]{5,17}", r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"


@dataclass(frozen=True)
class Rows:
    """Active rows of a file by column.

    Attributes:
        part: The file.
        lines: The number of each row's line.
        columns: The fields by the name of their column.
    """

    part: Part
    lines: Sequence[int]
    columns: dict[str, list[str]]

    def __getitem__(self, column: str) -> list[str]:
        return self.columns[column]

    def refuse(self, row: int, column: str, expected: str) -> NoReturn:
        """Say what is wrong in a row."""
        refuse(self.part, self.lines[row], column, expected, self[column][row])

    def require_ids(self, column: str) -> None:
        """Refuse fields that do not look like SNOMED-CT identifiers."""
        if (row := _first_unlike(_ID, self[column])) is not None:
            self.refuse(row, column, "a SNOMED-CT identifier of 6 to 18 digits")

    def require_one_of(self, column: str, legal: set[str]) -> None:
        """Refuse fields that are none of the legal ones."""
        if not legal.issuperset(self[column]):
            row = next(row for row, field in enumerate(self[column]) if field not in legal)
            self.refuse(row, column, " or ".join(sorted(legal)))


def active_rows(part: Part, table: Table, watch: Watch) -> Iterator[Rows]:
    """The active rows, some thousands at a time; inactive ones are checked too, and passed over.

    The identifiers of all rows are checked together, after the last one: their check digits, and that none comes
    twice, since a snapshot has one row for each.

    Args:
        part: The file.
        table: What kind it is of.
        watch: Wraps the opened file, to see how far it is read.

    Raises:
        OntologyError: If the header or a line is not what RF2 says, or the file is damaged.
    """
    ids, line = _Ids(part, table), 2
    try:
        with part.open() as file, watch(file, part) as watched:
            # Bytes that are not UTF-8 become surrogates, which nothing else does, so that their line can be named.
            text = io.TextIOWrapper(
                io.BufferedReader(watched, _BUFFER),  # type: ignore[type-var]  # a member of a zip can `readinto`
                encoding="utf-8",
                errors="surrogateescape",
            )
            _check_header(part, table, text.readline(_LONGEST))
            while block := text.read(_BLOCK):
                rest = text.readline(_LONGEST)
                if len(rest) >= _LONGEST:
                    refuse(part, line + block.count("\n"), "line", f"less than {_LONGEST} characters", rest)
                rows = _parsed(part, table, line, block + rest)
                line += len(rows.lines)
                ids.add(rows)
                rows.require_one_of("active", {"0", "1"})
                active = [state == "1" for state in rows["active"]]
                yield Rows(
                    part,
                    list(compress(rows.lines, active)),
                    {name: list(compress(fields, active)) for name, fields in rows.columns.items()},
                )
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error, NotImplementedError) as error:
        raise OntologyError(f"{part.name}: cannot be read: {error}") from error
    ids.check()


def refuse(part: Part, line: int, column: str, expected: str, found: str) -> NoReturn:
    """Say what is wrong where."""
    raise OntologyError(f"{part.name}: line {line}: {column}: expected {expected}, got {found[:80]!r}")


def _parsed(part: Part, table: Table, line: int, block: str) -> Rows:
    """The columns of whole lines: every field split at once, after a look that all lines have as many."""
    width = len(table.columns)
    lines = block.removesuffix("\n").split("\n")
    if set(map(str.count, lines, repeat("\t"))) != {width - 1}:
        ragged = next(place for place, text in enumerate(lines) if text.count("\t") != width - 1)
        found = lines[ragged].count("\t") + 1
        refuse(part, line + ragged, table.columns[min(found, width - 1)], f"{width} columns", f"{found} columns")
    if not block.endswith("\n"):
        _check_end(part, table, line + len(lines) - 1, lines[-1])
    fields = "\t".join(lines).split("\t")
    columns = {name: fields[place::width] for place, name in enumerate(table.columns) if name in table.read}
    return Rows(part, range(line, line + len(lines)), columns)


def _check_end(part: Part, table: Table, line: int, text: str) -> None:
    """A last line may lack its end; then its last field, always an identifier, shows whether it is whole."""
    if not is_snomed(last := text.rsplit("\t", maxsplit=1)[-1]):
        refuse(part, line, table.columns[-1], "a SNOMED-CT identifier at the end of the file", last)


def _check_header(part: Part, table: Table, text: str) -> None:
    columns = text.removeprefix("\ufeff").rstrip("\r\n").split("\t")
    for place, expected in enumerate(table.columns):
        if place >= len(columns) or columns[place] != expected:
            found = columns[place] if place < len(columns) else "the end of the line"
            refuse(part, 1, f"column {place + 1}", repr(expected), found)
    if len(columns) > len(table.columns):
        refuse(part, 1, f"column {len(table.columns) + 1}", "the end of the line", columns[len(table.columns)])


def _first_unlike(pattern: str, fields: Sequence[str]) -> int | None:
    """The first field that a pattern does not match, looked for only when it does not match all of them at once."""
    if re.fullmatch(rf"(?:{pattern}\t)*+", "\t".join((*fields, ""))):
        return None
    return next(row for row, field in enumerate(fields) if not re.fullmatch(pattern, field))


class _Ids:
    """The identifiers of a file's rows, 8 or 16 bytes each."""

    def __init__(self, part: Part, table: Table) -> None:
        self._part, self._partitions = part, table.partitions
        self._numbers, self._uuids = array("q"), bytearray()

    def add(self, rows: Rows) -> None:
        if self._partitions:
            rows.require_ids("id")
            self._numbers.extend(map(int, rows["id"]))
        else:
            if (row := _first_unlike(_UUID, rows["id"])) is not None:
                rows.refuse(row, "id", "a UUID")
            self._uuids += bytes.fromhex("".join(rows["id"]).replace("-", ""))

    def check(self) -> None:
        if not self._partitions:
            self._refuse_repeats(np.asarray(self._uuids).view(">u8").reshape(-1, 2).astype(np.uint64))
            return
        numbers = np.asarray(self._numbers)
        payloads, last = np.divmod(numbers, 10)
        wrong = (check_digits(payloads) != last) | ~np.isin(payloads % 100, self._partitions)
        if wrong.any():
            row = int(wrong.argmax())
            partitions = " or ".join(f"{partition:02d}" for partition in self._partitions)
            expected = f"an identifier with partition {partitions} and the right check digit"
            refuse(self._part, row + 2, "id", expected, str(numbers[row]))
        self._refuse_repeats(numbers[:, None])

    def _refuse_repeats(self, keys: Shaped[np.ndarray, "row word"]) -> None:
        order = np.lexsort(keys.T)
        again = np.flatnonzero((keys[order[1:]] == keys[order[:-1]]).all(axis=1))
        if again.size:
            # Equal ones stay in the order of their lines.
            place = again[order[again + 1].argmin()]
            first, second = int(order[place]) + 2, int(order[place + 1]) + 2
            words = keys[order[place]].tolist()
            found = str(words[0]) if self._partitions else f"{words[0]:016x}{words[1]:016x}"
            refuse(self._part, second, "id", "one row for each identifier", f"{found}, which line {first} has too")
