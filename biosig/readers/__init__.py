"""Readers: `read(path)` gives a Recording from any file of a known format."""

from __future__ import annotations

from biosig.readers import wfdb  # registers
from biosig.readers.base import READERS, Reader
from biosig.readers.choose import read
from biosig.readers.wfdb import read_wfdb

__all__ = ["READERS", "Reader", "read", "read_wfdb", "wfdb"]
