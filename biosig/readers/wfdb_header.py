"""WFDB headers: a strict parser, so that nothing else sees a header that is not sound, and its inverse."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from biosig.errors import RecordError
from biosig.readers.base import check_rate, check_size, is_bare

# Bits a sample takes in the file; None where samples are compressed, 0 where there is no file.
FORMATS: dict[int, float | None] = {0: 0, 8: 8, 16: 16, 24: 24, 32: 32, 61: 16, 80: 8, 160: 16, 212: 12}
FORMATS |= {310: 32 / 3, 311: 32 / 3, 508: None, 516: None, 524: None}
NO_FILE = "~"
DEFAULT_RATE, DEFAULT_GAIN = 250.0, 200.0

_INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_RECORD = re.compile(r"(?P<name>[^/]+)(?:/(?P<segments>.*))?", re.DOTALL)
_RATE = re.compile(r"(?P<rate>[^/()]*)(?:/(?P<counter>[^()]*))?(?:\((?P<base>.*)\))?", re.DOTALL)
_FORMAT = re.compile(
    r"(?P<format>\d{1,4})(?:x(?P<frame>\d{1,6}))?(?::(?P<skew>\d{1,9}))?(?:\+(?P<offset>\d{1,12}))?", re.ASCII
)
_GAIN = re.compile(r"(?P<gain>[^()/]+)(?:\((?P<baseline>[^()]*)\))?(?:/(?P<units>\S{1,64}))?", re.DOTALL)


class Signal(NamedTuple):
    """One signal line, its defaults filled in.

    Attributes:
        file: The file with the samples; `~` where a layout only names the signal.
        format: The WFDB storage format.
        gain: Digital steps a unit.
        baseline: The digital value of physical zero.
        checksum: The sum of all samples modulo 65,536, where stated.
    """

    file: str
    format: int
    samples_per_frame: int = 1
    skew: int = 0
    offset: int = 0
    gain: float = DEFAULT_GAIN
    baseline: int = 0
    units: str = "mV"
    resolution: int = 12
    zero: int = 0
    initial: int | None = None
    checksum: int | None = None
    block_size: int = 0
    description: str = ""


class Segment(NamedTuple):
    """One segment line: a record of its own, or a gap if the name is `~`."""

    name: str
    n_samples: int


@dataclass(frozen=True, slots=True)
class Header:
    """A WFDB header; it has either signals or segments.

    Attributes:
        name: The record's name.
        n_signals: Signals, in every segment too.
        sampling_rate: Frames a second.
        n_samples: Frames; None where the header leaves it to the file.
        start: Time and date of the first sample as they stand.
        comments: Without their `#`.
    """

    name: str
    n_signals: int
    sampling_rate: float
    n_samples: int | None
    signals: tuple[Signal, ...] = ()
    segments: tuple[Segment, ...] = ()
    comments: tuple[str, ...] = ()
    start: str = ""


def parse_header(text: str, name: str | Path) -> Header:
    """Parse a WFDB header and check every field.

    Args:
        text: What the `.hea` file holds.
        name: The file, for errors.

    Raises:
        RecordError: If any field is not what the format allows, or asks for more than `biosig.readers.base` permits.

    References:
        WFDB Applications Guide, header(5).
    """
    path = Path(name)
    lines = [line.strip() for line in text.splitlines()]
    comments = tuple(line.lstrip("#").strip() for line in lines if line.startswith("#"))
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise RecordError(path, "record line", "a record name and a number of signals", text[:40])
    return _RecordLine(path, lines[0]).parse(lines[1:], comments)


def format_header(header: Header) -> str:
    """The text of a header: `parse_header` gives the same header again."""
    segments = f"/{len(header.segments)}" if header.segments else ""
    length = "" if header.n_samples is None else f" {header.n_samples}"
    start = f" {header.start}" if header.start and length else ""
    lines = [f"{header.name}{segments} {header.n_signals} {header.sampling_rate!r}{length}{start}"]
    lines += [f"{segment.name} {segment.n_samples}" for segment in header.segments]
    lines += [_signal_line(signal) for signal in header.signals]
    lines += [f"# {comment}".rstrip() for comment in header.comments]
    return "\n".join(lines) + "\n"


def _signal_line(signal: Signal) -> str:
    frame = f"x{signal.samples_per_frame}" if signal.samples_per_frame > 1 else ""
    skew = f":{signal.skew}" if signal.skew else ""
    offset = f"+{signal.offset}" if signal.offset else ""
    fields = [
        f"{signal.file} {signal.format}{frame}{skew}{offset}",
        f"{signal.gain!r}({signal.baseline})/{signal.units}",
        f"{signal.resolution} {signal.zero}",
    ]
    if signal.initial is not None:
        fields.append(f"{signal.initial}")
        if signal.checksum is not None:
            fields.append(f"{signal.checksum} {signal.block_size} {signal.description}".rstrip())
    return " ".join(fields)


@dataclass(slots=True)
class _Fields:
    """Fields of one line, taken by name so that an error can name them."""

    path: Path
    line: str
    where: str = ""

    def match(self, pattern: re.Pattern[str], text: str, field: str, expected: str) -> re.Match[str]:
        if found := pattern.fullmatch(text):
            return found
        raise self.wrong(field, expected, text)

    def integer(self, text: str, field: str, low: int = -(2**31), high: int = 2**40) -> int:
        value = int(self.match(_INTEGER, text, field, "an integer")[0])
        if not low <= value <= high:
            raise self.wrong(field, f"{low} to {high}", value)
        return value

    def number(self, text: str, field: str) -> float:
        self.match(_NUMBER, text, field, "a number")
        return float(text)

    def file(self, text: str, field: str) -> str:
        if not is_bare(text) or text.startswith(("-", "#")):
            raise self.wrong(field, "a name in the header's own folder", text)
        return text

    def wrong(self, field: str, expected: str, found: object) -> RecordError:
        return RecordError(self.path, f"{self.where}{field}", expected, found)


class _RecordLine(_Fields):
    __slots__ = ()

    def parse(self, lines: list[str], comments: tuple[str, ...]) -> Header:
        fields = self.line.split(None, 4)
        record = self.match(_RECORD, fields[0], "record name", "a name, or name/segments")
        name = self.file(record["name"], "record name")
        if len(fields) < 2:
            raise self.wrong("number of signals", "an integer", "")
        n_signals = self.integer(fields[1], "number of signals", 0)
        rate = DEFAULT_RATE
        if len(fields) > 2:
            clock = self.match(_RATE, fields[2], "sampling rate", "rate/counter(base)")
            rate = check_rate(self.path, self.number(clock["rate"], "sampling rate"))
            for part in ("counter", "base"):
                if clock[part] is not None:
                    self.number(clock[part], f"{part} of the counter")
        n_samples = self.integer(fields[3], "number of samples", 0) if len(fields) > 3 else None
        check_size(self.path, n_signals, max(n_samples or 1, 1))
        header = Header(
            name=name,
            n_signals=n_signals,
            sampling_rate=rate,
            # Zero says that the length was not known.
            n_samples=n_samples or None,
            comments=comments,
            start=fields[4] if len(fields) > 4 else "",
        )
        if record["segments"] is not None:
            n_segments = self.integer(record["segments"], "number of segments", 1, 10**6)
            self.count(lines, n_segments, "segment lines")
            segments = tuple(_SegmentLine(self.path, line, f"segment {i}: ").parse() for i, line in enumerate(lines, 1))
            return self.with_segments(header, segments)
        self.count(lines, n_signals, "signal lines")
        signals = tuple(_SignalLine(self.path, line, f"signal {i}: ").parse() for i, line in enumerate(lines, 1))
        return self.with_signals(header, signals)

    def count(self, lines: list[str], expected: int, field: str) -> None:
        if len(lines) != expected:
            raise self.wrong(f"number of {field}", str(expected), len(lines))

    def with_segments(self, header: Header, segments: tuple[Segment, ...]) -> Header:
        total = sum(segment.n_samples for segment in segments)
        check_size(self.path, header.n_signals, total)
        if header.n_samples not in (None, total):
            raise self.wrong("number of samples", f"{total}, the sum of the segments", header.n_samples)
        return replace(header, n_samples=total, segments=segments)

    def with_signals(self, header: Header, signals: tuple[Signal, ...]) -> Header:
        seen: dict[str, Signal] = {}
        for i, (signal, before) in enumerate(zip(signals, (None, *signals), strict=False), 1):
            first = seen.setdefault(signal.file, signal)
            if signal.file == NO_FILE:
                continue
            if before is not None and first is not signal and before.file != signal.file:
                raise self.wrong(f"signal {i}: file", "the signals of one file in consecutive lines", signal.file)
            for field in ("format", "offset"):
                value, other = getattr(signal, field), getattr(first, field)
                if value != other:
                    raise self.wrong(f"signal {i}: {field}", f"{other} as in the rest of {signal.file}", value)
        for i, signal in enumerate(signals, 1):
            if signal.samples_per_frame != signals[0].samples_per_frame:
                raise self.wrong(
                    f"signal {i}: samples per frame",
                    f"{signals[0].samples_per_frame} as in signal 1 (one sampling rate for all signals)",
                    signal.samples_per_frame,
                )
        check_size(self.path, header.n_signals, (header.n_samples or 1) * signals[0].samples_per_frame)
        check_rate(self.path, header.sampling_rate * signals[0].samples_per_frame)
        return replace(header, signals=signals)


class _SegmentLine(_Fields):
    __slots__ = ()

    def parse(self) -> Segment:
        fields = self.line.split()
        if len(fields) != 2:
            raise self.wrong("fields", "a name and a number of samples", self.line)
        return Segment(self.file(fields[0], "name"), self.integer(fields[1], "number of samples", 0))


class _SignalLine(_Fields):
    __slots__ = ()

    def parse(self) -> Signal:
        # The description comes last and may hold spaces; everything after the format may be missing from the right.
        fields = self.line.split(None, 8)
        if len(fields) < 2:
            raise self.wrong("fields", "at least a file and a format", self.line)
        storage = self.match(_FORMAT, fields[1], "format", "format[xsamples][:skew][+offset]")
        if int(storage["format"]) not in FORMATS:
            raise self.wrong("format", f"one of {', '.join(map(str, FORMATS))}", storage["format"])
        zero = self.optional(fields, 4, "zero")
        gain, baseline, units = self.calibration(fields[2]) if len(fields) > 2 else (DEFAULT_GAIN, None, "mV")
        return Signal(
            file=self.file(fields[0], "file"),
            format=int(storage["format"]),
            samples_per_frame=self.integer(storage["frame"] or "1", "samples per frame", 1),
            skew=int(storage["skew"] or 0),
            offset=int(storage["offset"] or 0),
            gain=gain,
            baseline=(zero or 0) if baseline is None else baseline,
            units=units,
            resolution=12 if (bits := self.optional(fields, 3, "resolution", 0, 64)) is None else bits,
            zero=zero or 0,
            initial=self.optional(fields, 5, "initial value"),
            checksum=self.optional(fields, 6, "checksum"),
            block_size=self.optional(fields, 7, "block size", 0) or 0,
            description=fields[8] if len(fields) > 8 else "",
        )

    def optional(self, fields: list[str], at: int, field: str, low: int = -(2**31), high: int = 2**32) -> int | None:
        return self.integer(fields[at], field, low, high) if len(fields) > at else None

    def calibration(self, text: str) -> tuple[float, int | None, str]:
        found = self.match(_GAIN, text, "gain", "gain[(baseline)][/units]")
        gain = self.number(found["gain"], "gain") or DEFAULT_GAIN  # 0 says that the signal is not calibrated
        if not 1e-9 <= abs(gain) <= 1e12:
            raise self.wrong("gain", "a size between 1e-9 and 1e12", gain)
        baseline = None if found["baseline"] is None else self.integer(found["baseline"], "baseline", high=2**31)
        return gain, baseline, found["units"] or "mV"
