"""WFDB records (PhysioNet, the CinC challenges): `.hea` with `.dat` or `.mat`, one segment or many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from biosig.channels import parse_all
from biosig.errors import RecordError
from biosig.readers.base import (
    MAX_HEADER_BYTES,
    READERS,
    Reader,
    check_rate,
    check_size,
    inside,
    microvolts,
    modality_of,
)
from biosig.readers.wfdb_annotations import read_annotations
from biosig.readers.wfdb_header import NO_FILE, Header, Segment, Signal, parse_header
from biosig.readers.wfdb_samples import read_samples
from biosig.recording import Modality, Recording


def read_wfdb(path: str | Path, *, annotations: Sequence[str] = (), modality: Modality | None = None) -> Recording:
    """Read a WFDB record.

    The header is checked by a parser of our own, and `wfdb` sees only what passed it. Plain 16-bit samples, the most
    common, are decoded here; all other formats by `wfdb`. A stated checksum that the samples do not have is told in
    `meta["flags"]` and does not refuse the record.

    Args:
        path: The header, the file with the samples, or the record's name without extension.
        annotations: Annotators to read as events: extensions of files beside the header, like `atr`. With more than
            one, the event's text begins with the annotator's name.
        modality: What a channel with an unknown name measures.

    Returns:
        The recording, voltages in microvolts, channels in the file's order. `meta` holds `source`, `format`,
        `comments`, `flags` and, for channels that hold no voltage, `units`.

    Raises:
        RecordError: If header or samples are not sound, or a file lies outside the header's folder.
    """
    header_path = header_of(Path(path))
    header = _parsed(header_path)
    signals, samples, flags = _joined(header_path, header) if header.segments else _single(header_path, header)
    rate = header.sampling_rate * signals[0].samples_per_frame
    channels = parse_all([signal.description or f"signal {i}" for i, signal in enumerate(signals)], modality)
    foreign = {c.name: s.units for c, s in zip(channels, signals, strict=True) if microvolts(s.units) is None}
    return Recording(
        signal=samples,
        channels=tuple(channel.name for channel in channels),
        sampling_rate=rate,
        modality=tuple(modality_of(channel, foreign.get(channel.name)) for channel in channels),
        record_id=header_path.stem,
        events=read_annotations(header_path, annotations, header.sampling_rate, samples.shape[1] / rate),
        meta={
            "source": header_path.name,
            "format": "wfdb",
            "comments": header.comments,
            "flags": tuple(sorted(flags)),
            **({"units": foreign} if foreign else {}),
        },
    )


def header_of(path: Path) -> Path:
    """The header of a record named by any of its files, or without extension."""
    if path.suffix == ".hea":
        return path
    # A record's name may hold a dot.
    named = path.with_name(f"{path.name}.hea")
    return path.with_suffix(".hea") if path.suffix and not named.is_file() else named


def _parsed(path: Path) -> Header:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_HEADER_BYTES + 1)
    except OSError as error:
        raise RecordError(path, "file", "a header that can be read", error.strerror) from error
    if len(content) > MAX_HEADER_BYTES:
        raise RecordError(path, "file", f"a header of at most {MAX_HEADER_BYTES} bytes", f"{len(content)} or more")
    # Comments may be in any encoding; all else is ASCII.
    try:
        return parse_header(content.decode("utf-8-sig"), path)
    except UnicodeDecodeError:
        return parse_header(content.decode("latin-1"), path)


_Part = tuple[tuple[Signal, ...], Float32[np.ndarray, "channel time"], set[str]]


def _single(path: Path, header: Header) -> _Part:
    return header.signals, *read_samples(path, header)


def _joined(path: Path, header: Header) -> _Part:
    """All segments, one after the other; what a segment does not have is NaN.

    With a fixed layout all segments have the same signals; with a variable layout the first, empty one names them.
    """
    parts = [(segment, *_segment(path, header, i, segment)) for i, segment in enumerate(header.segments, 1)]
    layout = next((part.signals for _, _, part in parts if part), ())
    if len(layout) != header.n_signals:
        raise RecordError(path, "number of signals", f"{len(layout)}, as in the first segment", header.n_signals)
    frame = layout[0].samples_per_frame
    check_rate(path, header.sampling_rate * frame)
    check_size(path, len(layout), (header.n_samples or 0) * frame)
    whole = np.full((len(layout), (header.n_samples or 0) * frame), np.nan, dtype=np.float32)
    start, flags = 0, set[str]()
    for segment, file, part in parts:
        stop = start + segment.n_samples * frame
        if part and stop > start:
            rows = _rows(file, part.signals, layout)
            whole[rows, start:stop], wrong = read_samples(file, replace(part, n_samples=segment.n_samples))
            flags |= wrong
        start = stop
    return layout, whole, flags


def _segment(path: Path, header: Header, number: int, segment: Segment) -> tuple[Path, Header | None]:
    """A segment's file and header; no header for a gap."""
    if segment.name == NO_FILE:
        return path, None
    file = inside(path, f"{segment.name}.hea", f"segment {number}: name")
    part = _parsed(file)
    if part.segments:
        raise RecordError(file, "number of segments", f"none in a segment of {path.name}", len(part.segments))
    if part.sampling_rate != header.sampling_rate:
        raise RecordError(file, "sampling rate", f"{header.sampling_rate:g} as in {path.name}", part.sampling_rate)
    if part.n_samples not in (None, segment.n_samples):
        raise RecordError(file, "number of samples", f"{segment.n_samples} as in {path.name}", part.n_samples)
    return file, part


def _rows(path: Path, signals: tuple[Signal, ...], layout: tuple[Signal, ...]) -> list[int]:
    """Where the signals of a segment belong, by name."""
    names = [signal.description for signal in layout]
    if [signal.description for signal in signals] == names:
        rows = list(range(len(names)))
    else:
        for number, signal in enumerate(signals, 1):
            if names.count(signal.description) != 1:
                expected = f"one of the layout's {', '.join(names)}"
                raise RecordError(path, f"signal {number}: description", expected, signal.description)
        rows = [names.index(signal.description) for signal in signals]
    for number, (signal, row) in enumerate(zip(signals, rows, strict=True), 1):
        known = layout[row]
        if microvolts(signal.units) is None and signal.units != known.units:
            raise RecordError(path, f"signal {number}: units", f"{known.units} as in the layout", signal.units)
        if signal.samples_per_frame != known.samples_per_frame:
            expected = f"{known.samples_per_frame} as in the layout"
            raise RecordError(path, f"signal {number}: samples per frame", expected, signal.samples_per_frame)
    return rows


READERS.add("wfdb", Reader("WFDB (PhysioNet, CinC challenges)", (".hea",), read_wfdb, companions=(".dat", ".mat")))
