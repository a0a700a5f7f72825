"""Files of a corpus that are known by their names."""

from __future__ import annotations

import re
from pathlib import Path

from biosig.corpora import headers
from biosig.corpora.base import folder
from biosig.errors import CorpusError


def named(source: Path, corpus: str, expected: str, pattern: re.Pattern[str]) -> list[tuple[re.Match[str], Path, str]]:
    """The files below a folder whose whole name matches, sorted by path.

    Args:
        source: The folder; sub-folders count.
        corpus: Its name, for the message.
        expected: What should be there, for the message.
        pattern: Of the name of a file, without folders.

    Returns:
        The match, the file, and its path relative to the folder.

    Raises:
        CorpusError: If there is no such file.
    """
    source = folder(source, corpus, expected)
    found = [
        (match, path, path.relative_to(source).as_posix())
        for path in headers.walk(source, ("",))
        if (match := pattern.fullmatch(path.name))
    ]
    if not found:
        raise CorpusError(f"{source}: expected {expected} for the corpus {corpus!r}, found none")
    return found
