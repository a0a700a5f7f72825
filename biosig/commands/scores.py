"""A table of scores by concept, such as the predictions of a model."""

from __future__ import annotations

import csv
from pathlib import Path

from biosig.errors import RecordError

_NUMBERS = ("probability", "score")


def read_scores(path: Path, of: str = "") -> tuple[str, dict[str, float]]:
    """The scores of one recording by concept, and the recording's name where the table has one.

    Args:
        path: A CSV with the columns `concept`, `probability` or `score`, and perhaps `file`.
        of: The `file`, or its last part; not needed where there is one.

    Raises:
        RecordError: If a column is missing, a score is not from 0 to 1, a concept occurs twice, or the recording is not
            said.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.DictReader(file))
    except (UnicodeDecodeError, csv.Error) as error:
        raise RecordError(path, "table", "CSV in UTF-8", str(error)) from None
    columns = list(lines[0]) if lines else []
    number = next((name for name in _NUMBERS if name in columns), "")
    if "concept" not in columns or not number:
        raise RecordError(path, "columns", "concept, and probability or score", columns)
    names = list(dict.fromkeys(line.get("file") or "" for line in lines))
    chosen = [name for name in names if of in {name, Path(name).name, Path(name).stem}] if of else names
    if len(chosen) != 1:
        raise RecordError(
            path, "file", f"one of {', '.join(names[:5])} (say which with --of)", of or f"{len(names)} files"
        )
    found: dict[str, float] = {}
    for line in lines:
        if (line.get("file") or "") == chosen[0]:
            concept = line["concept"]
            if concept in found:
                raise RecordError(path, "concept", "each once", concept)
            found[concept] = _score(path, concept, line[number])
    return Path(chosen[0]).stem, found


def _score(path: Path, concept: str, text: str | None) -> float:
    try:
        value = float(text or "")
    except ValueError:
        value = float("nan")
    if not 0 <= value <= 1:
        raise RecordError(path, f"score of {concept}", "a number from 0 to 1", text)
    return value
