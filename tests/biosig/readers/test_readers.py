"""The registry: every reader, and every file of the formats that the MNE project tests with."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from biosig.errors import RecordError
from biosig.readers import READERS, read
from biosig.readers.choose import choose
from biosig.readers.wfdb_header import Header, Signal, format_header
from tests.biosig.readers import writers

EXTENSIONS = [(name, extension) for name in READERS for extension in READERS[name].extensions]


def test_no_two_readers_claim_an_extension() -> None:
    own = [extension for _, extension in EXTENSIONS]
    assert len(set(own)) == len(own)
    companions = {extension for name in READERS for extension in READERS[name].companions}
    assert not companions & set(own)
    assert all(extension == extension.lower() and extension[0] == "." for extension in [*own, *companions])


@pytest.mark.parametrize(("name", "extension"), EXTENSIONS)
@pytest.mark.parametrize("content", [b"", b"\0", b"nonsense\n" * 50, bytes(range(256)) * 20])
def test_every_reader_refuses_nonsense_in_one_line(tmp_path: Path, name: str, extension: str, content: bytes) -> None:
    path = tmp_path / f"rec{extension}"
    path.write_bytes(content)
    assert choose(path) == (name, path)
    with pytest.raises(RecordError, match=rf"^rec{extension}: ") as caught:
        read(path)
    assert str(caught.value).isprintable()
    assert caught.value.path == path


@pytest.mark.parametrize("name", READERS)
def test_every_reader_refuses_a_file_that_is_not_there(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"missing{READERS[name].extensions[0]}"
    with pytest.raises(RecordError, match="missing"):
        READERS[name].read(path)
    with pytest.raises(RecordError, match="file: expected one recording of that name, got 'none'"):
        read(path)


@pytest.mark.parametrize("path", ["", ".", "..", "/", "made"])
def test_a_folder_is_no_recording(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    (tmp_path / "made").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        RecordError, match="expected a recording, got 'a folder \\(`biosig prepare` makes a store of one\\)'"
    ):
        read(path)


def wfdb_record(folder: Path, samples: str = "rec.mat") -> None:
    np.arange(20, dtype="<i2").tofile(folder / samples)
    header = Header("rec", 2, 100.0, 10, (Signal(samples, 16), Signal(samples, 16)))
    (folder / "rec.hea").write_text(format_header(header))


@pytest.mark.parametrize("name", ["rec", "rec.hea", "rec.mat"])
def test_a_challenge_record_is_found_by_any_of_its_names(tmp_path: Path, name: str) -> None:
    wfdb_record(tmp_path)
    assert choose(tmp_path / name) == ("wfdb", tmp_path / "rec.hea")
    assert read(tmp_path / name).n_times == 10


def test_a_file_without_its_header_says_what_is_missing(tmp_path: Path) -> None:
    for name, missing in [
        ("rec.mat", r"a \.hea file"),
        ("rec.fdt", r"a \.set file"),
        ("rec.dat", r"a \.vhdr file or a \.hea file"),
    ]:
        (tmp_path / name).write_bytes(b"nothing")
        with pytest.raises(RecordError, match=rf"{name}: file: expected {missing} beside it"):
            read(tmp_path / name)


def test_samples_are_told_apart_by_the_header_beside_them(tmp_path: Path) -> None:
    writers.brainvision(tmp_path, writers.BRAINVISION.replace("rec.eeg", "rec.dat"))
    (tmp_path / "rec.eeg").rename(tmp_path / "rec.dat")
    assert choose(tmp_path / "rec.dat") == ("brainvision", tmp_path / "rec.vhdr")
    assert read(tmp_path / "rec.dat").n_times == 100


def test_a_name_that_could_be_two_recordings_is_refused(tmp_path: Path) -> None:
    wfdb_record(tmp_path)
    writers.edf(tmp_path / "rec.edf", [{"label": "Cz"}], [[[0] * 4]])
    with pytest.raises(RecordError, match=r"file: expected one recording of that name, got 'rec\.edf, rec\.hea'"):
        read(tmp_path / "rec")


def test_content_tells_where_the_extension_is_wrong_or_unknown(tmp_path: Path) -> None:
    writers.edf(tmp_path / "a.rec", [{"label": "Cz"}], [[[0] * 4]]).rename(tmp_path / "a.gdf")
    assert read(tmp_path / "a.gdf").meta["format"] == "edf"
    (tmp_path / "a.xyz").write_bytes(b"nothing")
    with pytest.raises(RecordError, match=r"a\.xyz: extension: expected one of .*\.edf \.bdf .*, got '\.xyz'"):
        read(tmp_path / "a.xyz")


def test_extensions_in_capitals_are_known(tmp_path: Path) -> None:
    path = writers.edf(tmp_path / "A.EDF", [{"label": "Cz"}], [[[0] * 4]])
    assert read(path).channels == ("Cz",)


def test_importing_the_readers_imports_no_library_behind_them() -> None:
    code = (
        "import sys, biosig.readers; print([m for m in ('mne', 'wfdb', 'h5py', 'torch', 'pandas') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


# Files of the MNE project ----------------------------------------------------------------------------------------

# Name: channels, sampling rate, samples, events. None: refused, because it holds annotations alone.
FORMATS: dict[str, tuple[int, float, int, int] | None] = {
    "mne-python/duplicate_channel_labels.edf": (3, 250, 2500, 0),
    "mne-python/test.bdf": (72, 2048, 2048, 1),
    "mne-python/test.edf": (138, 512, 3072, 18),
    "mne-python/test.vhdr": (32, 1000, 7900, 13),
    "mne-python/test_edf_stim_channel.edf": (25, 128, 1228, 0),
    "mne-python/test_egi.raw": (256, 250, 77, 2),
    "mne-python/test_stim_channel.edf": (1, 200, 120000, 4800),
    "mne-python/test_umd-raw.sqd": (192, 1000, 100, 0),
    "mne-python/test_uneven_samp.edf": (2, 100, 11000, 0),
    "mne-testing/BDF/test_bdf_stim_channel.bdf": (3, 500, 5000, 9),
    "mne-testing/Brainvision/test_NO.vhdr": (65, 5000, 2238, 0),
    "mne-testing/EDF/SC4001EC-Hypnogram.edf": None,
    "mne-testing/EDF/subsecond_starttime.edf": (3, 512, 2560, 2),
    "mne-testing/EDF/test_edf_overlapping_annotations.edf": (64, 128, 15872, 38),
    "mne-testing/EDF/test_reduced.edf": (138, 512, 3072, 18),
    "mne-testing/EDF/test_utf8_annotations.edf": (11, 200, 2000, 2),
    "mne-testing/EEGLAB/test_epochs_onefile.set": (2, 50, 32, 8),
    "mne-testing/EEGLAB/test_raw.set": (32, 128, 30504, 154),
    "mne-testing/EEGLAB/test_raw_2021.set": (3, 128, 1281, 6),
    "mne-testing/EEGLAB/test_raw_chanloc.set": (61, 128, 385, 2),
    "mne-testing/EEGLAB/test_raw_event_duration.set": (1, 128, 513, 3),
    "mne-testing/EEGLAB/test_raw_h5.set": (32, 128, 30504, 154),
    "mne-testing/GDF/test_1ch.gdf": (1, 150, 4500, 0),
    "mne-testing/misc/neuromag122_test_file-raw.fif": (122, 1000, 1001, 0),
    "mne-testing/montage/bv_dig_raw.fif": (67, 5000, 5000, 2),
}


@pytest.mark.real
def test_every_file_of_every_format_is_listed(biosig_data: Path) -> None:
    root = biosig_data / "formats"
    recordings = {
        str(path.relative_to(root))
        for path in root.rglob("*")
        if path.name.lower().endswith(tuple(e for _, e in EXTENSIONS))
    }
    assert recordings == set(FORMATS)


@pytest.mark.real
@pytest.mark.parametrize("name", FORMATS)
def test_every_file_of_every_format_is_read(biosig_data: Path, name: str) -> None:
    expected = FORMATS[name]
    if expected is None:
        with pytest.raises(RecordError, match="annotations only"):
            read(biosig_data / "formats" / name)
        return
    record = read(biosig_data / "formats" / name)
    found = len(record.channels), record.sampling_rate, record.n_times, len(record.events)
    assert found == expected
    assert np.isfinite(record.signal).all()
    assert all(0 <= event.onset <= record.duration for event in record.events)


@pytest.mark.real
@pytest.mark.parametrize("name", [name for name, expected in FORMATS.items() if expected and "epochs" not in name])
def test_samples_are_those_that_mne_gives(biosig_data: Path, name: str) -> None:
    import mne

    path = biosig_data / "formats" / name
    raw = (mne.io.read_raw_egi if path.suffix == ".raw" else mne.io.read_raw)(path, verbose="error")
    rows = [row for row, kind in enumerate(raw.get_channel_types()) if kind != "stim"]
    theirs = raw.get_data(picks=rows)
    record = read(path)
    for row, channel in enumerate(record.channels):
        unit = record.meta.get("units", {}).get(channel)
        factor = 1e6 if unit in (None, "µS", "uS") else 1.0
        np.testing.assert_allclose(record.signal[row], theirs[row] * factor, rtol=2e-6, atol=1e-30)


@pytest.mark.real
@pytest.mark.parametrize("name", [name for name, expected in FORMATS.items() if expected])
@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_file_cut_short_is_refused(biosig_data: Path, tmp_path: Path, name: str, share: float) -> None:
    path = biosig_data / "formats" / name
    for companion in path.parent.glob(f"{path.stem}.*"):
        if companion.suffix in READERS[choose(path)[0]].companions:
            (tmp_path / companion.name).write_bytes(companion.read_bytes())
    # Of a header in text, only the part that describes the samples.
    content = path.read_bytes().partition(b"[Comment]")[0]
    (tmp_path / path.name).write_bytes(content[: int(share * len(content))])
    with pytest.raises(RecordError) as caught:
        read(tmp_path / path.name)
    assert str(caught.value).isprintable()
