"""CHB-MIT: seizures from the summaries, one person under two numbers, channels that are empty or there twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig.corpora import CORPORA, Entries
from biosig.corpora.chb_mit import summarised
from biosig.errors import RecordError
from biosig.quality import flags
from biosig.recording import Recording
from tests.biosig.corpora.synthetic_eeg import CHB_MIT, chb_mit, chb_signal, write_edf

CORPUS = CORPORA["chb-mit"]


def read(folder: Path, record: str) -> Recording:
    return CORPUS.read(next(entry for entry in CORPUS.find(folder) if entry.record_id == record))


def write(folder: Path, *lines: str) -> None:
    """One file, and a summary of these lines about it."""
    write_edf(folder / "chb02_16+.edf", CHB_MIT, chb_signal(), 256.0)
    if lines:
        (folder / "chb02-summary.txt").write_text("\n".join(["File Name: chb02_16+.edf", *lines]))


def test_case_21_is_the_girl_of_case_1(tmp_path: Path) -> None:
    chb_mit(tmp_path)
    first, later = read(tmp_path, "chb01_03"), read(tmp_path, "chb21_19")
    assert first.subject_id == later.subject_id
    assert (first.session, later.session) == ("chb01", "chb21")


def test_empty_and_equal_channels_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, "Number of Seizures in File: 0")
    recording = read(tmp_path, "chb02_16+")
    assert recording.channels[:2] == ("Fp1-F7", "F7-T7")
    assert "T8-P8" in recording.channels
    assert len(recording.channels) == 22
    assert len(recording.meta["left_out"]) == 4
    assert not {"flat", "unplaced"} & set(flags(recording))
    np.testing.assert_allclose(recording.signal[recording.channels.index("T8-P8")], chb_signal()[14], atol=0.51)


def test_channels_of_one_name_that_differ_are_both_kept(tmp_path: Path) -> None:
    signal = chb_signal()
    signal[22] = -signal[14]
    write_edf(tmp_path / "chb02_01.edf", CHB_MIT, signal, 256.0)
    recording = read(tmp_path, "chb02_01")
    assert {"T8-P8-0", "T8-P8-1"} <= set(recording.channels)
    assert len(recording.channels) == 23


def test_a_file_of_empty_channels_is_refused(tmp_path: Path) -> None:
    write_edf(tmp_path / "chb02_01.edf", ["-", "-"], np.zeros((2, 512)), 256.0)
    with pytest.raises(RecordError, match=r"chb02_01\.edf: channels: expected electrodes"):
        read(tmp_path, "chb02_01")


def test_without_a_summary_a_file_is_flagged(tmp_path: Path) -> None:
    write(tmp_path)
    recording = read(tmp_path, "chb02_16+")
    assert "unannotated" in flags(recording)
    assert recording.codes == ()


def test_a_file_that_the_summary_does_not_list_is_flagged_and_the_other_way_round_missing(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "chb02-summary.txt").write_text("File Name: chb02_01.edf\nNumber of Seizures in File: 0\n")
    found = CORPUS.find(tmp_path)
    assert isinstance(found, Entries)
    assert found.missing == ("chb02_01",)
    assert "unannotated" in flags(CORPUS.read(found[0]))


def test_a_seizure_after_the_end_is_flagged(tmp_path: Path) -> None:
    lines = ("Number of Seizures in File: 1", "Seizure Start Time: 1 seconds", "Seizure End Time: 9 seconds")
    write(tmp_path, *lines)
    assert "outside" in flags(read(tmp_path, "chb02_16+"))


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("Number of Seizures in File: 1",), "expected 1 starts and ends of seizures"),
        (
            ("Number of Seizures in File: 1", "Seizure 1 Start Time: 1 seconds"),
            "expected 1 starts and ends of seizures",
        ),
        (
            ("Number of Seizures in File: 1", "Seizure Start Time: 2 seconds", "Seizure End Time: 2 seconds"),
            "expected a seizure that ends after it begins at 2 s, got 2",
        ),
        (
            ("Number of Seizures in File: 1", "Seizure Start Time: two", "Seizure End Time: 3 seconds"),
            "expected one count of seizures, and whole seconds",
        ),
        (("File Start Time: 11:42:54",), "expected one count of seizures"),
    ],
)
def test_a_summary_that_contradicts_itself_is_a_named_error(
    lines: tuple[str, ...], message: str, tmp_path: Path
) -> None:
    write(tmp_path, *lines)
    with pytest.raises(RecordError, match=rf"chb02-summary\.txt: chb02_16\+\.edf: {message}"):
        read(tmp_path, "chb02_16+")


@given(st.lists(st.lists(st.tuples(st.integers(0, 9000), st.integers(0, 9000)), max_size=3), max_size=4))
def test_any_summary_gives_back_what_was_written(files: list[list[tuple[int, int]]]) -> None:
    lines = ["Data Sampling Rate: 256 Hz", "Channel 1: FP1-F7"]
    for number, seizures in enumerate(files):
        lines += ["", f"File Name: chb09_{number:02d}.edf", f"Number of Seizures in File: {len(seizures)}"]
        for index, (start, end) in enumerate(seizures, start=1):
            lines += [f"Seizure {index} Start Time:  {start} seconds", f"Seizure {index} End Time: {end} seconds"]
    blocks = summarised("\r\n".join(lines))
    assert list(blocks) == [f"chb09_{number:02d}.edf" for number in range(len(files))]
    for block, seizures in zip(blocks.values(), files, strict=True):
        assert block.counts == [str(len(seizures))]
        assert block.starts == [str(start) for start, _ in seizures]
        assert block.ends == [str(end) for _, end in seizures]


@given(st.text())
def test_no_text_trips_the_parser(text: str) -> None:
    assert set(summarised(f"File Name: a.edf\n{text}")) >= {"a.edf"}
