"""A recording of any format, with the annotations of PhysioNet where they lie beside it."""

from __future__ import annotations

from pathlib import Path

from biosig.readers.choose import choose, read
from biosig.recording import Recording

_ANNOTATOR = "atr"


def read_with_annotations(path: Path) -> Recording:
    """Read a recording; a WFDB record with the events of its reference annotator `atr`, if there is such a file."""
    name, file = choose(path)
    beside = name == "wfdb" and file.with_suffix(f".{_ANNOTATOR}").is_file()
    return read(path, annotations=(_ANNOTATOR,)) if beside else read(path)
