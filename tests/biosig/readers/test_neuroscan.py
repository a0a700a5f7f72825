"""Neuroscan files: the right stretch in microvolts, whatever the header's count of samples says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.errors import RecordError
from biosig.readers import read, read_cnt
from biosig.recording import Modality
from tests.biosig.corpora.emotion_files import write_cnt

NAMES = ("FP1", "CB1", "VEO", "M1")
VALUES = np.arange(4 * 50).reshape(4, 50) - 100


def written(folder: Path, **options: int) -> Path:
    write_cnt(folder / "a.cnt", NAMES, 100, 400, values={200: VALUES}, **options)
    return folder / "a.cnt"


@pytest.mark.parametrize("declared", [400, 7, -5, 2**31 - 1])
def test_whole_and_in_part(tmp_path: Path, declared: int) -> None:
    path = written(tmp_path, declared=declared)
    whole = read(path)
    assert whole.channels == ("Fp1", "CB1", "VEO", "M1")
    assert whole.modality == (Modality.EEG, Modality.EEG, Modality.EOG, Modality.EEG)
    assert (whole.sampling_rate, whole.n_times) == (100.0, 400)
    np.testing.assert_allclose(whole.signal[:, 200:250], VALUES, atol=1e-4)
    assert not whole.signal[:, :200].any()
    part = read_cnt(path, 2.0, 2.5)
    np.testing.assert_array_equal(part.signal, whole.signal[:, 200:250])
    np.testing.assert_array_equal(read_cnt(path, 2.0).signal, whole.signal[:, 200:])
    np.testing.assert_array_equal(read_cnt(path, 3.5, 4.0).signal, whole.signal[:, 350:])


@pytest.mark.parametrize(("start", "stop", "found"), [(2.0, 5.0, "at least 5 s, got '4 s'"), (9.0, None, "at least 9")])
def test_a_stretch_beyond_the_end_is_refused(tmp_path: Path, start: float, stop: float | None, found: str) -> None:
    with pytest.raises(RecordError, match=rf"^a\.cnt: length: expected {found}"):
        read_cnt(written(tmp_path), start, stop)


def test_damaged_headers_are_refused(tmp_path: Path) -> None:
    path = written(tmp_path)
    content = path.read_bytes()
    for at, value, message in (
        (0, b"Vision", "900 bytes that begin with 'Version'"),
        (370, b"\xff\xff", r"number of channels: expected 1 to \d+"),
        (370, b"\0\0", "number of channels"),
    ):
        path.write_bytes(content[:at] + value + content[at + len(value) :])
        with pytest.raises(RecordError, match=message):
            read_cnt(path)


@pytest.mark.parametrize("length", [0, 12, 899, 900, 1000, 1199])
def test_a_file_cut_in_its_header_is_refused(tmp_path: Path, length: int) -> None:
    path = written(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(RecordError, match=r"^a\.cnt: "):
        read_cnt(path)
