"""Variables of MATLAB files of both kinds, with structs as dicts and cells as lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from biosig.errors import RecordError
from biosig.readers.base import MAX_VALUES
from biosig.readers.hdf5 import check_contained, is_hdf5
from biosig.readers.library import refusing
from biosig.readers.mat5 import check_mat5, is_mat5


def read_matlab(path: str | Path, names: Iterable[str] | None = None) -> dict[str, Any]:
    """The named variables of a MATLAB file, those that are there.

    A struct is a dict, a cell array a list, text a `str`; an array has no dimensions of length one, and is a number if
    it has one value. What a file holds of functions and classes is not run: it comes out as data or not at all.

    Args:
        path: MATLAB 5 (`-v6`, `-v7`) or 7.3.
        names: All variables if not given.

    Raises:
        RecordError: If it is neither, is damaged, or takes data from elsewhere.
    """
    path = Path(path)
    _check(path)
    with refusing(path):
        from pymatreader import read_mat  # noqa: PLC0415  slow to import

        found = read_mat(str(path), variable_names=None if names is None else list(names))
    return {name: value for name, value in found.items() if not name.startswith(("__", "#"))}


def matlab_variables(path: str | Path) -> Mapping[str, tuple[int, ...]]:
    """The names of the variables of a MATLAB file with their sizes, without reading them.

    Raises:
        RecordError: As `read_matlab`.
    """
    path = Path(path)
    _check(path)
    with refusing(path):
        from pymatreader import whosmat  # noqa: PLC0415  slow to import

        return {name: tuple(shape) for name, shape, _ in whosmat(str(path)) if not name.startswith(("__", "#"))}


def _check(path: Path) -> None:
    try:
        stat = path.stat()
    except OSError as error:
        raise RecordError(path, "file", "a file that can be read", error.strerror) from error
    _sound(path, stat.st_size, stat.st_mtime_ns)


# Checking unpacks the whole file, and a file of many trials is opened for each of them.
@lru_cache(maxsize=16)
def _sound(path: Path, _size: int, _mtime: int) -> None:
    # MATLAB's own header before HDF5 looks like that of a MATLAB 5 file.
    if is_hdf5(path):
        check_contained(path)
        _check_sizes(path)
    elif is_mat5(path):
        check_mat5(path)
    else:
        raise RecordError(path, "content", "a MATLAB file (5 or 7.3)", "neither")


def _check_sizes(path: Path) -> None:
    """Refuse a dataset that could not be held in memory: compressed, it may be a small file."""
    with refusing(path):
        import h5py  # noqa: PLC0415  slow to import

        def check(name: str, entry: Any) -> None:
            if isinstance(entry, h5py.Dataset) and entry.size is not None and entry.size > MAX_VALUES:
                raise RecordError(path, name, f"at most {MAX_VALUES} values", entry.size)

        with h5py.File(path, "r") as file:
            file.visititems(check)
