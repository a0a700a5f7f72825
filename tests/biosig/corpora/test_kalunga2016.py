"""Kalunga 2016: triggers become trials, and runs that the archive holds twice are one person's."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from biosig.corpora import CORPORA, Entries
from biosig.errors import RecordError
from biosig.quality import flags
from tests.biosig.corpora.synthetic_eeg import KALUNGA, write_fif

CORPUS = CORPORA["kalunga2016"]


def write(path: Path, triggers: dict[int, int], rate: float = 256.0, seconds: float = 12.0) -> None:
    noise = np.random.default_rng(0).normal(0, 20, (8, round(rate * seconds)))
    write_fif(path, KALUNGA, noise, rate, triggers)


def test_a_trial_lasts_five_seconds_from_its_trigger(tmp_path: Path) -> None:
    write(tmp_path / "subject05_run2_raw.fif", {100: 1, 1500: 4})
    (entry,) = CORPUS.find(tmp_path)
    recording = CORPUS.read(entry)
    assert recording.channels == KALUNGA
    assert (recording.subject_id, recording.session) == ("subject05", "run2")
    assert [(event.onset, event.duration, event.stimulus) for event in recording.events] == [
        (100 / 256, 5.0, "rest"),
        (1500 / 256, 5.0, "17 Hz"),
    ]
    assert flags(recording) == ()


def test_trials_that_overlap_or_go_on_after_the_end_are_flagged(tmp_path: Path) -> None:
    write(tmp_path / "subject05_run1_raw.fif", {100: 1, 1000: 2, 2500: 3})
    found = set(flags(CORPUS.read(CORPUS.find(tmp_path)[0])))
    assert found == {"overlap", "outside"}


def test_without_triggers_or_at_another_rate_a_run_is_flagged(tmp_path: Path) -> None:
    write(tmp_path / "subject05_run1_raw.fif", {})
    write(tmp_path / "subject05_run2_raw.fif", {100: 1}, rate=512.0)
    one, two = (flags(CORPUS.read(entry)) for entry in CORPUS.find(tmp_path))
    assert one == ("unannotated",)
    assert two == ("rate",)


def test_other_triggers_stay_without_a_stimulus(tmp_path: Path) -> None:
    write(tmp_path / "subject05_run1_raw.fif", {100: 9, 400: 2})
    events = CORPUS.read(CORPUS.find(tmp_path)[0]).events
    assert [(event.code, event.stimulus, event.trial) for event in events] == [("9", "", None), ("13 Hz", "13 Hz", 1)]


def test_the_runs_that_are_there_twice_are_one_persons(tmp_path: Path) -> None:
    write(tmp_path / "subject12_run4_raw.fif", {100: 1})
    shutil.copy(tmp_path / "subject12_run4_raw.fif", tmp_path / "subject11_run4_raw.fif")
    write(tmp_path / "subject11_run2_raw.fif", {100: 1})
    found = CORPUS.find(tmp_path)
    assert isinstance(found, Entries)
    assert [entry.record_id for entry in found] == ["subject11_run2", "subject12_run4"]
    assert found.skipped == (("subject11_run4", "subject11_run4_raw.fif: the run is that of subject12"),)


def test_a_compressed_file_is_read_too(tmp_path: Path) -> None:
    write(tmp_path / "subject02_run1_raw.fif.gz", {100: 3})
    recording = CORPUS.read(CORPUS.find(tmp_path)[0])
    assert (recording.record_id, recording.events[0].stimulus) == ("subject02_run1", "21 Hz")


def test_a_file_cut_short_is_a_named_error(tmp_path: Path) -> None:
    path = tmp_path / "subject02_run1_raw.fif"
    write(path, {100: 3})
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(RecordError, match=r"subject02_run1_raw\.fif"):
        CORPUS.read(CORPUS.find(tmp_path)[0])
