"""What every reader shares: the registry, limits on what a file may ask for, units, and where a header may point."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from biosig.channels import Channel
from biosig.errors import RecordError
from biosig.recording import Modality, Recording
from ontology.registry import Registry

# More than any recording that fits in memory: a header that asks for more is refused before memory is reserved.
MAX_CHANNELS = 4096
MAX_VALUES = 2**30  # channels x samples: 4 GiB of float32
MAX_RATE = 1e6  # Hz
MAX_HEADER_BYTES = 2**24
# Packed signals shrink to a third, sparse triggers to a fiftieth; zlib could make a thousand of one.
MAX_GROWTH, HARMLESS_BYTES = 200, 2**26

_MICROVOLTS = {"v": 1e6, "mv": 1e3, "uv": 1.0, "nv": 1e-3, "pv": 1e-6}
_ELECTRICAL = (Modality.ECG, Modality.EEG, Modality.EOG, Modality.EMG)
# What files say when they do not know the unit.
UNKNOWN_UNITS = ("", "none", "unknown", "n/a", "nu", "adu", "au", "a.u.")
# Both Unicode micros, the same in Shift-JIS, and what is left of one read in the wrong code page.
_MICRO = re.compile("^(?:\u00b5|\u03bc|\x83\xca|\u00c2\u00b5)")


@dataclass(frozen=True)
class Reader:
    """A family of file formats.

    Attributes:
        title: The formats in words.
        extensions: Of the files that stand for a recording; lower case, with the dot.
        read: `(path, **options) -> Recording`.
        companions: Extensions of files that go with one of those, like the samples beside a header.
        magic: What the first bytes of such a file match, where the format has a signature.
    """

    title: str
    extensions: tuple[str, ...]
    read: Callable[..., Recording]
    companions: tuple[str, ...] = ()
    magic: re.Pattern[bytes] | None = None


READERS: Registry[Reader] = Registry("reader")


@lru_cache(maxsize=256)
def microvolts(unit: str) -> float | None:
    """Microvolts in one of the unit; None if it is no voltage."""
    return _MICROVOLTS.get(_MICRO.sub("u", unit.strip()).lower())


def modality_of(channel: Channel, unit: str | None) -> Modality:
    """What a channel measures, given its unit where it is no voltage: a pressure `P1` is no electrode."""
    if unit is None or unit.lower() in UNKNOWN_UNITS or channel.modality not in _ELECTRICAL:
        return channel.modality
    return Modality.OTHER


def inside(header: Path, name: str, field: str) -> Path:
    """The file that a header names: a bare name, in the header's own folder, also after following links.

    Args:
        header: The file that names the other.
        name: What it says.
        field: Where it says so, for the error.

    Raises:
        RecordError: If the name leads elsewhere, or there is no such file.
    """
    if not is_bare(name):
        raise RecordError(header, field, "the name of a file in the header's own folder", name)
    named = header.parent / name
    try:
        kind = named.lstat().st_mode
        if stat.S_ISLNK(kind):
            found = named.resolve(strict=True)
            if not is_within(found, header):
                raise RecordError(header, field, "a file in the header's own folder, not a link out of it", name)
            kind = found.stat().st_mode
    except (OSError, RuntimeError):  # a loop of links is a RuntimeError
        raise RecordError(header, field, "a file that exists", name) from None
    if not stat.S_ISREG(kind):
        raise RecordError(header, field, "a regular file", name)
    return named


def is_within(file: Path, header: Path) -> bool:
    """Whether a file, all links followed, lies in the header's folder or in that of what the header is a link to."""
    return file.resolve().parent in (header.parent.resolve(), header.resolve().parent)


@lru_cache(maxsize=256)
def is_bare(name: str) -> bool:
    """Whether a name is a file name and nothing else: no folder, drive, stream, parent or control character."""
    return name.isprintable() and name.strip() == name and name not in ("", ".", "..") and not set(name) & set("/\\:")


def check_size(path: Path, n_channels: int, n_samples: int) -> None:
    """Refuse a recording that could not be held in memory.

    Raises:
        RecordError: If there are too many channels, or too many values in all.
    """
    if not 1 <= n_channels <= MAX_CHANNELS:
        raise RecordError(path, "number of channels", f"1 to {MAX_CHANNELS}", n_channels)
    if n_samples < 1:
        raise RecordError(path, "number of samples", "at least 1", n_samples)
    if n_channels * n_samples > MAX_VALUES:
        raise RecordError(
            path, "number of samples", f"at most {MAX_VALUES // n_channels} of {n_channels} channels", n_samples
        )


def check_growth(path: Path, size: int, packed: int, field: str = "content") -> None:
    """Refuse what unpacks to far more than signals do: it was made to fill a memory or a disk.

    Args:
        path: The file.
        size: Bytes when unpacked, or so far.
        packed: Bytes in the file.
        field: What is packed.

    Raises:
        RecordError: If that is many times as much, and not little.
    """
    if size > max(HARMLESS_BYTES, MAX_GROWTH * packed):
        raise RecordError(path, field, f"at most {MAX_GROWTH} times what is packed", f"{size} bytes from {packed}")


def check_rate(path: Path, rate: float, field: str = "sampling rate") -> float:
    """The rate in Hz, if it is one.

    Raises:
        RecordError: If it is not a positive number, or beyond any amplifier.
    """
    if not 0 < rate <= MAX_RATE:
        raise RecordError(path, field, f"above 0, at most {MAX_RATE:g} Hz", rate)
    return rate
