"""The structure of MATLAB 5 files: sound ones pass, damaged ones never reach scipy's parser."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from biosig.errors import RecordError
from biosig.readers.mat5 import check_mat5, is_mat5

CONTENT: dict[str, Any] = {
    "numbers": np.arange(6.0).reshape(2, 3),
    "complex": np.array([1 + 2j, 3]),
    "small": np.array([1, 2], np.int8),
    "flag": np.array([True]),
    "text": "Höhe",
    "none": np.zeros((0, 0)),
    "cells": np.array([np.arange(3), "a"], dtype=object),
    "struct": {"a": {"b": 1.0}, "c": np.array([("x", 1), ("y", 2)], dtype=[("name", object), ("number", object)])},
}


def written(folder: Path, *, compressed: bool = False) -> Path:
    savemat(folder / "a.mat", CONTENT, do_compression=compressed, oned_as="row")
    return folder / "a.mat"


@pytest.mark.parametrize("compressed", [False, True])
def test_what_scipy_writes_passes(tmp_path: Path, compressed: bool) -> None:
    path = written(tmp_path, compressed=compressed)
    assert is_mat5(path)
    check_mat5(path)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_cut_short_is_refused(tmp_path: Path, compressed: bool) -> None:
    path = written(tmp_path, compressed=compressed)
    content = path.read_bytes()
    for length in range(130, len(content), 37):
        path.write_bytes(content[:length])
        try:
            check_mat5(path)
        except RecordError as error:
            assert str(error).startswith("a.mat: byte ")  # noqa: PT017  a cut between variables is none
        else:
            assert not compressed or length != len(content) - 1


def array(flags: int, dims: tuple[int, ...], body: bytes) -> bytes:
    lengths = struct.pack(f"<{len(dims)}i", *dims).ljust(-(-len(dims) // 2) * 8, b"\0")
    inner = struct.pack("<IIII", 6, 8, flags, 0) + struct.pack("<II", 5, 4 * len(dims)) + lengths
    inner += struct.pack("<HHI", 1, 1, ord("a")) + body
    return struct.pack("<II", 14, len(inner)) + inner


def numbers(n_bytes: int) -> bytes:
    return struct.pack("<II", 9, n_bytes) + bytes(n_bytes)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (array(6, (2, 3), numbers(40)), "values: expected 6 of them, got 'type 9, 40 bytes'"),
        (array(6, (2, 3), b""), "values: expected a whole element"),
        (array(6, (-1, 3), numbers(0)), "dimensions: expected at most"),
        (array(6, (2**30, 2**30), numbers(0)), "dimensions: expected at most"),
        (array(4, (1, 9), numbers(0)), "text: expected 9 of them"),
        (array(1, (1, 2**20), b""), "arrays: expected 1048576 of them, got '0 bytes'"),
        (array(2, (1, 1), struct.pack("<HHi", 5, 4, 0)), "length of a field name: expected 1 to 1024, got 0"),
        (array(17, (1, 1), b""), "class: expected cells, a struct, text or numbers, got 17"),
        (struct.pack("<II", 14, 2**31) + bytes(64), "variable: expected at most 64 bytes, got 2147483648"),
        (struct.pack("<II", 9, 8) + bytes(8), "type: expected an array, got 9"),
        (struct.pack("<II", 15, 8) + bytes(8), "compressed array: expected zlib data"),
    ],
)
def test_elements_that_do_not_fit_are_refused(tmp_path: Path, body: bytes, message: str) -> None:
    (tmp_path / "a.mat").write_bytes(bytes(124) + b"\0\x01IM" + body)
    with pytest.raises(RecordError, match=rf"^a\.mat: byte \d+: {message}"):
        check_mat5(tmp_path / "a.mat")


def test_arrays_too_deep_in_each_other_are_refused(tmp_path: Path) -> None:
    body = array(6, (1, 1), numbers(8))
    for _ in range(100):
        body = array(1, (1, 1), body)
    (tmp_path / "a.mat").write_bytes(bytes(124) + b"\0\x01IM" + body)
    with pytest.raises(RecordError, match="expected at most 64 arrays within each other"):
        check_mat5(tmp_path / "a.mat")


def test_what_unpacks_to_more_than_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("biosig.readers.mat5._LARGEST", 1000)
    packed = zlib.compress(bytes(10_000))
    (tmp_path / "a.mat").write_bytes(bytes(124) + b"\0\x01IM" + struct.pack("<II", 15, len(packed)) + packed)
    with pytest.raises(RecordError, match="compressed array: expected a whole array of at most 1000 bytes"):
        check_mat5(tmp_path / "a.mat")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(128, 1500), st.integers(0, 255)), min_size=1, max_size=3))
def test_any_change_passes_or_is_refused(tmp_path: Path, changes: list[tuple[int, int]]) -> None:
    content = bytearray(written(tmp_path).read_bytes())
    for at, value in changes:
        content[at % len(content)] = value
    (tmp_path / "b.mat").write_bytes(content)
    message = ""
    try:
        check_mat5(tmp_path / "b.mat")
    except RecordError as error:
        message = str(error)
    assert message == "" or message.startswith("b.mat: byte ")
