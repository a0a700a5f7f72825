"""One recording as one row of a store: what is kept of it besides its samples."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int16

from biosig.corpora.base import Corpus, Entry
from biosig.errors import RecordError
from biosig.physiology import NO_BEATS, UNKNOWN, Beats, beats, summary
from biosig.preprocess import Preprocessing
from biosig.quality import flags
from biosig.readers import Personal, personal
from biosig.recording import Event, Recording
from biosig.splits import hashed_fold
from biosig.store.fingerprint import fingerprint
from biosig.store.quantise import quantise

# Columns of their own, or of no use without the source's file.
_BLOCK = 1 << 20
# What no source calls an event of its own.
_PEAK = "biosig R peak"
_KEPT_ELSEWHERE = frozenset({"age", "sex", "fold", "sub_corpus", "source", "flags", "comments"})


def make(
    corpus: Corpus,
    entry: Entry,
    source: Path,
    preprocessing: Preprocessing,
    *,
    statistics: bool,
    keep_personal: bool = False,
) -> tuple[dict[str, Any], list[list[Any]], Int16[np.ndarray, "channel time"]]:
    """Read a record and turn it into its row, its events and its integers.

    The row is plain JSON; its place in a shard comes later. With `statistics` it has `beats` too, on the clock of the
    samples. Quality, fingerprint and rhythm are those of the recording
    as it came; the samples are preprocessed. What a step of preprocessing finds is noted too: its flags and its facts.
    `personal` are the names of the personal fields of the file, for counting; what they say is taken out of the texts,
    or, with `keep_personal`, added to the meta.

    Raises:
        RecordError: If nothing is left to store. Readers and corpora raise what they raise.
    """
    recording = corpus.read(entry)
    found_beats = beats(recording) if statistics else NO_BEATS
    ready, marks = _apart(preprocessing.apply(_marked(recording, found_beats)))
    who = personal(entry.path)
    row = _facts(corpus, entry, ready, kept=who.fields if keep_personal else {})
    row["quality"] = tuple(sorted({*flags(recording), *map(str, ready.meta.get("flags", ()))}))
    found = fingerprint(recording)
    row["fingerprint"] = found.hex() if found else None
    row |= summary(found_beats) if statistics else UNKNOWN
    if statistics:
        row["beats"] = [[mark.onset, _known(found_beats.qrs_widths[mark.trial or 0])] for mark in marks]
    row["source"], row["source_sha256"] = _provenance(entry, recording, source)
    if 0 in ready.signal.shape:
        raise RecordError(entry.path, "signal", "at least one channel and one sample", ready.signal.shape)
    samples, step = quantise(ready.signal)
    row |= {
        "channels": [_text(name) for name in ready.channels],
        "modality": ready.modality,
        "samples": ready.n_times,
        "sampling_rate": ready.sampling_rate,
        "step": _floats(step),
    }
    events = [
        [
            _finite(entry, "onset", e.onset),
            _finite(entry, "duration", e.duration),
            *map(_text, (e.code, e.text, e.stimulus)),
            e.trial,
        ]
        for e in ready.events
    ]
    row["personal"] = sorted(who.fields)
    if not keep_personal:
        row["personal"] += _scrub(who, row, events)
    return row, events, samples


def _scrub(who: Personal, row: dict[str, Any], events: list[list[Any]]) -> list[str]:
    """Take out of the texts of a record what its file's personal fields say; where there was any, in words."""
    found = []
    for name in ("report", "meta"):
        clean = who.scrub(row[name])
        if clean != row[name]:
            row[name] = clean
            found.append(f"words in the {name}")
    for event in events:
        clean_code, clean_text = map(who.scrub, event[2:4])
        if [clean_code, clean_text] != event[2:4]:
            event[2:4] = clean_code, clean_text
            found.append("words in events")
    # A corpus that names its records after people does so in every table of its own: said, and left.
    if any(who.scrub(row[name]) != row[name] for name in ("record", "subject")):
        found.append("name of the record or subject (kept)")
    return list(dict.fromkeys(found))


def _facts(corpus: Corpus, entry: Entry, recording: Recording, *, kept: Mapping[str, str]) -> dict[str, Any]:
    meta = recording.meta
    # A corpus that names no person says that every record is one.
    subject = _text(recording.subject_id or entry.record_id)
    fold = meta.get("fold")
    rest = {str(key): meta[key] for key in sorted(meta, key=str) if key not in _KEPT_ELSEWHERE}
    if kept:
        rest["personal"] = {name: _text(value) for name, value in sorted(kept.items())}
    return {
        "record": _text(entry.record_id),
        "subject": subject,
        "session": _text(recording.session),
        "corpus": corpus.name,
        "sub_corpus": _text(meta.get("sub_corpus") or ""),
        "codes": [[_text(code.system), _text(code.code), _known(code.likelihood)] for code in recording.codes],
        "concepts": sorted(map(_text, recording.concepts)),
        "report": _text(recording.report),
        "fold": hashed_fold(corpus.name, subject) if fold is None else _fold(entry, fold),
        "official": fold is not None,
        "age": _known(meta.get("age")),
        "sex": _text(meta["sex"]) if meta.get("sex") else None,
        "meta": json.dumps(rest, default=str),
    }


def _marked(recording: Recording, found: Beats) -> Recording:
    """The recording with its beats among the events: what a step does to the clock of events, it does to theirs."""
    marks = (Event(float(onset), 0.0, _PEAK, trial=number) for number, onset in enumerate(found.peaks))
    return replace(recording, events=(*recording.events, *marks)) if len(found.peaks) else recording


def _apart(recording: Recording) -> tuple[Recording, list[Event]]:
    """The recording without the marks of `_marked`, and these."""
    marks = [event for event in recording.events if event.code == _PEAK]
    if not marks:
        return recording, marks
    return replace(recording, events=tuple(event for event in recording.events if event.code != _PEAK)), marks


def _text(value: Any) -> str:
    """What UTF-8 can hold: text of a damaged file may hold halves of characters, which no table takes."""
    return str(value).encode("utf-8", "replace").decode("utf-8")


def _fold(entry: Entry, value: Any) -> int:
    if int(value) != value or not 0 <= value < 2**31:
        raise RecordError(entry.path, "fold", "a small whole number", value)
    return int(value)


def _known(value: Any) -> float | None:
    return None if value is None or not math.isfinite(float(value)) else float(value)


def _finite(entry: Entry, field: str, value: float) -> float:
    if not math.isfinite(value):
        raise RecordError(entry.path, f"event {field}", "seconds", value)
    return float(value)


def _floats(step: Float32[np.ndarray, " channel"]) -> list[float]:
    return [float(value) for value in step]


def _provenance(entry: Entry, recording: Recording, source: Path) -> tuple[str, str | None]:
    """The record's file, as the corpus names it, and its digest; None where there is no file."""
    name = entry.meta.get("source") or recording.meta.get("source")
    if not name:
        name = entry.path.relative_to(source) if entry.path.is_relative_to(source) else entry.path.name
    if not entry.path.is_file():
        return _text(name), None
    stat = entry.path.stat()
    return _text(name), _digest(entry.path, stat.st_size, stat.st_mtime_ns)


# Some files hold many records, which follow each other.
@lru_cache(maxsize=4)
def _digest(path: Path, _size: int, _mtime: int) -> str:
    found = hashlib.sha256()
    for part in (path, *_signal_files(path)):
        with part.open("rb", buffering=0) as file:
            left = os.fstat(file.fileno()).st_size
            # A read that asks for much more than there is spends its time on memory that it does not need.
            while block := file.read(min(left, _BLOCK) + 1):
                found.update(block)
                left = max(left - len(block), 0)
    return found.hexdigest()


def _signal_files(path: Path) -> list[Path]:
    """The files beside a WFDB header that it names, each once, in its order."""
    if path.suffix != ".hea":
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    names = [line.split(maxsplit=1)[0] for line in lines if line.strip() and not line.startswith("#")][1:]
    plain = [name for name in dict.fromkeys(names) if "/" not in name and "\\" not in name and name not in (".", "..")]
    return [file for file in map(path.with_name, plain) if file.is_file()]


def as_columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the table wants it, from its JSON; what else is known of it is not for the table."""
    keys = ("system", "code", "likelihood")
    columns = {name: value for name, value in row.items() if name not in {"official", "beats", "personal"}}
    columns["codes"] = [dict(zip(keys, code, strict=True)) for code in row["codes"]]
    columns["fingerprint"] = bytes.fromhex(row["fingerprint"]) if row["fingerprint"] else None
    return columns
