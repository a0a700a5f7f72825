"""Errors that tell a person what to mend: the file, the field, what was expected and what was found."""

from __future__ import annotations

from pathlib import Path
from typing import Any


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
        super().__init__(one_line(f"{self.path.name}: {field}: expected {expected}, got {shown}"))

    def __reduce__(self) -> tuple[Any, ...]:
        # Errors travel between processes, where `found` itself may not: the copy holds what was shown of it.
        return _restored, (type(self), str(self)), {**self.__dict__, "found": repr(self.found)}


def _restored(kind: type[RecordError], message: str) -> RecordError:
    """The error as it was raised; the fields follow as its state."""
    return kind.__new__(kind, message)


def one_line(text: str) -> str:
    """The text with line breaks and other control characters shown as escapes: what a file says moves no terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in text)


class CorpusError(BiosigError):
    """A corpus folder that does not look like the corpus it is said to be."""


class StoreError(BiosigError):
    """A store that is damaged, half-written or of another version."""
