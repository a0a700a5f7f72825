"""FIF (MNE, Neuromag) through MNE."""

from __future__ import annotations

import re
from pathlib import Path

from biosig.readers.base import READERS, Reader
from biosig.readers.library import refusing
from biosig.readers.mne_recording import sources, to_recording
from biosig.recording import Recording


def read_fif(path: str | Path) -> Recording:
    """Read a raw FIF file, with its further parts if it is split.

    Magnetometers and gradiometers are kept in tesla and tesla per metre, as `Modality.OTHER`; stretches that were
    not recorded are NaN.

    Raises:
        RecordError: If MNE cannot read it, it holds no raw data, or a further part lies outside its folder.
    """
    path = Path(path)
    with refusing(path):
        import mne  # noqa: PLC0415  slow to import

        raw = mne.io.read_raw_fif(path, preload=False, on_split_missing="raise", verbose="error")
        channels = sources(raw)
    return to_recording(path, raw, channels, kind="fif")


# A FIF file begins with a tag that holds its identity: kind 100, type 31, 20 bytes.
READERS.add(
    "fif",
    Reader("FIF", (".fif", ".fif.gz"), read_fif, magic=re.compile(rb"\0\0\0\x64\0\0\0\x1f\0\0\0\x14", re.DOTALL)),
)
