"""Errors that tell a person what to mend: the file, the field, what was expected and what was found."""

from __future__ import annotations

from pathlib import Path


class BiosigError(ValueError):
    """Anything wrong with what the user gave us. The command line prints it in one line."""


class RecordError(BiosigError):
    """A recording that cannot be read as it is.

    Args:
        path: The file at fault.
        field: The field of the file, in the format's own words.
        expected: What the field should hold.
        found: What it holds; shown as `repr`, shortened to stay on one line.
    """

    def __init__(self, path: str | Path, field: str, expected: str, found: object) -> None:
        self.path, self.field, self.expected, self.found = Path(path), field, expected, found
        shown = repr(found)
        shown = shown if len(shown) <= 120 else f"{shown[:117]}..."
        super().__init__(f"{Path(path).name}: {field}: expected {expected}, got {shown}")

    def __reduce__(self) -> tuple[type[RecordError], tuple[Path, str, str, str]]:
        # Errors travel between processes, where `found` itself may not.
        return RecordError, (self.path, self.field, self.expected, _Shown(self.found))


class _Shown(str):
    """A value already shown: its `repr` is its text."""

    __slots__ = ()

    def __new__(cls, value: object) -> _Shown:
        return super().__new__(cls, repr(value))

    __repr__ = str.__str__


class CorpusError(BiosigError):
    """A corpus folder that does not look like the corpus it is said to be."""


class StoreError(BiosigError):
    """A store that is damaged, half-written or of another version."""
