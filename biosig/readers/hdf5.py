"""HDF5 files that reach nowhere else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from biosig.errors import RecordError
from biosig.readers.base import MAX_VALUES, check_growth
from biosig.readers.library import refusing

HDF5 = b"\x89HDF\r\n\x1a\n"
_MATLAB_HEADER = 512  # a MATLAB 7.3 file has its own header before HDF5's


def is_hdf5(path: Path) -> bool:
    """Whether the file is HDF5, plain or as MATLAB 7.3."""
    with path.open("rb") as file:
        start = file.read(len(HDF5))
        file.seek(_MATLAB_HEADER)
        return HDF5 in (start, file.read(len(HDF5)))


def check_contained(path: Path) -> None:
    """Refuse a file that takes data from other files: by external links, external storage or virtual datasets.

    Raises:
        RecordError: Naming the entry.
    """
    with refusing(path):
        import h5py  # noqa: PLC0415  slow to import

        with h5py.File(path, "r") as file:
            _check(path, file, h5py, set())


def read_hdf5_arrays(path: Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """The named datasets at the top of a file, those that are there, whole and in HDF5's order of axes.

    MATLAB 7.3 has its axes the other way round: what it shows as `(channel, sample, trial)` comes as
    `(trial, sample, channel)`.

    Raises:
        RecordError: If the file is no HDF5, takes data from elsewhere, or a dataset is no array of numbers that fits.
    """
    with refusing(path):
        import h5py  # noqa: PLC0415  slow to import

        if not is_hdf5(path):
            raise RecordError(path, "content", "HDF5 or MATLAB 7.3", "neither")
        check_contained(path)
        found = {}
        with h5py.File(path, "r") as file:
            for name in filter(file.__contains__, names):
                entry = file[name]
                if not isinstance(entry, h5py.Dataset) or entry.dtype.kind not in "iuf":
                    raise RecordError(path, name, "an array of numbers", type(entry).__name__)
                if entry.size > MAX_VALUES:
                    raise RecordError(path, name, f"at most {MAX_VALUES} values", entry.size)
                found[name] = np.asarray(entry[()])
    return found


def _check(path: Path, group: Any, h5py: Any, seen: set[Any]) -> None:
    for name in group:
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            raise RecordError(path, f"{group.name}/{name}", "data in the file itself", f"a link to {link.filename}")
        if isinstance(link, h5py.SoftLink):
            continue  # leads to an entry of the same file, which is met by its own name
        entry = group[name]
        if isinstance(entry, h5py.Dataset):
            if entry.external or entry.is_virtual:
                raise RecordError(path, entry.name, "data in the file itself", "external or virtual storage")
            if entry.size:
                check_growth(path, entry.nbytes, entry.id.get_storage_size(), entry.name)
        elif entry.id not in seen:  # hard links may form a ring
            seen.add(entry.id)
            _check(path, entry, h5py, seen)
