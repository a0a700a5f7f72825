"""EDF and BDF headers: everything that reading relies on, checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from biosig.errors import RecordError
from biosig.readers.base import MAX_CHANNELS, check_rate, check_size

EDF, BDF = b"0       ", b"\xffBIOSEMI"
_FIXED = 256
ANNOTATIONS = ("EDF Annotations", "BDF Annotations")
# Interpolating slow channels to the fastest one's rate must not make a small file a huge signal.
_MAX_GROWTH = 256

_INTEGER = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
# Widths of a channel's fields, in the order of the file.
_WIDTHS = {"label": 16, "transducer": 80, "unit": 8, "physical_min": 8, "physical_max": 8}
_WIDTHS |= {"digital_min": 8, "digital_max": 8, "prefilter": 80, "samples": 8, "reserved": 32}


@dataclass(frozen=True, slots=True)
class EdfSignal:
    """One channel of an EDF or BDF file.

    Attributes:
        samples: In a data record.
        calibrated: Whether physical and digital range give a scale.
    """

    label: str
    unit: str
    samples: int
    calibrated: bool


@dataclass(frozen=True, slots=True)
class EdfHeader:
    """What reading relies on; who was recorded is left out.

    Attributes:
        sample_bytes: 2 in EDF, 3 in BDF.
        interrupted: Whether data records may be apart in time (EDF+D).
        n_records: Data records; -1 where the header leaves it to the file.
        seconds: Duration of a data record.
        signals: All channels, those with annotations too.
    """

    sample_bytes: int
    interrupted: bool
    n_records: int
    seconds: float
    signals: tuple[EdfSignal, ...]

    @property
    def n_bytes(self) -> int:
        """Length of the header."""
        return _FIXED * (1 + len(self.signals))

    @property
    def record_bytes(self) -> int:
        """Length of a data record."""
        return self.sample_bytes * sum(signal.samples for signal in self.signals)

    @property
    def channels(self) -> tuple[EdfSignal, ...]:
        """The channels that hold signals."""
        return tuple(signal for signal in self.signals if signal.label not in ANNOTATIONS)


def read_edf_header(path: Path) -> EdfHeader:
    """Read and check a header, also against the length of the file.

    Raises:
        RecordError: If a field is not what the format allows, or the file does not hold what is declared.
    """
    try:
        with path.open("rb") as file:
            header = parse_edf_header(file.read(_FIXED * (1 + MAX_CHANNELS)), path)
        n_bytes = path.stat().st_size - header.n_bytes
    except OSError as error:
        raise RecordError(path, "file", "a file that can be read", error.strerror) from error
    held = max(n_bytes // header.record_bytes, 0)
    if held < max(header.n_records, 1):
        raise RecordError(
            path, "number of data records", f"{held}, as many as the file holds (is it whole?)", header.n_records
        )
    if channels := header.channels:
        n_records = held if header.n_records < 0 else header.n_records
        fastest = max(channel.samples for channel in channels)
        check_size(path, len(channels), n_records * fastest)
        if fastest * len(channels) > _MAX_GROWTH * sum(channel.samples for channel in channels):
            raise RecordError(path, "samples in a data record", "rates that can be brought to one", fastest)
    return header


def parse_edf_header(content: bytes, path: str | Path) -> EdfHeader:
    """Parse the header at the beginning of an EDF or BDF file.

    Args:
        content: The first bytes of the file, at least the header.
        path: The file, for errors.

    Raises:
        RecordError: If a field is not what the format allows.

    References:
        Kemp et al., Electroenceph. clin. Neurophysiol. 82 (1992); Kemp and Olivan, Clin. Neurophysiol. 114 (2003).
    """
    path = Path(path)
    version = content[:8]
    if version not in (EDF, BDF):
        raise RecordError(path, "version", f"{EDF!r} (EDF) or {BDF!r} (BDF)", version)
    if len(content) < _FIXED:
        raise RecordError(path, "header", f"at least {_FIXED} bytes", len(content))
    n_bytes = _integer(path, content[184:192], "number of header bytes")
    reserved = _text(content[192:236])
    n_records = _integer(path, content[236:244], "number of data records", -1)
    seconds = _number(path, content[244:252], "duration of a data record")
    n_signals = _integer(path, content[252:256], "number of signals", 1)
    check_size(path, n_signals, 1)
    if n_bytes != _FIXED * (1 + n_signals):
        raise RecordError(path, "number of header bytes", f"{_FIXED * (1 + n_signals)}", n_bytes)
    if len(content) < n_bytes:
        raise RecordError(path, "header", f"{n_bytes} bytes", len(content))
    columns: dict[str, list[bytes]] = {}
    at = _FIXED
    for field, width in _WIDTHS.items():
        columns[field] = [content[i : i + width] for i in range(at, at + n_signals * width, width)]
        at += n_signals * width
    signals = tuple(
        _signal(path, number, {field: column[number - 1] for field, column in columns.items()})
        for number in range(1, n_signals + 1)
    )
    header = EdfHeader(3 if version == BDF else 2, reserved[:5] in ("EDF+D", "BDF+D"), n_records, seconds, signals)
    if header.channels:
        # A file of annotations alone may leave the duration at 0.
        if seconds <= 0:
            raise RecordError(path, "duration of a data record", "more than 0 s", seconds)
        check_rate(path, max(channel.samples for channel in header.channels) / seconds)
    return header


def _signal(path: Path, number: int, fields: dict[str, bytes]) -> EdfSignal:
    limits = {}
    for field in ("physical_min", "physical_max", "digital_min", "digital_max"):
        limits[field] = _number(path, fields[field], f"signal {number}: {field.replace('_', ' ')}")
        if abs(limits[field]) > 1e12:
            raise RecordError(path, f"signal {number}: {field.replace('_', ' ')}", "at most 1e12", limits[field])
    return EdfSignal(
        # MNE recognises annotations by the label as it stands, so only spaces are taken off.
        label=fields["label"].strip().decode("latin-1"),
        unit=fields["unit"].strip(b" \0").decode("latin-1"),
        samples=_integer(path, fields["samples"], f"signal {number}: samples in a data record", 1),
        calibrated=limits["physical_min"] != limits["physical_max"] and limits["digital_min"] != limits["digital_max"],
    )


def _text(field: bytes) -> str:
    return field.decode("latin-1").partition("\0")[0].strip(" ")


def _integer(path: Path, content: bytes, field: str, low: int = 0) -> int:
    text = _text(content)
    if not _INTEGER.fullmatch(text):
        raise RecordError(path, field, "an integer", _shown(text))
    if int(text) < low:
        raise RecordError(path, field, f"at least {low}", int(text))
    return int(text)


def _number(path: Path, content: bytes, field: str) -> float:
    # Some recorders write a decimal comma.
    text = _text(content).replace(",", ".")
    if not _NUMBER.fullmatch(text):
        raise RecordError(path, field, "a number", _shown(text))
    return float(text)


def _shown(text: str) -> str:
    """In a header that lost a byte, a piece of the patient's name stands where a number should."""
    return "letters" if re.search("[A-Za-z]{2}", text) else text
