"""WFDB annotation files: beats, rhythms, waves, as events."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from biosig.errors import RecordError
from biosig.readers.base import inside
from biosig.readers.library import refusing
from biosig.recording import Event

# Symbols whose meaning is in the note: a change of rhythm, and comments.
_RHYTHM = "+"
_END = b"\0\0"
_ANNOTATOR = re.compile(r"\w{1,32}", re.ASCII)


def read_annotations(
    header: Path, annotators: Sequence[str], sampling_rate: float, duration: float
) -> tuple[Event, ...]:
    """The events of the given annotators, in order of time.

    A beat's code is its symbol (`N`, `V`, `p`, `(`). A rhythm's code is its name (`(AFIB`), and it lasts until the
    annotator's next rhythm or the end of the record.

    Args:
        header: The record's header; the annotations lie beside it.
        annotators: Their extensions (`atr`). With more than one, the text of an event begins with the annotator.
        sampling_rate: Frames a second, where the annotation file does not state its own.
        duration: Of the record, in seconds.

    Raises:
        RecordError: If a file is missing, damaged or outside the header's folder.
    """
    events: list[Event] = []
    for annotator in annotators:
        label = annotator if len(annotators) > 1 else ""
        events += _events(header, annotator, label, sampling_rate, duration)
    return tuple(sorted(events, key=lambda event: event.onset))


def _events(header: Path, annotator: str, label: str, sampling_rate: float, duration: float) -> list[Event]:
    if not _ANNOTATOR.fullmatch(annotator):
        raise RecordError(header, "annotator", "letters and digits", annotator)
    path = inside(header, f"{header.stem}.{annotator}", "annotations")
    with refusing(path, "annotations"):
        if not path.read_bytes().endswith(_END):
            raise RecordError(path, "annotations", "an end mark (two zero bytes)", "a file without")
        import wfdb  # noqa: PLC0415  slow to import, and many records have no annotations

        # The name is split where the header's folder ends: a stem may hold dots.
        found = wfdb.rdann(str(path.with_suffix("")), annotator)
        rate = float(found.fs or sampling_rate)
        rows = list(zip(found.sample.tolist(), found.symbol, found.aux_note, strict=True))
    return as_events(path, rows, rate, duration, label)


def as_events(
    path: Path, rows: Iterable[tuple[int, str, str]], rate: float, duration: float, label: str = ""
) -> list[Event]:
    """What one annotator says, as events.

    Args:
        path: Of the annotations, for errors.
        rows: Sample, symbol and note of each.
        rate: Samples a second.
        duration: Of the record, in seconds.
        label: What texts begin with.

    Raises:
        RecordError: If one is outside the record.
    """
    events: list[Event] = []
    rhythm: int | None = None
    for sample, symbol, note in rows:
        if sample < 0 or sample / rate > duration:
            raise RecordError(path, "annotations", f"times within the record's {duration:g} s", sample / rate)
        text = note.strip("\0 \t\r\n")
        event = Event(onset=sample / rate, duration=0.0, code=symbol, text=": ".join(filter(None, (label, text))))
        if symbol == _RHYTHM and text.startswith("("):
            event = replace(event, code=text, text=label)
            if rhythm is not None:
                events[rhythm] = _until(events[rhythm], event.onset)
            rhythm = len(events)
        events.append(event)
    if rhythm is not None:
        events[rhythm] = _until(events[rhythm], duration)
    return events


def _until(event: Event, end: float) -> Event:
    return replace(event, duration=end - event.onset)
