"""DASPS: which trial is which, and what happens when ratings are missing or disagree."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest

from biosig.corpora import CORPORA, Entries
from biosig.corpora.dasps import CHANNELS
from biosig.errors import CorpusError, RecordError
from biosig.quality import flags
from biosig.recording import Recording
from tests.biosig.corpora.synthetic_eeg import dasps, dasps_trials, write_matlab73
from tests.biosig.corpora.test_spreadsheet import write_xlsx

CORPUS = CORPORA["dasps"]


def read(folder: Path, record: str) -> Recording:
    return CORPUS.read(next(entry for entry in CORPUS.find(folder) if entry.record_id == record))


def ratings(folder: Path, *rows: str) -> None:
    header = "subjectID,situationID,valence,Arousal,2_class,4_class"
    (folder / "ratings.csv").write_text("\n".join([header, *rows]))


def test_a_trial_is_the_trial_of_its_number(tmp_path: Path) -> None:
    data = np.random.default_rng(0).normal(0, 10, (12, 1920, 14)).astype("<f4")
    write_matlab73(tmp_path / "S07.mat", data=data)
    for trial, situation, phase in ((1, 1, "recited"), (2, 1, "recalled"), (11, 6, "recited"), (12, 6, "recalled")):
        recording = read(tmp_path, f"S07-{trial:02d}")
        for channel, row in zip(CHANNELS, recording.signal, strict=True):
            np.testing.assert_array_equal(row, data[trial - 1, :, CHANNELS.index(channel)])
        (event,) = recording.events
        assert (event.stimulus, event.trial) == (f"situation {situation} {phase}", trial)


def test_the_same_stimulus_has_the_same_name_for_everybody(tmp_path: Path) -> None:
    dasps(tmp_path)
    names = Counter(CORPUS.read(entry).events[0].stimulus for entry in CORPUS.find(tmp_path))
    assert set(names.values()) == {2}
    assert len(names) == 12


def test_without_any_rating_a_trial_is_flagged(tmp_path: Path) -> None:
    write_matlab73(tmp_path / "S01.mat", data=dasps_trials())
    recording = read(tmp_path, "S01-05")
    assert recording.codes == ()
    assert "unannotated" in flags(recording)


def test_ratings_of_the_file_are_ratings_but_no_classes(tmp_path: Path) -> None:
    write_matlab73(tmp_path / "S01.mat", data=dasps_trials(), labels=np.full((2, 12), 4.0))
    recording = read(tmp_path, "S01-05")
    assert [(code.system, code.code) for code in recording.codes] == [("valence", "4"), ("arousal", "4")]
    assert "unannotated" not in flags(recording)


def test_the_owners_workbook_rates_without_classes(tmp_path: Path) -> None:
    write_matlab73(tmp_path / "Preprocessed data .mat" / "S02preprocessed.mat", data=dasps_trials())
    header = ["", "Id Participant", "Id situation ", "valence", "Arousal", "Hmilton1", "Hamilton2"]
    rows = [
        ["", "S01", 1, 1, 8, "25:moderate", "37:severe"],
        ["", "", 2, 3, 8],
        ["", "S02", 1, 5, 2],
        ["", "", 2, 4, 6],
    ]
    write_xlsx(tmp_path / "participant_rating_public.xlsx", [header, *rows, ["", "", 2, 1, 1]])
    found = CORPUS.find(tmp_path)
    assert isinstance(found, Entries)
    assert [record for record, _ in found.skipped] == ["participant_rating_public.xlsx row 5"]
    assert found.missing == ("S01-01", "S01-02", "S01-03", "S01-04")
    codes = {entry.record_id: [(c.system, c.code) for c in CORPUS.read(entry).codes] for entry in found}
    assert codes["S02-01"] == codes["S02-02"] == [("valence", "5"), ("arousal", "2")]
    assert codes["S02-04"] == [("valence", "4"), ("arousal", "6")]
    assert codes["S02-05"] == []
    write_xlsx(tmp_path / "participant_rating_public.xlsx", [["Id Participant", "valence"]])
    with pytest.raises(
        CorpusError, match=r"rating_public\.xlsx: expected a column 'Id situation', found Id Participant, v"
    ):
        CORPUS.find(tmp_path)


def test_a_table_that_contradicts_the_file_is_an_error(tmp_path: Path) -> None:
    write_matlab73(tmp_path / "S01.mat", data=dasps_trials(), labels=np.full((2, 12), 4.0))
    ratings(tmp_path, "S01,1,5,4,Normal,Normal", "S01,2,4,4,Normal,Normal")
    with pytest.raises(RecordError, match=r"S01\.mat: valence: expected 5, as in ratings\.csv, got '4'"):
        read(tmp_path, "S01-02")
    assert len(read(tmp_path, "S01-03").codes) == 4


@pytest.mark.parametrize("rating", ["0", "10", "9.5", "x", "nan"])
def test_a_rating_off_the_scale(rating: str, tmp_path: Path) -> None:
    write_matlab73(tmp_path / "S01.mat", data=dasps_trials())
    ratings(tmp_path, f"S01,1,{rating},4,Normal,Normal")
    with pytest.raises(RecordError, match=r"S01\.mat: valence: expected a rating from 1 to 9"):
        read(tmp_path, "S01-01")


def test_damaged_rows_are_counted_and_listed_people_without_files_are_missing(tmp_path: Path) -> None:
    write_matlab73(tmp_path / "S01.mat", data=dasps_trials())
    ratings(
        tmp_path,
        "S01,1,5,4,Normal,Normal",
        "S01,1,5,4,Normal,Normal",
        "S01,7,1,1,Normal,Normal",
        "S01,2",
        "S02,3,1,1,,",
    )
    found = CORPUS.find(tmp_path)
    assert isinstance(found, Entries)
    assert [record for record, _ in found.skipped] == ["ratings.csv row 2", "ratings.csv row 3", "ratings.csv row 4"]
    assert found.missing == ("S02-05", "S02-06")
    (tmp_path / "ratings.csv").write_text("subject,valence\nS01,3\n")
    with pytest.raises(CorpusError, match="expected a column 'subjectID'"):
        CORPUS.find(tmp_path)


def test_of_raw_and_preprocessed_the_latter_is_read(tmp_path: Path) -> None:
    write_matlab73(tmp_path / "A raw" / "S01.mat", data=dasps_trials())
    write_matlab73(tmp_path / "Preprocessed data .mat" / "S01preprocessed.mat", data=dasps_trials())
    found = CORPUS.find(tmp_path)
    assert isinstance(found, Entries)
    assert {entry.path.name for entry in found} == {"S01preprocessed.mat"}
    assert len(found) == len(found.skipped) == 12


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"data": np.zeros((12, 1920, 13))}, r"data: expected an array \(12, 1920, 14\), got \(12, 1920, 13\)"),
        ({"other": np.zeros(3)}, "data: expected an array .*, got None"),
        ({"data": np.zeros((12, 1920, 14)), "labels": np.zeros((2, 6))}, "labels: expected two ratings of 12 trials"),
    ],
)
def test_other_shapes_are_named_errors(arrays: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    write_matlab73(tmp_path / "S01.mat", **arrays)
    with pytest.raises(RecordError, match=rf"S01\.mat: {message}"):
        read(tmp_path, "S01-01")


def test_data_of_another_file_are_refused(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "S01.mat", "w") as file:
        file["data"] = h5py.ExternalLink("/etc/secret.mat", "/data")
    with pytest.raises(RecordError, match=r"S01\.mat: //data: expected data in the file itself"):
        read(tmp_path, "S01-01")


@pytest.mark.real
def test_the_real_corpus(biosig_data: Path) -> None:
    folder = biosig_data / "eeg" / "dasps"
    found = CORPUS.find(folder)
    assert isinstance(found, Entries)
    assert (len(found), found.missing, found.skipped) == (276, (), ())
    recordings = [CORPUS.read(entry) for entry in found]
    rows = list(csv.DictReader((folder / "ratings.csv").read_text().splitlines()))
    for recording in recordings:
        situation = int(recording.events[0].stimulus.split()[1])
        (row,) = (
            row for row in rows if row["subjectID"] == recording.subject_id and int(row["situationID"]) == situation
        )
        codes = {code.system: code.code for code in recording.codes}
        assert codes == {
            "dasps-2-class": row["2_class"],
            "dasps-4-class": row["4_class"],
            "valence": row["valence"],
            "arousal": row["Arousal"],
        }
        assert flags(recording) == ()
    counted = Counter(code.code for each in recordings for code in each.codes if code.system == "dasps-2-class")
    assert counted == {"Normal": 2 * 71, "Anxious": 2 * 67}
    assert len({recording.subject_id for recording in recordings}) == 23
    # Microvolts: scalp EEG of 4 to 45 Hz, not millivolts and not steps of a converter.
    spread = np.array([recording.signal.std(axis=1) for recording in recordings])
    assert 3 < np.median(spread) < 20
