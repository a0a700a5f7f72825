"""WFDB headers as corpora use them: which there are in a folder, and what their comment lines say of the person."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from biosig.corpora.base import Entries, Entry, folder
from biosig.errors import CorpusError, RecordError

_FIELD = re.compile(r"[#\s]*<?([A-Za-z][A-Za-z ]*?)>?\s*:(.*)", re.DOTALL)
_UNKNOWN = frozenset({"", "nan", "none", "unknown", "n/a", "na", "?"})
_SEXES = {"f": "female", "female": "female", "m": "male", "male": "male"}
OLDEST = 130.0
# A damaged header or two must not make a whole folder look foreign.
_HEADERS_TO_ASK = 20
_HEADER_BYTES = 1 << 16


def walk(source: Path, endings: tuple[str, ...]) -> Iterator[Path]:
    """Every file below a folder with one of the endings (given in lower case), sorted; hidden ones are left out."""
    for parent, children, names in os.walk(source):
        children[:] = sorted(child for child in children if not child.startswith("."))
        for name in sorted(names):
            if name.lower().endswith(endings) and not name.startswith("."):
                yield Path(parent, name)


def find(
    source: Path,
    corpus: str,
    expected: str,
    *,
    belongs: Callable[[Path], bool] = lambda _: True,
    says: Callable[[str], bool] = lambda _: True,
) -> Entries:
    """The WFDB records below a folder that are of one corpus.

    Args:
        source: The folder; sub-folders count.
        corpus: Its name, for the message.
        expected: What should be there, for the message.
        belongs: Whether a header is of the corpus, judged by its path alone.
        says: Whether the text of a header is of the corpus; asked of the first few only, one yes is enough.

    Raises:
        CorpusError: If there is no such record.
    """
    source = folder(source, corpus, expected)
    headers = [path for path in walk(source, (".hea",)) if belongs(path)]
    if not any(says(_text(path)) for path in islice(headers, _HEADERS_TO_ASK)):
        found = f"{len(headers)} other WFDB headers" if headers else "no such WFDB header"
        raise CorpusError(f"{source}: expected {expected} for the corpus {corpus!r}, found {found}")
    return Entries(Entry(path.stem, path, {"source": path.relative_to(source).as_posix()}) for path in headers)


def fields(comments: Sequence[str]) -> dict[str, str]:
    """The comment lines of the form `name: value`, in any of the spellings `#Age: 7`, `# Age: 7`, `#<age>: 7`.

    Names are in lower case; the first of two equal names counts.
    """
    found: dict[str, str] = {}
    for comment in comments:
        if match := _FIELD.match(comment):
            found.setdefault(match[1].lower(), match[2].strip())
    return found


def age(path: Path, said: Mapping[str, str], name: str = "age") -> float | None:
    """Years; `None` where the source says it does not know: nothing, a word like `NaN`, or a negative number.

    Raises:
        RecordError: If it is neither that nor an age of a person.
    """
    text = said.get(name, "")
    if text.lower() in _UNKNOWN:
        return None
    try:
        years = float(text)
    except ValueError:
        years = math.inf
    if math.isnan(years) or years < 0:
        return None
    if years > OLDEST:
        raise RecordError(path, name, f"years up to {OLDEST:g}, or NaN", text)
    return years


def sex(path: Path, said: Mapping[str, str], name: str = "sex") -> str | None:
    """`female`, `male`, or `None` where the source says it does not know.

    Raises:
        RecordError: If it is another word.
    """
    text = said.get(name, "").lower()
    if text in _UNKNOWN:
        return None
    try:
        return _SEXES[text]
    except KeyError:
        raise RecordError(path, name, "F, M, female, male or unknown", text) from None


def listed(text: str) -> list[str]:
    """The items of a comma-separated value; empty and unknown ones are left out."""
    return [item for item in (part.strip() for part in text.split(",")) if item.lower() not in _UNKNOWN]


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_HEADER_BYTES).decode("latin-1")
    except OSError:
        return ""
