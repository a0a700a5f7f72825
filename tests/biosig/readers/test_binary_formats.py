"""GDF, EGI and FIF: units, events, and headers that are not sound."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig.errors import RecordError
from biosig.readers import read, read_egi, read_fif, read_gdf
from biosig.readers.gdf import GdfHeader, parse_gdf_header
from biosig.recording import Modality
from tests.biosig.readers import writers

mne = pytest.importorskip("mne")
SAMPLES = np.arange(60).reshape(3, 20)


@pytest.mark.parametrize(
    ("unit", "factor", "kept"),
    [(4275, 1, None), (4274, 1e3, None), (4256, 1e6, None), (512, 1, "none"), (99, 1, "code 99")],
)
def test_gdf_units_are_converted_or_told(tmp_path: Path, unit: int, factor: float, kept: str | None) -> None:
    record = read_gdf(writers.gdf(tmp_path / "a.gdf", SAMPLES, unit=unit))
    np.testing.assert_allclose(record.signal, SAMPLES * 0.1 * factor, rtol=1e-4, atol=1e-3 * factor)
    assert record.meta.get("units") == (None if kept is None else dict.fromkeys(record.channels, kept))
    assert (record.channels, record.sampling_rate) == (("C3", "C4", "C5"), 10.0)
    assert set(record.modality) == {Modality.OTHER if unit == 99 else Modality.EEG}


def test_gdf_events_have_their_type_as_code(tmp_path: Path) -> None:
    events = read_gdf(writers.gdf(tmp_path / "a.gdf", SAMPLES)).events
    assert [(event.onset, event.code) for event in events] == [(0.5, "769")]


@pytest.mark.parametrize(
    ("at", "new", "message"),
    [
        (0, b"GDX", "version: expected GDF 1.xx or GDF 2.xx"),
        (0, b"GDF 3.00", "version: expected GDF 1.xx or GDF 2.xx"),
        (184, struct.pack("<H", 9), "header length: expected 1024 bytes for 3 channels, got 1"),
        (
            236,
            struct.pack("<q", 3),
            "number of data records: expected 2, as many as the file holds .is it whole.., got 3",
        ),
        (236, struct.pack("<q", -1), "number of data records: expected at least 1, got -1"),
        (236, struct.pack("<q", 2**62), "number of data records: expected 2, as many as the file holds"),
        (244, bytes(4), "duration of a data record: expected more than 0 s, got '0/1'"),
        (252, struct.pack("<H", 0), "number of channels: expected 1 to 4096, got 0"),
        (252, struct.pack("<H", 65535), "number of channels: expected 1 to 4096, got 65535"),
        (256 + 216 * 3, struct.pack("<i", -10), "channel 1: samples in a data record: expected at least 1, got -10"),
        (256 + 216 * 3, struct.pack("<i", 2**30), "sampling rate: expected above 0, at most"),
        (256 + 220 * 3, struct.pack("<i", 20), "channel 1: type: expected one numeric type"),
        (256 + 220 * 3 + 4, struct.pack("<i", 5), "channel 2: type: expected one numeric type"),
        (1024 + 120 + 1, b"\xff\xff\xff", "number of events: expected a table of at most 6 bytes, got 16777215"),
    ],
)
def test_an_unsound_gdf_is_refused_naming_the_field(tmp_path: Path, at: int, new: bytes, message: str) -> None:
    path = writers.gdf(tmp_path / "a.gdf", SAMPLES, change=(at, new))
    with pytest.raises(RecordError, match=rf"^a\.gdf: {message}"):
        read_gdf(path)


@pytest.mark.parametrize("length", [0, 8, 255, 256, 1023, 1024, 1143])
def test_a_gdf_cut_short_is_refused(tmp_path: Path, length: int) -> None:
    path = writers.gdf(tmp_path / "a.gdf", SAMPLES)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(RecordError, match=r"^a\.gdf: "):
        read_gdf(path)


@settings(deadline=None)
@given(st.binary(max_size=700).map(lambda tail: b"GDF 2.20" + tail) | st.binary(min_size=300, max_size=700))
def test_any_bytes_are_a_gdf_header_or_refused(content: bytes) -> None:
    try:
        found: GdfHeader | str = parse_gdf_header(content, "a.gdf")
    except RecordError as error:
        found = str(error)
    assert isinstance(found, GdfHeader) or found.startswith("a.gdf: ")


def test_egi_event_channels_become_events(tmp_path: Path) -> None:
    record = read_egi(writers.egi(tmp_path / "a.raw"))
    assert (record.channels, record.signal.shape, record.sampling_rate) == (("E1", "E2"), (2, 20), 250.0)
    assert [(event.onset, event.code) for event in record.events] == [(0.02, "GO__")]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 3}, "version: expected 2, 4 or 6"),
        ({"version": 6}, "number of samples: expected 520 bytes for 20 of them, got '160 bytes'"),
        ({"n_samples": 21}, "number of samples: expected 166 bytes for 21 of them"),
        ({"n_samples": -1}, "number of samples: expected at least 1"),
        ({"n_samples": 2**31 - 1}, "number of samples: expected at most"),
        ({"n_channels": -2}, "number of channels: expected 1 to 4096, got -2"),
        ({"rate": 0}, "sampling rate: expected above 0"),
    ],
)
def test_an_unsound_egi_is_refused_naming_the_field(tmp_path: Path, changes: dict[str, int], message: str) -> None:
    with pytest.raises(RecordError, match=rf"^a\.raw: {message}"):
        read_egi(writers.egi(tmp_path / "a.raw", **changes))


def raw(**changes: Any) -> Any:
    """A recording in MNE's memory: two electrodes, an ECG, a magnetometer and triggers; it begins at sample 100."""
    info = mne.create_info(
        ["Fp1", "T3", "ECG", "MEG 1", "STI 014", "STI 001"], 100.0, ["eeg", "eeg", "ecg", "mag", "stim", "stim"]
    )
    data = np.zeros((6, 500))
    data[:4] = np.arange(500) * np.array([1e-6, 2e-6, 1e-3, 1e-12])[:, None]
    data[4:, 200:210] = 5
    data[4, 210:220] = 6
    found = mne.io.RawArray(data, info, first_samp=100, verbose="error")
    found.set_annotations(mne.Annotations([1.0], [0.5], ["blink"]))
    return found


def test_fif_keeps_units_triggers_and_time(tmp_path: Path) -> None:
    raw().save(tmp_path / "a_raw.fif", verbose="error")
    record = read(tmp_path / "a_raw.fif")
    assert record.channels == ("Fp1", "T7", "ECG", "MEG 1")
    assert record.modality == (Modality.EEG, Modality.EEG, Modality.ECG, Modality.OTHER)
    np.testing.assert_allclose(record.signal, np.arange(500) * np.array([[1], [2], [1e3], [1e-12]]), rtol=1e-5)
    assert record.meta["units"] == {"MEG 1": "T"}
    found = [(event.onset, event.duration, event.code, event.text) for event in record.events]
    assert found == [(1.0, 0.5, "blink", ""), (2.0, 0.0, "5", "STI 014"), (2.1, 0.0, "6", "STI 014")]


def test_what_was_not_recorded_is_nan(tmp_path: Path) -> None:
    source = raw()
    source.set_annotations(mne.Annotations([1.0], [0.5], ["BAD_ACQ_SKIP"]))
    source.save(tmp_path / "a_raw.fif", verbose="error")
    gaps = np.isnan(read_fif(tmp_path / "a_raw.fif").signal)
    np.testing.assert_array_equal(np.flatnonzero(gaps.all(0)), np.arange(100, 150))
    assert gaps.sum() == 4 * 50


def test_parts_of_a_split_fif_are_joined_but_not_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    source = mne.io.RawArray(np.zeros((4, 200_000)), mne.create_info(4, 100.0, "eeg"), verbose="error")
    source.save(tmp_path / "in/a_raw.fif", split_size="2MB", verbose="error")
    parts = sorted((tmp_path / "in").glob("a_raw-*.fif"))
    assert len(parts) >= 1
    assert read_fif(tmp_path / "in/a_raw.fif").n_times == 200_000
    parts[0].rename(tmp_path / "secret.fif")
    parts[0].symlink_to(tmp_path / "secret.fif")
    with pytest.raises(RecordError, match=r"a_raw\.fif: data file: expected a file in the header's own folder"):
        read_fif(tmp_path / "in/a_raw.fif")
    parts[0].unlink()
    with pytest.raises(RecordError, match=r"a_raw\.fif: content: "):
        read_fif(tmp_path / "in/a_raw.fif")


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_a_fif_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "a_raw.fif"
    raw().save(path, verbose="error")
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(RecordError, match=r"^a_raw\.fif: "):
        read_fif(path)


def test_triggers_alone_are_no_recording(tmp_path: Path) -> None:
    raw().pick(["STI 014"]).save(tmp_path / "a_raw.fif", verbose="error")
    with pytest.raises(RecordError, match=r"signals: expected at least one channel besides triggers"):
        read_fif(tmp_path / "a_raw.fif")
