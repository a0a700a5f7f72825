"""EGI simple binary files (`.raw`) through MNE, after a check of our own."""

from __future__ import annotations

import struct
from pathlib import Path

from biosig.errors import RecordError
from biosig.readers.base import READERS, Reader, check_rate, check_size
from biosig.readers.library import refusing
from biosig.readers.mne_recording import sources, to_recording
from biosig.recording import Recording

_FIXED = 36
_VALUE_BYTES = {2: 2, 4: 4, 6: 8}  # unsegmented files; odd versions are segmented


def read_egi(path: str | Path) -> Recording:
    """Read an unsegmented EGI `.raw` file; its event channels become events, their names the codes.

    Raises:
        RecordError: If the header is not sound, the file is segmented, or it is shorter than it declares.
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            head = file.read(_FIXED)
        size = path.stat().st_size
    except OSError as error:
        raise RecordError(path, "file", "a file that can be read", error.strerror) from error
    if len(head) < _FIXED:
        raise RecordError(path, "header", f"{_FIXED} bytes", len(head))
    version = struct.unpack_from(">i", head)[0]
    if version not in _VALUE_BYTES:
        raise RecordError(path, "version", "2, 4 or 6 (unsegmented)", version)
    rate, n_channels = struct.unpack_from(">hh", head, 20)
    n_samples, n_events = struct.unpack_from(">ih", head, 30)
    check_size(path, n_channels, n_samples)
    check_rate(path, float(rate))
    if n_events < 0:
        raise RecordError(path, "number of event codes", "0 or more", n_events)
    expected = _FIXED + 4 * n_events + n_samples * (n_channels + n_events) * _VALUE_BYTES[version]
    if size < expected:
        raise RecordError(path, "number of samples", f"{expected} bytes for {n_samples} of them", f"{size} bytes")
    with refusing(path):
        import mne  # noqa: PLC0415  slow to import

        raw = mne.io.read_raw_egi(path, preload=False, verbose="error")
        channels = sources(raw)
    return to_recording(path, raw, channels, kind="egi")


READERS.add("egi", Reader("EGI simple binary", (".raw",), read_egi))
