"""FIF (MNE, Neuromag) through MNE."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

from biosig.readers.base import READERS, Reader, check_growth
from biosig.readers.library import refusing
from biosig.readers.mne_recording import sources, to_recording
from biosig.recording import Recording

_GZIP, _BLOCK = b"\x1f\x8b", 1 << 20


def read_fif(path: str | Path) -> Recording:
    """Read a raw FIF file, with its further parts if it is split.

    Magnetometers and gradiometers are kept in tesla and tesla per metre, as `Modality.OTHER`; stretches that were
    not recorded are NaN.

    Raises:
        RecordError: If MNE cannot read it, it holds no raw data, or a further part lies outside its folder.
    """
    path = Path(path)
    with refusing(path):
        _check_packed(path)
        import mne  # noqa: PLC0415  slow to import

        raw = mne.io.read_raw_fif(path, preload=False, on_split_missing="raise", verbose="error")
        channels = sources(raw)
    return to_recording(path, raw, channels, kind="fif")


def _check_packed(path: Path) -> None:
    """MNE unpacks a `.fif.gz` wherever it looks."""
    packed, size = path.stat().st_size, 0
    with path.open("rb") as file:
        if file.read(2) != _GZIP:
            return
    with gzip.open(path) as unpacked:
        while block := unpacked.read(_BLOCK):
            size += len(block)
            check_growth(path, size, packed)


# A FIF file begins with a tag that holds its identity: kind 100, type 31, 20 bytes.
READERS.add(
    "fif",
    Reader("FIF", (".fif", ".fif.gz"), read_fif, magic=re.compile(rb"\0\0\0\x64\0\0\0\x1f\0\0\0\x14", re.DOTALL)),
)
