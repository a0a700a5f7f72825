"""The tables and JSON files that describe a BIDS recording: beside it, or above it by the inheritance principle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from biosig.corpora import tables
from biosig.errors import CorpusError, RecordError

# Says in which frame places are; a recording has none.
_OWN = "space"


def entities(path: Path) -> dict[str, str]:
    """What a name says: `sub-01_task-rest_eeg.edf` -> `{"sub": "01", "task": "rest"}`."""
    parts = path.name.partition(".")[0].split("_")
    return {key: label for key, found, label in (part.partition("-") for part in parts) if found}


def described(path: Path, root: Path, suffix: str, extension: str) -> list[Path]:
    """The files of a kind that apply to a recording, from the dataset's root down to the recording's own folder.

    A file applies if it is in a folder above the recording and has no entity that the recording has not. In one folder
    the one with the most entities comes last.

    References:
        BIDS specification, "The inheritance principle".
    """
    own = set(entities(path).items())
    inner = path.parent.resolve()
    folders = [root, *(root / part for part in _below(inner.relative_to(root.resolve())))]
    found = []
    for folder in folders:
        said = [
            (file, {(key, label) for key, label in entities(file).items() if key != _OWN})
            for file in sorted(folder.glob(f"*{suffix}{extension}"))
            if file.name.removesuffix(extension).rpartition("_")[2] == suffix
        ]
        found += [file for file, names in sorted(said, key=lambda one: len(one[1])) if names <= own]
    return found


def nearest(path: Path, root: Path, suffix: str, extension: str) -> Path | None:
    """The one file of a kind that counts for a recording."""
    return next(reversed(described(path, root, suffix, extension)), None)


def merged(path: Path, root: Path, suffix: str) -> dict[str, Any]:
    """The JSON files of a kind that apply to a recording, the nearer ones over the others.

    Raises:
        RecordError: If one is no JSON object.
    """
    found: dict[str, Any] = {}
    for file in described(path, root, suffix, ".json"):
        try:
            content = json.loads(file.read_text(encoding="utf-8-sig"))
        except (OSError, ValueError, RecursionError) as error:
            raise RecordError(file, "content", "JSON", str(error)) from error
        if not isinstance(content, dict):
            raise RecordError(file, "content", "a JSON object", content)
        found |= content
    return found


def table(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[str, tables.Row]]:
    """Where a row is, and its cells by column; `n/a` is empty.

    Raises:
        RecordError: If a column is missing, or a row has another number of cells.
    """
    try:
        for where, row in tables.rows(path, columns, "\t"):
            if row is None:
                raise RecordError(path, where, "a cell in every column", "fewer or more")
            yield where, {name: cell(value) for name, value in row.items()}
    except CorpusError as error:
        raise RecordError(path, "columns", ", ".join(columns), str(error)) from error
    except OSError as error:
        raise RecordError(path, "file", "a table that can be read", error.strerror) from error


def cell(text: str) -> str:
    """A cell; empty where the dataset says that it is not available."""
    text = text.strip()
    return "" if text.lower() == "n/a" else text


def _below(inner: Path) -> list[Path]:
    """`sub-01/eeg` -> `sub-01`, `sub-01/eeg`."""
    return [folder for folder in reversed([inner, *inner.parents]) if folder != Path()]
