"""EEGLAB: continuous and cut into epochs, samples inside and beside, and files that reach elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosig.errors import RecordError
from biosig.readers import read, read_eeglab
from biosig.readers.hdf5 import check_contained, is_hdf5
from biosig.recording import Modality
from tests.biosig.readers import writers

h5py = pytest.importorskip("h5py")


def test_samples_inside_are_microvolts(tmp_path: Path) -> None:
    record = read_eeglab(writers.eeglab(tmp_path))
    np.testing.assert_allclose(record.signal, np.arange(100, dtype=np.float32).reshape(2, 50, order="F"))
    assert (record.channels, record.sampling_rate) == (("Fp1", "Fz"), 100.0)
    assert record.modality == (Modality.EEG, Modality.EEG)
    assert [(event.onset, event.code) for event in record.events] == [(pytest.approx(0.09), "go")]


def beside(folder: Path, **options: Any) -> Path:
    path = writers.eeglab(folder, data="rec.fdt", **options)
    np.arange(100, dtype="<f4").tofile(folder / "rec.fdt")
    return path


@pytest.mark.parametrize("name", ["rec.set", "rec.fdt", "rec"])
def test_samples_beside_are_found_by_either_name(tmp_path: Path, name: str) -> None:
    beside(tmp_path)
    np.testing.assert_allclose(read(tmp_path / name).signal, np.arange(100).reshape(2, 50, order="F"), rtol=1e-6)


def test_epochs_are_put_one_after_the_other(tmp_path: Path) -> None:
    record = read_eeglab(writers.eeglab(tmp_path, trials=3))
    np.testing.assert_allclose(record.signal, np.arange(300, dtype=np.float32).reshape(2, 150, order="F"))
    epochs = [event for event in record.events if event.code == "epoch"]
    assert [(event.onset, event.duration, event.text) for event in epochs] == [(i * 0.5, 0.5, "go") for i in range(3)]
    locked = [event.onset for event in record.events if event.code == "go"]
    np.testing.assert_allclose(locked, [0.1, 0.6, 1.1], atol=1e-6)
    assert record.meta["epochs"] == 3


@pytest.mark.parametrize("length", [0, 399, 404])
def test_samples_of_another_length_are_refused(tmp_path: Path, length: int) -> None:
    path = beside(tmp_path)
    (tmp_path / "rec.fdt").write_bytes(bytes(length))
    with pytest.raises(RecordError, match=rf"^rec\.set: data: expected 400 bytes in rec\.fdt, got {length}"):
        read_eeglab(path)


@pytest.mark.parametrize(
    "changes",
    [{"pnts": 1e12}, {"pnts": -5.0}, {"srate": 0.0}, {"srate": -1.0}, {"srate": 1e9}, {"srate": "x"}],
)
def test_absurd_fields_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(RecordError, match=r"^rec\.set: ") as caught:
        read_eeglab(beside(tmp_path, **changes))
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("trials", [1, 3])
@pytest.mark.parametrize("name", ["../secret.fdt", "folder/../../secret.fdt", "{root}/secret.fdt"])
def test_samples_outside_the_folder_are_refused(tmp_path: Path, trials: int, name: str) -> None:
    np.arange(100 * trials, dtype="<f4").tofile(tmp_path / "secret.fdt")
    (tmp_path / "in/folder").mkdir(parents=True)
    path = writers.eeglab(tmp_path / "in", trials=trials, data=name.format(root=tmp_path))
    with pytest.raises(RecordError, match="the header's own folder"):
        read_eeglab(path)


@pytest.mark.parametrize("trials", [1, 3])
@pytest.mark.parametrize("named", ["rec.fdt", "renamed.fdt"])
def test_links_out_of_the_folder_are_refused(tmp_path: Path, trials: int, named: str) -> None:
    # MNE takes the file called like the header where the named one is missing.
    np.arange(100 * trials, dtype="<f4").tofile(tmp_path / "secret.fdt")
    (tmp_path / "in").mkdir()
    path = writers.eeglab(tmp_path / "in", trials=trials, data=named)
    (tmp_path / "in/rec.fdt").symlink_to(tmp_path / "secret.fdt")
    with pytest.raises(RecordError, match=r"the header's own folder|a file that exists"):
        read_eeglab(path)


@pytest.mark.parametrize(
    "content", [b"", b"MATLAB", b"\x89HDF\r\n\x1a\n" + bytes(600), bytes(126) + b"IM" + b"\xff" * 64]
)
def test_what_is_no_matlab_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rec.set").write_bytes(content)
    with pytest.raises(RecordError, match=r"^rec\.set: "):
        read_eeglab(tmp_path / "rec.set")


def test_hdf5_that_takes_data_from_elsewhere_is_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = np.arange(4.0)
    np.arange(4.0).tofile(tmp_path / "secret.bin")
    with h5py.File(tmp_path / "link.set", "w") as file:
        file["EEG/data"] = h5py.ExternalLink("secret.h5", "data")
    with h5py.File(tmp_path / "storage.set", "w") as file:
        file.create_dataset("EEG/data", (4,), "f8", external=[(str(tmp_path / "secret.bin"), 0, 32)])
    with h5py.File(tmp_path / "virtual.set", "w") as file:
        layout = h5py.VirtualLayout((4,), "f8")
        layout[:] = h5py.VirtualSource(tmp_path / "secret.h5", "data", (4,))
        file.create_virtual_dataset("EEG/data", layout)
    for name, found in [("link", "a link to secret.h5"), ("storage", "external"), ("virtual", "external")]:
        with pytest.raises(
            RecordError, match=rf"{name}\.set: /EEG/?/?data: expected data in the file itself, got .*{found}"
        ):
            read_eeglab(tmp_path / f"{name}.set")


def test_hdf5_with_links_within_is_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.set"
    with h5py.File(path, "w") as file:
        file["EEG/data"] = np.arange(4.0)
        file["again"] = h5py.SoftLink("/EEG/data")
        file["EEG/ring"] = file["EEG"]
    assert is_hdf5(path)
    check_contained(path)
