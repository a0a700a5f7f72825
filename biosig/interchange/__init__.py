"""Recordings to and from what others hold them in: `mne.io.Raw`, WFDB, numpy and pandas; one file each.

Nothing is imported before it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from biosig.interchange.arrays import from_numpy, to_numpy
    from biosig.interchange.frames import events_to_pandas, from_pandas, to_pandas
    from biosig.interchange.mne_raw import from_mne, to_mne
    from biosig.interchange.wfdb_record import from_wfdb, to_wfdb

#: The module of each function.
HOMES = {
    "from_mne": "mne_raw",
    "from_numpy": "arrays",
    "from_pandas": "frames",
    "from_wfdb": "wfdb_record",
    "to_mne": "mne_raw",
    "to_numpy": "arrays",
    "to_pandas": "frames",
    "events_to_pandas": "frames",
    "to_wfdb": "wfdb_record",
}

__all__ = [
    "events_to_pandas",
    "from_mne",
    "from_numpy",
    "from_pandas",
    "from_wfdb",
    "to_mne",
    "to_numpy",
    "to_pandas",
    "to_wfdb",
]


def __getattr__(name: str) -> object:
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
