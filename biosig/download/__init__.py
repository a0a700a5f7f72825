"""Fetching a corpus: its own list of files and checksums, files that resume, nothing accepted that is not as listed."""

from __future__ import annotations

from biosig.download.corpus import Summary, download
from biosig.download.fetch import DownloadError
from biosig.download.sources import address

__all__ = ["DownloadError", "Summary", "address", "download"]
