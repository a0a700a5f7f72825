"""Which reader a file is for: by its extension, by what lies beside it, by its first bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from biosig.errors import RecordError
from biosig.readers.base import READERS
from biosig.recording import Recording

# Longer than any signature.
_HEAD = 128


def read(path: str | Path, **options: Any) -> Recording:
    """Read a recording of any known format; `READERS` lists them.

    Args:
        path: Any file of the recording, or its name without extension.
        **options: For the format's own reader (`annotations=("atr",)` for WFDB).

    Raises:
        RecordError: If there is no such file, no reader for it, or it cannot be read as it is.

    Example:
        >>> recording = read("mitdb/100", annotations=["atr"])
        >>> recording.pick(["MLII"]).signal.shape
        (1, 650000)
    """
    name, file = choose(Path(path))
    return READERS[name].read(file, **options)


def choose(path: Path) -> tuple[str, Path]:
    """The name of the reader, and the file to give it.

    Raises:
        RecordError: If no reader, or more than one, would take the path.
    """
    if not path.is_file():
        return _beginning_with(path)
    own = [name for name in READERS if _ends(path, READERS[name].extensions)]
    signed = _signed(path)
    if own and (own[0] in signed or not signed):
        return own[0], path
    if signed:
        return signed[0], path
    companion_of = [name for name in READERS if _ends(path, READERS[name].companions)]
    for name in companion_of:
        for extension in READERS[name].extensions:
            if (leader := path.with_suffix(extension)).is_file():
                return name, leader
    if companion_of:
        expected = " or ".join(f"a {READERS[name].extensions[0]} file" for name in companion_of)
        raise RecordError(path, "file", f"{expected} beside it", "none")
    known = " ".join(extension for name in READERS for extension in READERS[name].extensions)
    raise RecordError(path, "extension", f"one of {known}", path.suffix)


def _ends(path: Path, extensions: tuple[str, ...]) -> bool:
    return path.name.lower().endswith(extensions)


def _signed(path: Path) -> list[str]:
    """The readers whose signature the file begins with."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return [name for name in READERS if (magic := READERS[name].magic) and magic.match(head)]


def _beginning_with(path: Path) -> tuple[str, Path]:
    """The one recording whose file is the path with an extension."""
    # `.` and `/` have no name that could have an extension.
    found = {
        file: name
        for name in READERS
        for extension in READERS[name].extensions
        if path.name and (file := path.with_name(path.name + extension)).is_file()
    }
    if len(found) == 1:
        return next((name, file) for file, name in found.items())
    if path.is_dir() and not found:
        raise RecordError(path, "file", "a recording", "a folder (`biosig prepare` makes a store of one)")
    there = ", ".join(file.name for file in found) or "none"
    raise RecordError(path, "file", "one recording of that name", there)
