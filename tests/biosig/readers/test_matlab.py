"""Structs and cells of MATLAB files of both kinds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from biosig.errors import RecordError
from biosig.readers import matlab
from biosig.readers.matlab import matlab_variables, read_matlab

ARRAY = np.arange(6.0).reshape(2, 3)


def matlab5(path: Path) -> None:
    inner = np.empty((2, 1), dtype=object)
    inner[0, 0], inner[1, 0] = ARRAY, ARRAY.T
    savemat(path, {"a_eeg1": ARRAY, "person": {"cells": inner, "age": "22", "deep": {"one": 1.0}}}, do_compression=True)


def matlab73(path: Path) -> None:
    """What MATLAB writes with `-v7.3`: axes the other way round, cells as references, text as numbers."""
    with h5py.File(path, "w", userblock_size=512) as file:
        put(file, "a_eeg1", ARRAY)
        person = file.create_group("person")
        person.attrs["MATLAB_class"] = np.bytes_("struct")
        refs = file.create_group("#refs#")
        pointers = [put(refs, name, value).ref for name, value in (("b", ARRAY), ("c", ARRAY.T))]
        cells = person.create_dataset("cells", data=np.array([pointers], dtype=h5py.ref_dtype))
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
        age = person.create_dataset("age", data=np.array([[ord(letter)] for letter in "22"], "<u2"))
        age.attrs["MATLAB_class"] = np.bytes_("char")
        deep = person.create_group("deep")
        deep.attrs["MATLAB_class"] = np.bytes_("struct")
        put(deep, "one", np.ones((1, 1)))
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")


def put(group: Any, name: str, array: np.ndarray) -> Any:
    entry = group.create_dataset(name, data=array.T)
    entry.attrs["MATLAB_class"] = np.bytes_("double")
    return entry


@pytest.mark.parametrize("write", [matlab5, matlab73])
def test_structs_are_dicts_and_cells_are_lists(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "a.mat"
    write(path)
    assert dict(matlab_variables(path))["a_eeg1"] == (2, 3)
    assert set(matlab_variables(path)) == {"a_eeg1", "person"}
    assert set(read_matlab(path)) == {"a_eeg1", "person"}
    assert set(read_matlab(path, ["a_eeg1", "nothing"])) == {"a_eeg1"}
    np.testing.assert_array_equal(read_matlab(path, ["a_eeg1"])["a_eeg1"], ARRAY)
    person = read_matlab(path, ["person"])["person"]
    assert person["age"] == "22"
    assert person["deep"]["one"] == 1.0
    assert isinstance(person["cells"], list)
    for found, array in zip(person["cells"], (ARRAY, ARRAY.T), strict=True):
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("write", [matlab5, matlab73])
def test_damaged_files_are_refused(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "a.mat"
    write(path)
    content = path.read_bytes()
    for length in (0, 5, 130, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:length])
        with pytest.raises(RecordError, match=r"^a\.mat: "):
            read_matlab(path)


def test_what_is_no_matlab_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="a file that can be read"):
        read_matlab(tmp_path / "none.mat")
    (tmp_path / "a.mat").write_bytes(b"text" * 100)
    with pytest.raises(RecordError, match=r"content: expected a MATLAB file \(5 or 7\.3\), got 'neither'"):
        matlab_variables(tmp_path / "a.mat")


def test_a_dataset_beyond_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    matlab73(tmp_path / "a.mat")
    monkeypatch.setattr(matlab, "MAX_VALUES", 5)
    with pytest.raises(RecordError, match=r"^a\.mat: .*expected at most 5 values, got 6"):
        read_matlab(tmp_path / "a.mat")


def test_data_elsewhere_are_refused(tmp_path: Path) -> None:
    matlab73(tmp_path / "a.mat")
    with h5py.File(tmp_path / "a.mat", "r+") as file:
        file["secret"] = h5py.ExternalLink("/etc/passwd", "/")
    with pytest.raises(RecordError, match="data in the file itself"):
        read_matlab(tmp_path / "a.mat")


def test_a_changed_file_is_checked_again(tmp_path: Path) -> None:
    path = tmp_path / "a.mat"
    matlab5(path)
    read_matlab(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(RecordError):
        read_matlab(path)
