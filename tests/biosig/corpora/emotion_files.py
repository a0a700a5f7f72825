"""Files in the formats of the licensed corpora of emotions, as small as a test wants them."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from scipy.io import savemat

from tests.biosig.corpora.synthetic import millivolts


def microvolts(channels: int, rate: float, seconds: float) -> np.ndarray:
    return 1000 * millivolts(channels, rate, seconds).T


def save(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, content, do_compression=True, oned_as="row")


def save73(path: Path, content: dict[str, Any]) -> None:
    """The same as MATLAB writes it with `-v7.3`: axes the other way round, cells as references, text as numbers."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, value in content.items():
            _put(file, name, value)
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: PCWIN64".ljust(124) + b"\x00\x02IM")


def _put(group: Any, name: str, value: Any) -> Any:
    if isinstance(value, dict):
        entry, kind = group.create_group(name), "struct"
        for field, inner in value.items():
            _put(entry, field, inner)
    elif isinstance(value, np.ndarray) and value.dtype.names:  # an array of structs
        entry, kind = group.create_group(name), "struct"
        for field in value.dtype.names:
            _put(entry, field, value[field])
    elif isinstance(value, np.ndarray) and value.dtype == object:
        refs, kind = group.file.require_group("#refs#"), "cell"
        pointers = np.empty(value.T.shape, dtype=h5py.ref_dtype)
        for place, inner in np.ndenumerate(value.T):
            pointers[place] = _put(refs, f"r{len(refs)}", inner).ref
        entry = group.create_dataset(name, data=pointers)
    elif isinstance(value, str):
        entry, kind = group.create_dataset(name, data=np.array([[ord(letter)] for letter in value], "<u2")), "char"
    else:
        array = np.atleast_2d(value)
        entry, kind = group.create_dataset(name, data=array.T, compression="gzip"), array.dtype.name
        kind = {"float64": "double", "float32": "single"}.get(kind, kind)
    entry.attrs["MATLAB_class"] = np.bytes_(kind)
    return entry


def dump(path: Path, content: object, protocol: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol))


def film(label: str, stimulus: str, trial: int | None, seconds: float) -> dict[str, Any]:
    return {"events": ((0.0, seconds, label, ""),), "stimuli": ((stimulus, trial),)}


def cells(*values: object) -> np.ndarray:
    """A cell array of n x 1."""
    found = np.empty((len(values), 1), dtype=object)
    for row, value in enumerate(values):
        found[row, 0] = value
    return found


def write_npz(path: Path, data: object, label: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, data=np.array(pickle.dumps(data, 3)), label=np.array(pickle.dumps(label, 3)))


def write_cnt(
    path: Path,
    names: Sequence[str],
    rate: int,
    n_samples: int,
    *,
    values: dict[int, np.ndarray] | None = None,
    declared: int | None = None,
) -> None:
    """A Neuroscan file of 32 bits, a unit being a microvolt: zeros but for the values (channel, time) at a sample.

    Args:
        path: The file; what is zero in it takes no room on disk.
        names: Of the channels.
        rate: Hz.
        n_samples: Of each channel.
        values: By first sample.
        declared: The count of samples in the header, if it is to be wrong.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = 900 + 75 * len(names)
    table = data + 4 * len(names) * n_samples
    setup = bytearray(900)
    setup[:12] = b"Version 3.0\0"
    setup[225:247] = b"08/04/18\0\0" + b"10:00:00\0\0\0\0"
    struct.pack_into("<H", setup, 370, len(names))
    struct.pack_into("<H", setup, 376, rate)
    struct.pack_into("<i", setup, 864, n_samples if declared is None else declared)
    struct.pack_into("<i", setup, 886, table)
    with path.open("wb") as file:
        file.write(setup)
        for number, name in enumerate(names):
            channel = bytearray(75)
            channel[:10] = name.encode().ljust(10, b"\0")
            struct.pack_into("<ff", channel, 19, float(number % 8), float(number // 8))
            struct.pack_into("<f", channel, 59, 1.0)  # sensitivity
            struct.pack_into("<f", channel, 71, 204.8)  # calibration
            file.write(channel)
        for first, block in (values or {}).items():
            file.seek(data + 4 * len(names) * first)
            file.write(np.ascontiguousarray(block.T, dtype="<i4").tobytes())
        file.seek(table)
        file.write(struct.pack("<BII", 1, 0, 0))  # an event table of the first kind, empty
