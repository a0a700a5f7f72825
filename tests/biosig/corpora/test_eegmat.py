"""eegmat: rest and arithmetic, the ECG lead, the filling at the end, and people without a row."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from biosig.corpora import CORPORA, Entries
from biosig.errors import RecordError
from biosig.quality import flags
from biosig.recording import Modality, Recording
from tests.biosig.corpora.synthetic import millivolts
from tests.biosig.corpora.synthetic_eeg import EEGMAT_LABELS, eegmat, write_edf

CORPUS = CORPORA["eegmat"]


def read(folder: Path, record: str) -> Recording:
    return CORPUS.read(next(entry for entry in CORPUS.find(folder) if entry.record_id == record))


def test_channels_and_their_kinds(tmp_path: Path) -> None:
    eegmat(tmp_path)
    recording = read(tmp_path, "Subject00_1")
    kinds = Counter(recording.modality)
    assert kinds == {Modality.EEG: 20, Modality.ECG: 1}
    assert recording.channels[-1] == "ECG"
    # The names of 1958 become those of today.
    assert {"T7", "T8", "P7", "P8", "A2-A1"} <= set(recording.channels)
    assert not {"T3", "T4", "T5", "T6"} & set(recording.channels)


def test_the_stimulus_ends_before_the_filling(tmp_path: Path) -> None:
    signal = 1000 * millivolts(21, 500, 4).T
    signal[:, 1545:] = 0
    write_edf(tmp_path / "Subject00_2.edf", EEGMAT_LABELS, signal, 500.0)
    recording = read(tmp_path, "Subject00_2")
    assert recording.events[0].duration == pytest.approx(1545 / 500, abs=1.1 / 500)
    assert {"padded", "unannotated"} <= set(flags(recording))


def test_one_still_channel_is_no_filling(tmp_path: Path) -> None:
    signal = 1000 * millivolts(21, 500, 4).T
    signal[3, 900:] = 0
    write_edf(tmp_path / "Subject00_2.edf", EEGMAT_LABELS, signal, 500.0)
    assert read(tmp_path, "Subject00_2").events[0].duration == 4.0


def test_a_recording_that_never_moves_is_whole(tmp_path: Path) -> None:
    write_edf(tmp_path / "Subject00_2.edf", EEGMAT_LABELS, np.zeros((21, 1000)), 500.0)
    assert read(tmp_path, "Subject00_2").events[0].duration == 2.0


def test_people_of_the_table_without_files_are_missing(tmp_path: Path) -> None:
    eegmat(tmp_path)
    found = CORPUS.find(tmp_path)
    assert isinstance(found, Entries)
    assert found.missing == ("Subject07_1",)


def test_damaged_rows_are_counted_and_their_people_flagged(tmp_path: Path) -> None:
    eegmat(tmp_path)
    table = tmp_path / "subject-info.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], lines[1], lines[1], "Subject07,18,M"]))
    found = CORPUS.find(tmp_path)
    assert isinstance(found, Entries)
    assert [record for record, _ in found.skipped] == ["subject-info.csv row 2", "subject-info.csv row 3"]
    assert "unannotated" in flags(read(tmp_path, "Subject07_2"))
    assert "unannotated" not in flags(read(tmp_path, "Subject00_1"))


@pytest.mark.parametrize(("cell", "field"), [("2", "Count quality"), ("", "Count quality")])
def test_a_counting_that_is_neither_good_nor_bad(cell: str, field: str, tmp_path: Path) -> None:
    eegmat(tmp_path)
    table = tmp_path / "subject-info.csv"
    table.write_text(table.read_text().replace("9.7,0", f"9.7,{cell}"))
    with pytest.raises(RecordError, match=rf"Subject00_1\.edf: subject-info\.csv, {field}: expected 0 or 1"):
        read(tmp_path, "Subject00_1")


@pytest.mark.real
def test_the_real_corpus(biosig_data: Path) -> None:
    found = CORPUS.find(biosig_data / "eeg" / "eegmat")
    assert isinstance(found, Entries)
    # Eight of the 36 people are there, with both recordings.
    assert (len(found), len(found.missing), found.skipped) == (16, 56, ())
    recordings = [CORPUS.read(entry) for entry in found]
    codes = Counter((code.system, code.code) for recording in recordings for code in recording.codes)
    assert codes == {
        ("eegmat", "rest"): 8,
        ("eegmat", "arithmetic"): 8,
        ("eegmat-count", "good"): 12,
        ("eegmat-count", "bad"): 4,
    }
    for recording in recordings:
        assert Counter(recording.modality) == {Modality.EEG: 20, Modality.ECG: 1}
        (event,) = recording.events
        # 182 and 62 s of which the last are zeros.
        assert event.duration == pytest.approx(181.09 if event.stimulus == "rest" else 61.03, abs=0.02)
        assert not np.ptp(recording.signal[:, -400:], axis=1).any()
        assert set(flags(recording)) == {"flat", "padded"}
        assert 5 < recording.meta["age"] < 40
