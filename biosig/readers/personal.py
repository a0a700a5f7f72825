"""Who a file says was recorded, by whom and when: fields that readers leave out, and finding them again in free text.

No reader keeps any of them. `prepare` counts them by name, and takes what they say out of the texts it does keep.
"""

from __future__ import annotations

import os
import re
import struct
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from biosig.errors import RecordError
from biosig.readers.base import MAX_HEADER_BYTES
from biosig.readers.choose import choose
from biosig.readers.library import refusing
from biosig.readers.matlab import read_matlab

#: What stands where a personal value stood.
REMOVED = "[removed]"

_STATED = re.compile(r"[#;\s]*<?([A-Za-z][A-Za-z ./_-]{0,40}?)>?\s*[:=]\s*(\S.*)")
# `Subject` alone is a code of the corpus.
_PERSONAL = re.compile(
    r"\b(?:name|surname|patient|birth\w*|dob|address|street|phone|telephone|e-?mail|mrn|ssn|insurance|hospital|clinic"
    r"|physician|doctor|technician|operator|experimenter|nurse)\b",
    re.IGNORECASE,
)
_DATE = re.compile(r"\b\d{1,2}/\d{1,2}/\d{4}\b")
# Parts of the same texts that tell of no one.
_NOBODY = frozenset({"sex", "startdate", "equipment"})
_UNKNOWN = frozenset({"", "x", "nan", "none", "unknown", "n/a", "na", "?", "anonymous", "mne_anonymize"})
# What stands where EDF writers know no date.
_NO_DATE = frozenset({"01.01.85", "00.00.00", ""})
# Words of the fields that are nobody's name, and would take labels with them.
_NO_NAMES = frozenset(
    (
        *("male", "female", "unknown", "anonymous", "anonymized", "anonymised", "anonymize", "subject", "patient"),
        *("record", "recording", "sleep", "startdate", "test", "control", "doctor", "nurse", "technician", "operator"),
        *("left", "right", "rest", "stimulus", "normal", "sinus", "rhythm", "telemetry"),
    )
)
_NAMES = frozenset({"name", "patient", "technician", "operator", "physician", "experimenter", "referral"})
_SHORTEST_NAME, _SHORTEST_CODE, _LONGEST_NAME = 4, 5, 6


@dataclass(frozen=True)
class Personal:
    """What a file says of people.

    Attributes:
        fields: Value by the name of the field, only those that say something.
    """

    fields: Mapping[str, str] = field(default_factory=dict)

    def scrub(self, text: str) -> str:
        """The text without the values, and without each word of a name."""
        return pattern.sub(REMOVED, text) if text and (pattern := self._pattern()) else text

    def _pattern(self) -> re.Pattern[str] | None:
        said: set[str] = set()
        for name, value in self.fields.items():
            words = re.findall(r"[^\W\d_]+", value)
            telling = [word for word in words if word.lower() not in _NO_NAMES]
            # A longer text is a description, whose words are everyone's.
            if len(telling) <= _LONGEST_NAME and name.split()[-1] in _NAMES:
                said.update(word for word in telling if len(word) >= _SHORTEST_NAME)
            # A value that is one word of everyday may be anything.
            if len(value) >= _SHORTEST_CODE and (telling or not words):
                said.update((value, value.replace("_", " ")))
        longest_first = "|".join(re.escape(text) for text in sorted(said, key=lambda one: (-len(one), one)))
        return re.compile(rf"(?<![^\W_])(?:{longest_first})(?![^\W_])", re.IGNORECASE) if said else None


def personal(path: str | Path) -> Personal:
    """What the header of a recording says of the person, of who recorded, and of the day.

    EDF, BDF, GDF, WFDB, BrainVision, EEGLAB, FIF, KIT, Neuroscan and EGI files are looked at; of any other, and of what
    cannot be read, nothing is known.
    """
    with suppress(RecordError, OSError):
        name, file = choose(Path(path))
        if (look := _LOOKS.get(name)) is not None:
            with refusing(file):
                found = {key: " ".join(str(value).split()) for key, value in look(file)}
            return Personal({key: value for key, value in found.items() if key not in _NOBODY and _says(value)})
    return Personal()


def _says(value: str) -> bool:
    return value.lower() not in _UNKNOWN and bool(value.strip("0"))


def is_personal(line: str) -> bool:
    """Whether a line of comment is of the form `name: value` with the name of a personal field."""
    return bool((said := _STATED.match(line)) and _PERSONAL.search(said[1]))


_Found = Iterable[tuple[str, object]]


def _head(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        # Room for what there is: reserving megabytes takes longer than reading a header.
        return file.read(min(size, os.fstat(file.fileno()).st_size))


def _letters(content: bytes) -> str:
    return content.decode("latin-1").partition("\0")[0].strip()


def _edf(path: Path) -> _Found:
    """Two texts of 80 letters; in EDF+ they have parts, `X` where a part is not known, `_` for a space."""
    head = _head(path, 256)
    patient, recording, date, kind = (_letters(head[a:b]) for a, b in ((8, 88), (88, 168), (168, 176), (192, 236)))
    if kind[:4] in ("EDF+", "BDF+"):
        yield from zip(("patient code", "sex", "birth date", "name"), patient.split(" ", 3), strict=False)
        parts = recording.split(" ", 4)
        names = ("startdate", "start date", "administration code", "technician", "equipment")
        yield from zip(names, parts if parts[0] == "Startdate" else [], strict=False)
    else:
        yield from (("patient", patient), ("recording", recording))
    if date not in _NO_DATE:
        yield "start date", date


def _gdf(path: Path) -> _Found:
    head = _head(path, 256)
    first = head[4:8] < b"1.90"
    yield "patient", _letters(head[8 : 88 if first else 74])
    yield "recording", _letters(head[88 : 168 if first else 152])
    if any(head[168:176]):
        yield "start date", _letters(head[168:184]) if first else head[168:176].hex()
    if not first and any(head[176:184]):
        yield "birth date", head[176:184].hex()


def _stated(text: str) -> _Found:
    for line in text.splitlines():
        if is_personal(line) and (said := _STATED.match(line)):
            yield said[1].strip().lower(), said[2]


def _wfdb(path: Path) -> _Found:
    text = _head(path, MAX_HEADER_BYTES).decode("utf-8", "replace")
    yield from _stated("\n".join(line for line in text.splitlines() if line.startswith("#")))
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    if date := _DATE.search(first):
        yield "start date", date[0]


def _brainvision(path: Path) -> _Found:
    text = _head(path, MAX_HEADER_BYTES).decode("utf-8", "replace")
    yield from _stated(text.partition("[Comment]")[2])
    markers = path.with_suffix(".vmrk")
    if markers.is_file() and (date := re.search(rb"New Segment,.*,(\d{20})\s*$", _head(markers, 2**16), re.MULTILINE)):
        yield "start date", date[1].decode()


def _eeglab(path: Path) -> _Found:
    found = read_matlab(path, ("EEG", "comments"))
    comments = found.get("EEG", found).get("comments", "")
    yield from _stated("\n".join(comments) if isinstance(comments, list) else str(comments))


def _info(opened: Callable[[Path], Any]) -> Callable[[Path], _Found]:
    """Of files whose header MNE reads."""

    def look(path: Path) -> _Found:
        info = opened(path)
        people = info["subject_info"] or {}
        name = " ".join(str(people[part]) for part in ("first_name", "middle_name", "last_name") if people.get(part))
        yield from (("name", name), ("patient code", people.get("his_id") or ""))
        yield from (("birth date", people.get("birthday") or ""), ("experimenter", info["experimenter"] or ""))
        yield "start date", info["meas_date"] or ""

    return look


def _fif_info(path: Path) -> Any:
    import mne  # noqa: PLC0415  slow to import

    return mne.io.read_info(path, verbose="error")


def _kit_info(path: Path) -> Any:
    import mne  # noqa: PLC0415  slow to import

    return mne.io.read_raw_kit(path, preload=False, verbose="error").info


def _neuroscan(path: Path) -> _Found:
    head = _head(path, 900)
    for number, name in enumerate(("patient code", "operator", "physician", "referral", "hospital", "name")):
        yield name, _letters(head[21 + 20 * number : 41 + 20 * number])
    yield "start date", _letters(head[225:235])


def _egi(path: Path) -> _Found:
    year, month, day = struct.unpack_from(">3h", _head(path, 36), 4)
    if year:
        yield "start date", f"{year}-{month}-{day}"


_LOOKS: dict[str, Callable[[Path], _Found]] = {
    "edf": _edf,
    "gdf": _gdf,
    "wfdb": _wfdb,
    "brainvision": _brainvision,
    "eeglab": _eeglab,
    "fif": _info(_fif_info),
    "kit": _info(_kit_info),
    "neuroscan": _neuroscan,
    "egi": _egi,
}
