"""GDF 1 and 2 through MNE, after a check of our own."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from biosig.errors import RecordError
from biosig.readers.base import MAX_CHANNELS, READERS, Reader, check_rate, check_size, microvolts
from biosig.readers.library import refusing
from biosig.readers.mne_recording import Source, to_recording
from biosig.recording import Modality, Recording

_FIXED = 256
# Bytes of a value by GDF's type code; MNE reads no others.
_VALUE_BYTES = {1: 1, 2: 1, 3: 2, 4: 2, 5: 4, 6: 4, 7: 8, 8: 8, 16: 4, 17: 8}
# Version 2 codes its units: https://sourceforge.net/p/biosig/svn/HEAD/tree/trunk/biosig/doc/units.csv
_UNITS = {4256: "V", 4274: "mV", 4275: "uV", 4276: "nV", 512: "none"}
# What MNE makes volts of; it leaves every other unit as it is.
_MNE_VOLTS = {1: {"uV": 1e-6}, 2: {"uV": 1e-6, "mV": 1e-3}}
_VERSION = re.compile(rb"GDF ([12]\.\d\d)")


@dataclass(frozen=True, slots=True)
class GdfHeader:
    """What reading relies on; who was recorded is left out.

    Attributes:
        version: 1.25, 2.20, ...
        n_records: Data records.
        seconds: Duration of a data record.
        channels: Label, unit and samples in a data record.
        record_bytes: Length of a data record.
    """

    version: float
    n_records: int
    seconds: float
    channels: tuple[tuple[str, str, int], ...]
    record_bytes: int

    @property
    def n_bytes(self) -> int:
        """Length of the header as far as the channels go."""
        return _FIXED * (1 + len(self.channels))


def read_gdf(path: str | Path, *, modality: Modality | None = None) -> Recording:
    """Read a GDF file; an event's code is the number of its type.

    Channels of a lower rate are interpolated to the highest one; `meta["interpolated_from"]` tells their own.

    Args:
        path: The file.
        modality: What a channel with an unknown name measures.

    Raises:
        RecordError: If the header is not sound or the file is shorter than it declares.
    """
    path = Path(path)
    header = _checked(path)
    with refusing(path):
        import mne  # noqa: PLC0415  slow to import

        raw = mne.io.read_raw_gdf(path, preload=False, verbose="error")
        scale = _MNE_VOLTS[1 if header.version < 1.9 else 2]
        fastest = max(samples for _, _, samples in header.channels)
        channels = []
        for (label, unit, samples), kind in zip(header.channels, raw.get_channel_types(), strict=True):
            volts = microvolts(unit)
            channels.append(
                Source(
                    name=label,
                    factor=(volts or 1.0) / scale.get(unit, 1.0),
                    unit=unit if volts is None else None,
                    default=modality if volts else None,
                    trigger=kind == "stim",
                    rate=None if samples == fastest else samples / header.seconds,
                )
            )
    return to_recording(path, raw, channels, kind="gdf")


def _checked(path: Path) -> GdfHeader:
    """The header, checked against the length of the file."""
    try:
        with path.open("rb") as file:
            header = parse_gdf_header(file.read(_FIXED * (1 + MAX_CHANNELS)), path)
            size = path.stat().st_size
            held = max((size - header.n_bytes) // header.record_bytes, 0)
            if header.n_records > held:
                raise RecordError(
                    path,
                    "number of data records",
                    f"{held}, as many as the file holds (is it whole?)",
                    header.n_records,
                )
            file.seek(header.n_bytes + header.n_records * header.record_bytes)
            table = file.read(8)
    except OSError as error:
        raise RecordError(path, "file", "a file that can be read", error.strerror) from error
    check_size(path, len(header.channels), header.n_records * max(samples for _, _, samples in header.channels))
    if len(table) == 8:  # the events follow the data
        count = int.from_bytes(table[4:8] if header.version < 1.94 else table[1:4], "little")
        left = size - header.n_bytes - header.n_records * header.record_bytes - 8
        if count * (12 if table[0] == 3 else 6) > left:
            raise RecordError(path, "number of events", f"a table of at most {left} bytes", count)
    return header


def parse_gdf_header(content: bytes, path: str | Path) -> GdfHeader:
    """Parse the header at the beginning of a GDF file.

    Args:
        content: The first bytes of the file, at least the header.
        path: The file, for errors.

    Raises:
        RecordError: If a field is not what the format allows.

    References:
        Schloegl, GDF - A general dataformat for biosignals, arXiv cs/0608052.
    """
    path = Path(path)
    version = _VERSION.match(content)
    if not version or len(content) < _FIXED:
        raise RecordError(path, "version", "GDF 1.xx or GDF 2.xx and a header", content[:8])
    number = float(version[1])
    first = number < 1.9
    n_bytes = struct.unpack_from("<q", content, 184)[0] if first else 256 * struct.unpack_from("<H", content, 184)[0]
    n_records, over, under = struct.unpack_from("<qII", content, 236)
    n_channels = struct.unpack_from("<I" if first else "<H", content, 252)[0]
    check_size(path, n_channels, 1)
    end = _FIXED * (1 + n_channels)
    if n_bytes != end or len(content) < end:
        raise RecordError(path, "header length", f"{end} bytes for {n_channels} channels", min(n_bytes, len(content)))
    if n_records < 1:
        raise RecordError(path, "number of data records", "at least 1", n_records)
    if not (over and under):
        raise RecordError(path, "duration of a data record", "more than 0 s", f"{over}/{under}")
    labels = [content[_FIXED + 16 * i :][:16].decode("latin-1").partition("\0")[0].strip() for i in range(n_channels)]
    fields = content[_FIXED:end]
    samples = np.frombuffer(fields, "<i4", n_channels, 216 * n_channels).tolist()
    types = np.frombuffer(fields, "<i4", n_channels, 220 * n_channels).tolist()
    for i in range(n_channels):
        if samples[i] < 1:
            raise RecordError(path, f"channel {i + 1}: samples in a data record", "at least 1", samples[i])
        if types[i] not in _VALUE_BYTES or types[i] != types[0]:
            raise RecordError(path, f"channel {i + 1}: type", "one numeric type for all channels", types[i])
    check_rate(path, max(samples) * under / over)
    units = _text_units(fields, n_channels) if first else _coded_units(fields, n_channels)
    record_bytes = _VALUE_BYTES[types[0]] * sum(samples)
    return GdfHeader(number, n_records, over / under, tuple(zip(labels, units, samples, strict=True)), record_bytes)


def _text_units(fields: bytes, n_channels: int) -> list[str]:
    rows = (fields[96 * n_channels + 8 * i :][:8] for i in range(n_channels))
    return [row.decode("latin-1").partition("\0")[0].strip() for row in rows]


def _coded_units(fields: bytes, n_channels: int) -> list[str]:
    codes = np.frombuffer(fields, "<u2", n_channels, 102 * n_channels).tolist()
    return [_UNITS.get(code, f"code {code}") for code in codes]


READERS.add("gdf", Reader("GDF 1, GDF 2", (".gdf",), read_gdf, magic=_VERSION))
