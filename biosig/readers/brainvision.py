"""BrainVision through MNE: a `.vhdr` header with its samples and markers."""

from __future__ import annotations

import configparser
import math
import re
import string
from dataclasses import dataclass
from pathlib import Path

from biosig.errors import RecordError
from biosig.readers.base import MAX_HEADER_BYTES, READERS, Reader, check_rate, check_size, inside, microvolts
from biosig.readers.library import refusing
from biosig.readers.mne_recording import Source, to_recording
from biosig.recording import Modality, Recording

_SAMPLE_BYTES = {"INT_16": 2, "INT_32": 4, "IEEE_FLOAT_32": 4}
# What MNE brings to the base unit; it leaves every other unit as it is.
_MNE_BASE = {"\u00b5V": 1e-6, "uV": 1e-6, "mV": 1e-3, "nV": 1e-9, "\u00b5S": 1e-6, "uS": 1e-6}
_INTEGER = re.compile(r"\d{1,15}", re.ASCII)
_NUMBER = re.compile(r"(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_MARKER = re.compile(rb"^Mk(\d{1,9})=[^,\r\n]*,[^,\r\n]*,\s*(\d{1,15})", re.MULTILINE)
_CHANNEL = re.compile(r"ch(\d{1,6})", re.ASCII)


@dataclass(frozen=True, slots=True)
class BrainVisionHeader:
    """What reading relies on.

    Attributes:
        data_file: A bare file name.
        marker_file: The same, or empty.
        sampling_rate: Hz.
        channels: Name and unit of each.
        sample_bytes: Of a value in the file; None if the values are written as text.
        n_samples: None where the header leaves it to the file.
    """

    data_file: str
    marker_file: str
    sampling_rate: float
    channels: tuple[tuple[str, str], ...]
    sample_bytes: int | None
    n_samples: int | None


def read_brainvision(path: str | Path) -> Recording:
    """Read a BrainVision recording; a marker becomes an event with a code like `Stimulus/S  1`.

    Args:
        path: The `.vhdr` header.

    Raises:
        RecordError: If the header is not sound, names a file outside its folder, or the samples do not fit it.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            header = parse_brainvision(file.read(MAX_HEADER_BYTES), path)
    except OSError as error:
        raise RecordError(path, "file", "a header that can be read", error.strerror) from error
    _check_files(path, header)
    with refusing(path):
        import mne  # noqa: PLC0415  slow to import

        raw = mne.io.read_raw_brainvision(path, preload=False, verbose="error")
    return to_recording(path, raw, [_source(name, unit) for name, unit in header.channels], kind="brainvision")


def _check_files(path: Path, header: BrainVisionHeader) -> None:
    data = inside(path, header.data_file, "DataFile")
    n_bytes = data.stat().st_size
    if header.sample_bytes:
        frame = len(header.channels) * header.sample_bytes
        if n_bytes % frame or header.n_samples not in (None, n_bytes // frame):
            expected = f"{header.n_samples or 'whole'} samples of {frame} bytes in {data.name}"
            raise RecordError(path, "DataFile", expected, f"{n_bytes} bytes")
        n_samples = n_bytes // frame
        check_size(path, len(header.channels), n_samples)
    else:
        n_samples = n_bytes  # a text file has fewer
    # If there is no file of that name, MNE takes the one that is called like the header.
    for name in filter(None, (header.marker_file, f"{path.stem}.vmrk")):
        if (named := path.parent / name).exists() or named.is_symlink():
            _check_markers(inside(path, name, "MarkerFile"), n_samples)


def _check_markers(path: Path, n_samples: int) -> None:
    content = path.read_bytes()
    if b"Brain" not in content.partition(b"\n")[0]:
        raise RecordError(path, "first line", "Brain Vision Data Exchange Marker File", content[:60])
    for number, position in _MARKER.findall(content):
        if int(position) > n_samples + 1:
            raise RecordError(path, f"Mk{int(number)}", f"a position among {n_samples} samples", int(position))


def _source(name: str, unit: str) -> Source:
    volts = microvolts(unit)
    return Source(
        name=name,
        factor=(volts or 1.0) / _MNE_BASE.get(unit, 1.0),
        unit=unit if volts is None else None,
        default=Modality.EEG if volts else None,
    )


def parse_brainvision(content: bytes, path: str | Path) -> BrainVisionHeader:
    """Parse a BrainVision header.

    Args:
        content: The `.vhdr` file.
        path: Its name, for errors.

    Raises:
        RecordError: If a field that reading relies on is missing or not what the format allows.
    """
    path = Path(path)
    title, _, body = content.partition(b"\n")
    if b"Brain" not in title:
        raise RecordError(path, "first line", "Brain Vision Data Exchange Header File", title[:60])
    config = configparser.ConfigParser(interpolation=None)
    try:
        config.read_string(_decoded(body, path).partition("[Comment]")[0])
    except configparser.Error as error:
        raise RecordError(path, "sections", "[Section] and Key=Value lines", str(error).splitlines()[0]) from error
    common = "Common Infos" if config.has_section("Common Infos") else "Common infos"

    def field(name: str, section: str = common) -> str:
        return config.get(section, name, fallback="").strip()

    def checked(name: str, pattern: re.Pattern[str], expected: str) -> str:
        if not pattern.fullmatch(field(name)):
            raise RecordError(path, name, expected, field(name))
        return field(name)

    for name in ("DataFile", "MarkerFile"):
        if not set(field(name)).isdisjoint("/\\:"):
            raise RecordError(path, name, "a name in the header's own folder", field(name))
    interval = float(checked("SamplingInterval", _NUMBER, "a number of microseconds"))
    rate = check_rate(path, 1e6 / interval if interval else math.inf, "sampling rate by SamplingInterval")
    n_channels = int(checked("NumberOfChannels", _INTEGER, "an integer"))
    check_size(path, n_channels, 1)
    binary = field("BinaryFormat", "Binary Infos")
    if field("DataFormat") == "BINARY" and binary not in _SAMPLE_BYTES:
        raise RecordError(path, "BinaryFormat", f"one of {', '.join(_SAMPLE_BYTES)}", binary)
    if field("UseBigEndianOrder", "Binary Infos").upper() == "YES":
        raise RecordError(path, "UseBigEndianOrder", "NO, the only order that is read", "YES")
    return BrainVisionHeader(
        data_file=field("DataFile"),
        marker_file=field("MarkerFile"),
        sampling_rate=rate,
        channels=_channels(path, config, n_channels),
        sample_bytes=_SAMPLE_BYTES[binary] if field("DataFormat") == "BINARY" else None,
        n_samples=int(checked("DataPoints", _INTEGER, "an integer")) if field("DataPoints") else None,
    )


def _channels(path: Path, config: configparser.ConfigParser, n_channels: int) -> tuple[tuple[str, str], ...]:
    rows = config.items("Channel Infos") if config.has_section("Channel Infos") else []
    channels = {}
    for key, value in rows:
        number = _CHANNEL.fullmatch(key)
        if not number or not 1 <= int(number[1]) <= n_channels:
            raise RecordError(path, "Channel Infos", f"Ch1 to Ch{n_channels}", key)
        name, _, resolution, unit = [*value.split(","), "", "", ""][:4]
        if resolution and not (_NUMBER.fullmatch(resolution) and 0 < float(resolution) < 1e12):
            raise RecordError(path, f"{key}: resolution", "a number between 0 and 1e12", resolution)
        # Without a unit it is the microvolt; commas of a name are written `\1`.
        channels[int(number[1])] = name.replace(r"\1", ","), unit.replace("\xc2", "") or "\u00b5V"
    if len(channels) != n_channels:
        raise RecordError(path, "number of Channel Infos", f"{n_channels}", len(channels))
    return tuple(channels[number] for number in range(1, n_channels + 1))


def _decoded(body: bytes, path: Path) -> str:
    """The text in the code page it states, which must have ASCII as its first half."""
    stated = re.search(rb"Codepage=([^\r\n]+)", body)
    page = stated[1].decode("latin-1").strip() if stated else "utf-8"
    page = "cp1252" if page == "ANSI" else page
    try:
        if string.printable.encode(page) != string.printable.encode("ascii"):
            raise RecordError(path, "Codepage", "one that includes ASCII", page)
        return body.decode(page)
    except UnicodeDecodeError:
        return body.decode("latin-1")
    except (LookupError, ValueError, TypeError) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError(path, "Codepage", "a known one", page) from error


_MAGIC = re.compile(rb"(?:\xef\xbb\xbf)?Brain ?Vision[^\n]*Header")
READERS.add("brainvision", Reader("BrainVision", (".vhdr",), read_brainvision, (".vmrk", ".eeg", ".dat"), magic=_MAGIC))
