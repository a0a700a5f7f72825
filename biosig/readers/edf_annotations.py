"""The annotations of EDF+ and BDF+: when each data record begins, and what happens when."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float64, UInt8

from biosig.errors import RecordError
from biosig.readers.edf_header import ANNOTATIONS, EdfHeader
from biosig.recording import Event

# A time-stamped annotation list: onset, duration, then texts that each end with \x14; a NUL ends the list.
_STAMP = re.compile(rb"([+-]\d{1,12}(?:\.\d{0,12})?)(?:\x15(\d{1,12}(?:\.\d{0,12})?))?\x14")


def read_edf_annotations(path: Path, header: EdfHeader) -> tuple[Float64[np.ndarray, " record"], list[Event]]:
    """When each data record begins, and the events; both in seconds after the first record.

    A text `name@@channel` becomes the code `name` with the channel as its text.

    Raises:
        RecordError: If a data record does not begin with the time it should (EDF+ files only).
    """
    columns = _columns(path, header)
    onsets = np.arange(len(columns[0]) if columns else 0) * header.seconds
    if not columns:
        return onsets, []
    for number, cell in enumerate(columns[0]):
        stamp = _STAMP.match(cell.tobytes())
        if stamp:
            onsets[number] = float(stamp[1])
        elif header.interrupted:
            raise RecordError(path, f"data record {number + 1}: onset", "a time stamp", cell[:16].tobytes())
    start = float(onsets[0])
    events = [event for column in columns for event in _events(column.tobytes(), start)]
    return onsets - start, sorted(events, key=lambda event: event.onset)


def _columns(path: Path, header: EdfHeader) -> list[UInt8[np.ndarray, "record byte"]]:
    """The bytes of each annotation channel, a row a data record."""
    n_records = header.n_records
    if n_records < 0:
        n_records = (path.stat().st_size - header.n_bytes) // header.record_bytes
    shape = (n_records, header.record_bytes)
    content = np.memmap(path, dtype=np.uint8, mode="r", offset=header.n_bytes, shape=shape)
    columns, at = [], 0
    for signal in header.signals:
        end = at + signal.samples * header.sample_bytes
        if signal.label in ANNOTATIONS:
            columns.append(np.array(content[:, at:end]))
        at = end
    return columns


def _events(content: bytes, start: float) -> list[Event]:
    events = []
    for tal in content.split(b"\0"):
        if stamp := _STAMP.match(tal):
            onset, duration = float(stamp[1]) - start, float(stamp[2] or 0)
            for text in filter(None, tal[stamp.end() :].split(b"\x14")):
                code, _, channel = _decoded(text).partition("@@")
                events.append(Event(onset=onset, duration=duration, code=code, text=channel))
    return events


def _decoded(text: bytes) -> str:
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError:  # older writers
        return text.decode("latin-1")
