"""What is predicted: a number of each recording, or a time that ends with an event or with the observation."""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float64

from biosig.errors import BiosigError
from biosig.store import Store

#: Numbers that a store may have of each record; all but the age need `biosig prepare --physiology`.
COLUMNS = ("age", "heart_rate", "mean_rr", "sdnn", "rmssd", "qrs_width")
UNITS: Mapping[str, str] = {"age": "years", "heart_rate": "/min"} | dict.fromkeys(COLUMNS[2:], "ms")
_KEYS = ("record", "subject")
_YES, _NO = {"1", "true", "yes"}, {"0", "false", "no"}
_MISSING = {"", "na", "n/a", "nan", "null", "none"}
_NAMED = 3


class Kind(StrEnum):
    """What a target is."""

    REGRESSION = "regression"
    SURVIVAL = "survival"


@dataclass(frozen=True)
class Target:
    """A target of every record of a store.

    Attributes:
        name: Of the column; of survival, of the event.
        kind: A number, or a time to an event.
        unit: Of the number or the time; empty where it is not known.
        values: The number, or the time of event or censoring; NaN where it is not known.
        event: False where censored; of a number, all False.
        remarks: What was wrong with the table, for the reader.
    """

    name: str
    kind: Kind
    unit: str
    values: Float64[np.ndarray, " row"]
    event: Bool[np.ndarray, " row"]
    remarks: tuple[str, ...] = ()

    @property
    def known(self) -> Bool[np.ndarray, " row"]:
        """Which records have it."""
        return ~np.isnan(self.values)


def from_column(store: Store, name: str) -> Target:
    """A number that the store itself has.

    Raises:
        BiosigError: If it has no such column, or nothing in it.
    """
    if name not in COLUMNS:
        raise BiosigError(f"--target: expected one of {', '.join(COLUMNS)}, or a column of a --table, got {name!r}")
    values = store.frame(name)[name].to_numpy(dtype=np.float64)
    values = np.where(np.isfinite(values), values, np.nan)
    if np.isnan(values).all():
        mend = "" if name == "age" else "; prepare it again with --physiology"
        raise BiosigError(f"{store.path}: no record has a known {name}{mend}")
    return Target(name, Kind.REGRESSION, UNITS[name], values, np.zeros(len(values), bool))


def from_table(store: Store, path: Path, column: str, event: str | None = None) -> Target:
    """A column of a CSV file, and for survival the column that says whether the event came.

    The first of the columns `record` and `subject` says whose a line is: one record's, or that of all records of a
    subject. An empty field, `NA` or `nan` is not known, of time or event both. Times are counted from the recording.

    Args:
        store: Whose records.
        path: The file, with a header.
        column: Of numbers.
        event: Of 1 and 0, yes and no, or true and false.

    Raises:
        BiosigError: Naming file, line and column: a column that is not there, a field that is no number, a negative
            time, a name given twice, or a table that knows no record of the store.
    """
    key, lines = _read(path, [column] + ([event] if event else []))
    found: dict[str, tuple[float, bool]] = {}
    for number, line in lines:
        name = line[key].strip()
        if name in found:
            raise BiosigError(f"{path}: line {number}: {key}: {name!r} is there already")
        found[name] = _line(path, number, line, column, event)
    names = [str(name) for name in store.column(key)]
    if not (strange := sorted(found.keys() - set(names))) or len(strange) < len(found):
        chosen = [found.get(name, (math.nan, False)) for name in names]
    else:
        raise BiosigError(
            f"{path}: {key}: expected names of the store ({names[0]}, ...), got {', '.join(strange[:_NAMED])}, ..."
        )
    values = np.array([value for value, _ in chosen])
    happened = np.array([known for _, known in chosen], bool)
    kind = Kind.SURVIVAL if event else Kind.REGRESSION
    unit = column if event else ""
    return Target(event or column, kind, unit, values, happened, _remarks(path.name, key, strange))


def _read(path: Path, columns: Sequence[str]) -> tuple[str, list[tuple[int, dict[str, str]]]]:
    """The key column, and the lines by column, numbered as an editor numbers them."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            header = reader.fieldnames or ()
            lines = [(reader.line_num, line) for line in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BiosigError(f"{path}: expected a CSV file: {error}") from error
    key = next((name for name in _KEYS if name in header), None)
    if key is None:
        raise BiosigError(f"{path}: header: expected a column 'record' or 'subject', got {', '.join(header)[:120]!r}")
    for name in columns:
        if name not in header:
            raise BiosigError(f"{path}: header: expected a column {name!r}, got {', '.join(header)[:120]!r}")
    for number, line in lines:
        if None in line or None in line.values():
            raise BiosigError(f"{path}: line {number}: expected {len(header)} fields")
    return key, lines


def _line(path: Path, number: int, line: Mapping[str, str], column: str, event: str | None) -> tuple[float, bool]:
    """The number, NaN where it is missing, and whether the event came."""
    text = line[column].strip()
    said = "0" if event is None else line[event].strip().lower()
    if text.lower() in _MISSING or said in _MISSING:
        return math.nan, False
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise BiosigError(f"{path}: line {number}: {column}: expected a number, got {text[:40]!r}")
    if event is not None and value < 0:
        raise BiosigError(f"{path}: line {number}: {column}: expected a time of 0 or more, got {text[:40]!r}")
    if said not in _YES | _NO:
        raise BiosigError(f"{path}: line {number}: {event}: expected 1 or 0, got {said[:40]!r}")
    return value, said in _YES


def _remarks(name: str, key: str, strange: Sequence[str]) -> tuple[str, ...]:
    if not strange:
        return ()
    more = f", and {len(strange) - _NAMED:,} more" if len(strange) > _NAMED else ""
    return (f"{name} names {key}s that the store does not have: {', '.join(strange[:_NAMED])}{more}.",)
