"""Readers: `read(path)` gives a Recording from any file of a known format.

One file a format family; each registers itself in `READERS`. The libraries behind them are imported when first needed.
"""

from __future__ import annotations

from biosig.readers.base import READERS, Reader
from biosig.readers.brainvision import read_brainvision
from biosig.readers.choose import read
from biosig.readers.edf import read_edf
from biosig.readers.eeglab import read_eeglab
from biosig.readers.egi import read_egi
from biosig.readers.fif import read_fif
from biosig.readers.gdf import read_gdf
from biosig.readers.kit import read_kit
from biosig.readers.neuroscan import read_cnt
from biosig.readers.personal import Personal, personal
from biosig.readers.wfdb import read_wfdb

__all__ = [
    "READERS",
    "Personal",
    "Reader",
    "personal",
    "read",
    "read_brainvision",
    "read_cnt",
    "read_edf",
    "read_eeglab",
    "read_egi",
    "read_fif",
    "read_gdf",
    "read_kit",
    "read_wfdb",
]
