"""EEGMMIDB: what a mark means depends on the run, and the runs at another rate are flagged."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from biosig.channels import positions
from biosig.corpora import CORPORA
from biosig.corpora.eegmmidb import RUNS, meanings
from biosig.errors import RecordError
from biosig.quality import flags
from biosig.recording import Recording
from tests.biosig.corpora.synthetic import millivolts
from tests.biosig.corpora.synthetic_eeg import EEGMMIDB, write_edf

CORPUS = CORPORA["eegmmidb"]


def only(folder: Path) -> Recording:
    (entry,) = CORPUS.find(folder)
    return CORPUS.read(entry)


def write(path: Path, *marks: tuple[float, float, str], rate: float = 160.0, seconds: float = 4.0) -> None:
    write_edf(path, EEGMMIDB, 1000 * millivolts(64, rate, seconds).T, rate, annotations=marks)


def test_the_marks_of_every_run_are_those_of_the_protocol() -> None:
    # As the description of the dataset has it: 14 runs, tasks 1 to 4 three times in turn after two baselines.
    tasks = [
        ("left fist", "right fist"),
        ("imagined left fist", "imagined right fist"),
        ("both fists", "both feet"),
        ("imagined both fists", "imagined both feet"),
    ]
    assert RUNS == 14
    assert [meanings(run) for run in (1, 2)] == [{"T0": "eyes open"}, {"T0": "eyes closed"}]
    for run in range(3, 15):
        assert meanings(run) == dict(zip(("T0", "T1", "T2"), ("rest", *tasks[(run - 3) % 4]), strict=True))


def test_electrodes_are_found_under_their_dots(tmp_path: Path) -> None:
    write(tmp_path / "S001R03.edf", (0.0, 2.0, "T0"))
    recording = only(tmp_path)
    assert {"FCz", "Cz", "T10", "Iz", "Fp1", "AF7"} <= set(recording.channels)
    assert np.isfinite(positions(recording.channels, recording.modality)).all()
    assert "unplaced" not in flags(recording)


def test_another_rate_is_flagged(tmp_path: Path) -> None:
    write(tmp_path / "S088R03.edf", (0.0, 1.375, "T0"), (1.375, 2.0, "T1"), rate=128.0)
    assert "rate" in flags(only(tmp_path))


def test_marks_that_overlap_or_lie_outside_are_flagged(tmp_path: Path) -> None:
    write(tmp_path / "S106R03.edf", (0.0, 2.0, "T0"), (1.5, 1.0, "T1"))
    assert "overlap" in flags(only(tmp_path))
    write(tmp_path / "S106R03.edf", (0.0, 2.0, "T0"), (2.0, 9.0, "T1"))
    assert "outside" in flags(only(tmp_path))


def test_a_run_without_marks_is_flagged_and_other_marks_stay(tmp_path: Path) -> None:
    write(tmp_path / "S001R03.edf", (1.0, -1.0, "cough"))
    recording = only(tmp_path)
    assert "unannotated" in flags(recording)
    assert [(event.code, event.stimulus, event.trial) for event in recording.events] == [("cough", "", None)]


def test_a_baseline_has_no_task_marks(tmp_path: Path) -> None:
    write(tmp_path / "S001R02.edf", (0.0, 2.0, "T0"), (2.0, 2.0, "T1"))
    assert [event.stimulus for event in only(tmp_path).events] == ["eyes closed", ""]


def test_a_run_that_is_none(tmp_path: Path) -> None:
    write(tmp_path / "S001R15.edf")
    with pytest.raises(RecordError, match=r"S001R15\.edf: name: expected a run from R01 to R14"):
        only(tmp_path)


@pytest.mark.real
def test_a_real_run_of_a_damaged_subject(biosig_data: Path, tmp_path: Path) -> None:
    """One file of the archive of formats is such a run; its name there is another."""
    source = biosig_data / "formats" / "mne-testing" / "EDF" / "test_edf_overlapping_annotations.edf"
    shutil.copy(source, tmp_path / "S088R03.edf")
    recording = only(tmp_path)
    assert {"rate", "overlap", "padded"} <= set(flags(recording))
    assert (len(recording.channels), recording.sampling_rate, len(recording.events)) == (64, 128.0, 38)
    found = [event.stimulus for event in recording.events]
    assert {word: found.count(word) for word in set(found)} == {"rest": 19, "left fist": 10, "right fist": 9}
    assert [event.trial for event in recording.events] == list(range(1, 39))
