"""BrainVision: units, markers, and headers that are not sound."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig.errors import RecordError
from biosig.readers import read, read_brainvision
from biosig.readers.brainvision import BrainVisionHeader, parse_brainvision
from biosig.recording import Modality
from tests.biosig.readers import writers


def test_voltages_become_microvolts_and_other_units_stay(tmp_path: Path) -> None:
    record = read_brainvision(writers.brainvision(tmp_path))
    steps = 10 * np.arange(100)
    np.testing.assert_allclose(record.signal[0], steps * 0.5, rtol=1e-6)
    np.testing.assert_allclose(record.signal[1], (steps + 1) * 1.0, rtol=1e-6)
    np.testing.assert_allclose(record.signal[2], (steps + 2) * 0.1, rtol=1e-6)
    assert record.meta["units"] == {"GSR": "µS"}
    assert record.modality == (Modality.EEG, Modality.ECG, Modality.OTHER)
    assert (record.sampling_rate, record.record_id) == (500.0, "rec")


def test_markers_become_events(tmp_path: Path) -> None:
    # The marker that only says when the recording began is none.
    events = read_brainvision(writers.brainvision(tmp_path)).events
    assert [(event.onset, event.duration, event.code) for event in events] == [(0.1, 0.002, "Stimulus/S  1")]


@pytest.mark.parametrize("name", ["rec.vhdr", "rec.eeg", "rec.vmrk", "rec"])
def test_any_of_its_files_names_the_recording(tmp_path: Path, name: str) -> None:
    writers.brainvision(tmp_path)
    assert read(tmp_path / name).n_times == 100


def test_a_marker_file_may_be_missing(tmp_path: Path) -> None:
    header = writers.brainvision(tmp_path)
    (tmp_path / "rec.vmrk").unlink()
    assert read_brainvision(header).events == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("DataFile=rec.eeg", "DataFile=../secret.eeg", r"DataFile: expected a name in the header's own folder"),
        ("DataFile=rec.eeg", "DataFile=/etc/passwd", r"DataFile: expected a name in the header's own folder"),
        ("DataFile=rec.eeg", "DataFile=..", "DataFile: expected the name of a file"),
        ("DataFile=rec.eeg", "DataFile=no.eeg", "DataFile: expected a file that exists"),
        ("DataFile=rec.eeg", "", "DataFile: expected the name of a file"),
        ("MarkerFile=rec.vmrk", "MarkerFile=../rec.vmrk", "MarkerFile: expected a name in the header's own folder"),
        ("Codepage=UTF-8", "Codepage=utf-7", "Codepage: expected one that includes ASCII, got 'utf-7'"),
        ("Codepage=UTF-8", "Codepage=utf-16", "Codepage: expected one that includes ASCII"),
        ("Codepage=UTF-8", "Codepage=klingon", "Codepage: expected a known one, got 'klingon'"),
        ("NumberOfChannels=3", "NumberOfChannels=1000000", "number of channels: expected 1 to 4096, got 1000000"),
        ("NumberOfChannels=3", "NumberOfChannels=-3", "NumberOfChannels: expected an integer, got '-3'"),
        ("NumberOfChannels=3", "NumberOfChannels=4", "number of Channel Infos: expected 4, got 3"),
        ("NumberOfChannels=3", "", "NumberOfChannels: expected an integer, got ''"),
        ("SamplingInterval=2000", "SamplingInterval=0", "sampling rate by SamplingInterval: expected above 0"),
        ("SamplingInterval=2000", "SamplingInterval=soon", "SamplingInterval: expected a number of microseconds"),
        ("BinaryFormat=INT_16", "BinaryFormat=INT_17", "BinaryFormat: expected one of INT_16"),
        ("[Channel Infos]", "UseBigEndianOrder=YES\n[Channel Infos]", "UseBigEndianOrder: expected NO"),
        ("SamplingInterval=2000", "SamplingInterval=2000\nDataPoints=99", "DataFile: expected 99 samples of 6 bytes"),
        ("Ch1=Fp1,,0.5,µV", "Ch1=Fp1,,1e300,µV", "ch1: resolution: expected a number between 0 and 1e12, got '1e300'"),
        ("Ch1=Fp1", "Ch7=Fp1", "Channel Infos: expected Ch1 to Ch3, got 'ch7'"),
        ("[Common Infos]", "[Common Infos]\nDataFile=b.eeg", "sections: expected"),
        ("Brain Vision", "Mind Reading", "first line: expected Brain Vision Data Exchange Header File"),
    ],
)
def test_an_unsound_header_is_refused_naming_the_field(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in writers.BRAINVISION
    header = writers.brainvision(tmp_path, writers.BRAINVISION.replace(old, new))
    with pytest.raises(RecordError, match=rf"^rec\.vhdr: {message}") as caught:
        read_brainvision(header)
    assert str(caught.value).isprintable()


def test_samples_cut_short_are_refused(tmp_path: Path) -> None:
    header = writers.brainvision(tmp_path)
    content = (tmp_path / "rec.eeg").read_bytes()
    for length, message in [
        (599, "rec.vhdr: DataFile: expected whole samples of 6 bytes in rec.eeg, got '599 bytes'"),
        (0, "rec.vhdr: number of samples: expected at least 1"),
        (240, "rec.vmrk: Mk2: expected a position among 40 samples, got 51"),
    ]:
        (tmp_path / "rec.eeg").write_bytes(content[:length])
        with pytest.raises(RecordError) as caught:
            read_brainvision(header)
        assert str(caught.value).startswith(message)


@pytest.mark.parametrize("name", ["rec.eeg", "rec.vmrk"])
@pytest.mark.parametrize("marker_file", ["rec.vmrk", "missing.vmrk", ""])
def test_links_out_of_the_folder_are_refused(tmp_path: Path, name: str, marker_file: str) -> None:
    (tmp_path / "folder").mkdir()
    header = writers.brainvision(tmp_path / "folder", writers.BRAINVISION.replace("rec.vmrk", marker_file))
    (tmp_path / "folder" / name).rename(tmp_path / "secret")
    (tmp_path / "folder" / name).symlink_to(tmp_path / "secret")
    with pytest.raises(RecordError, match="not a link out of it"):
        read_brainvision(header)


def parsed(content: bytes) -> BrainVisionHeader | str:
    """The header, or the refusal."""
    try:
        return parse_brainvision(content, "a.vhdr")
    except RecordError as error:
        return str(error)


GOOD = writers.BRAINVISION.encode()
PIECES = st.sampled_from(
    [b"=", b"[", b"]", b"\n", b"\0", b"%(x)s", b"Ch1=", b",", b"Codepage=utf-7\n", b"\xff", b"-1", b"9" * 5000]
)


@settings(deadline=None)
@given(
    st.one_of(
        st.binary(max_size=100),
        st.lists(PIECES | st.sampled_from(GOOD.splitlines(keepends=True)), max_size=20).map(b"".join),
    )
)
def test_any_bytes_parse_or_are_refused(content: bytes) -> None:
    found = parsed(b"Brain Vision Data Exchange Header File\n" + content)
    assert isinstance(found, BrainVisionHeader) or (found.startswith("a.vhdr: ") and found.isprintable())


@settings(deadline=None)
@given(st.integers(0, len(GOOD)), st.integers(0, 8), st.binary(max_size=4) | PIECES)
def test_any_change_of_a_good_header_parses_or_is_refused(at: int, length: int, new: bytes) -> None:
    found = parsed(GOOD[:at] + new + GOOD[at + length :])
    assert isinstance(found, BrainVisionHeader) or found.isprintable()


def test_a_valid_header_is_read_as_it_is() -> None:
    assert parse_brainvision(GOOD, "a.vhdr") == BrainVisionHeader(
        data_file="rec.eeg",
        marker_file="rec.vmrk",
        sampling_rate=500.0,
        channels=(("Fp1", "µV"), ("ECG", "mV"), ("GSR", "µS")),
        sample_bytes=2,
        n_samples=None,
    )
