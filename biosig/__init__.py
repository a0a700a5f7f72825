"""Recordings, channels, corpora, stores, signal encoders and pictures, for ECG and EEG as one kind of thing."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from biosig.interchange import (
        events_to_pandas,
        from_mne,
        from_numpy,
        from_pandas,
        from_wfdb,
        to_mne,
        to_numpy,
        to_pandas,
        to_wfdb,
    )
    from biosig.readers import read
    from biosig.recording import Code, Event, Modality, Recording

__all__ = [
    "Code",
    "Event",
    "Modality",
    "Recording",
    "events_to_pandas",
    "from_mne",
    "from_numpy",
    "from_pandas",
    "from_wfdb",
    "read",
    "to_mne",
    "to_numpy",
    "to_pandas",
    "to_wfdb",
]


def __getattr__(name: str) -> object:
    # Nothing is imported before it is asked for: the command's help stays instant.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "readers" if name == "read" else "interchange" if "_" in name else "recording"
    return getattr(import_module(f"biosig.{home}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
