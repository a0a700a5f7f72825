"""BIDS folders: as mne-bids writes them, as people break them, and through `biosig prepare`."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import biosig
from biosig.cli import build
from biosig.corpora import CORPORA
from biosig.corpora.bids_sidecars import described
from biosig.errors import CorpusError, RecordError
from biosig.recording import Event, Modality, Recording
from biosig.store import Store
from tests.biosig.corpora.synthetic_bids import bids, tsv


def read(folder: Path) -> dict[str, Recording]:
    return {entry.record_id: CORPORA["bids"].read(entry) for entry in CORPORA["bids"].find(folder)}


def written(folder: Path, recording: Recording, *, subject: str, run: str | None = None) -> None:
    """A recording as mne-bids writes it."""
    mne_bids = pytest.importorskip("mne_bids")
    raw = biosig.to_mne(recording)
    raw.info["line_freq"] = 50
    where = mne_bids.BIDSPath(subject=subject, session="pre", task="film", run=run, root=folder, datatype="eeg")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mne_bids.write_raw_bids(raw, where, format="EDF", allow_preload=True, overwrite=True, verbose="error")


def test_what_mne_bids_writes_is_read(tmp_path: Path) -> None:
    time = np.arange(512) / 128
    signal = np.stack([30 * np.sin(2 * np.pi * (1 + row) * time) for row in range(4)]).astype(np.float32)
    kinds = (Modality.EEG, Modality.EEG, Modality.EOG, Modality.ECG)
    recording = Recording(
        signal,
        ("Fp1", "Cz", "EOG1", "ECG"),
        128.0,
        kinds,
        events=(Event(0.5, 1.0, "T1"), Event(2.0, 1.5, "T2")),
        meta={"bad_channels": {"Cz": ["flat"]}},
    )
    for subject, run in (("01", "1"), ("01", "2"), ("02", None)):
        written(tmp_path, recording, subject=subject, run=run)
    found = read(tmp_path)
    assert list(found) == [
        "sub-01_ses-pre_task-film_run-1",
        "sub-01_ses-pre_task-film_run-2",
        "sub-02_ses-pre_task-film",
    ]
    for record, one in found.items():
        assert one.subject_id == record[:6]
        assert (one.session, one.channels, one.modality) == ("pre", recording.channels, kinds)
        assert [(event.onset, event.duration, event.code) for event in one.events] == [
            (0.5, 1.0, "T1"),
            (2.0, 1.5, "T2"),
        ]
        good = [0, 2, 3]
        np.testing.assert_allclose(one.signal[good, :512], signal[good], atol=0.01)
        assert np.isnan(one.signal[1]).all()
        assert list(one.meta["bad_channels"]) == ["Cz"]
        assert one.meta["power_line"] == 50
        # Of the places that mne-bids wrote, in metres.
        assert np.linalg.norm(one.meta["electrodes"]["Cz"]) == pytest.approx(0.095, abs=0.01)


def test_the_nearest_table_counts_and_none_that_contradicts(tmp_path: Path) -> None:
    record = next(iter(bids(tmp_path)))
    inner = tmp_path / "sub-01" / "ses-a" / "eeg"
    path = inner / f"{record}_eeg.edf"
    for where in (
        tmp_path / "channels.tsv",
        tmp_path / "sub-01" / "sub-01_channels.tsv",
        inner / f"{record}_channels.tsv",
    ):
        tsv(where, ("name", "type", "units"))
    tsv(tmp_path / "task-other_channels.tsv", ("name", "type", "units"))
    tsv(tmp_path / "sub-01" / "sub-01_ses-b_channels.tsv", ("name", "type", "units"))
    assert [file.relative_to(tmp_path).as_posix() for file in described(path, tmp_path, "channels", ".tsv")] == [
        "channels.tsv",
        "task-rest_channels.tsv",
        "sub-01/sub-01_channels.tsv",
        f"sub-01/ses-a/eeg/{record}_channels.tsv",
    ]


def test_channels_tsv_says_what_the_file_does_not(tmp_path: Path) -> None:
    bids(tmp_path)
    table = tmp_path / "task-rest_channels.tsv"
    before = read(tmp_path)["sub-01_ses-a_task-rest"]
    assert before.modality == (Modality.EEG, Modality.EEG, Modality.EOG, Modality.ECG)
    tsv(
        table,
        ("name", "type", "units", "status", "status_description"),
        ("Cz", "MISC", "mV", "bad", "fell off"),
        ("ECG", "n/a", "V", "good", "n/a"),
        ("not there", "EEG", "uV", "good", "n/a"),
    )
    after = read(tmp_path)["sub-01_ses-a_task-rest"]
    # The file has units of its own, which count.
    np.testing.assert_array_equal(after.signal[[0, 2, 3]], before.signal[[0, 2, 3]])
    assert np.isnan(after.signal[1]).all()
    assert after.meta["bad_channels"] == {"Cz": ["fell off"]}
    assert after.modality[1] is Modality.OTHER
    assert after.modality[3] is Modality.ECG


def test_people_columns_and_those_who_are_not_listed(tmp_path: Path) -> None:
    bids(tmp_path)
    found = read(tmp_path)
    assert found["sub-01_ses-a_task-rest"].meta["participant"] == {"hand": "left"}
    tsv(tmp_path / "participants.tsv", ("participant_id", "age", "sex"), ("sub-01", 31, "o"))
    found = read(tmp_path)
    assert found["sub-01_ses-a_task-rest"].meta["sex"] is None
    assert "unannotated" in found["sub-02_ses-a_task-rest"].meta["flags"]
    assert "unannotated" not in found["sub-01_ses-a_task-rest"].meta["flags"]
    (tmp_path / "participants.tsv").unlink()
    assert "unannotated" not in read(tmp_path)["sub-02_ses-a_task-rest"].meta["flags"]


def test_what_is_not_raw_is_left_out_and_what_is_not_fetched_is_missing(tmp_path: Path) -> None:
    bids(tmp_path)
    inner = tmp_path / "sub-01" / "ses-a" / "eeg"
    file = inner / "sub-01_ses-a_task-rest_eeg.edf"
    cleaned = tmp_path / "derivatives" / "clean"
    (cleaned / "sub-01" / "eeg").mkdir(parents=True)
    (cleaned / "dataset_description.json").write_text("{}")
    (cleaned / "sub-01" / "eeg" / "sub-01_task-clean_eeg.edf").write_bytes(file.read_bytes())
    file.unlink()
    file.symlink_to("nowhere.edf")
    found = CORPORA["bids"].find(tmp_path)
    assert [entry.record_id for entry in found] == ["sub-02_ses-a_task-rest", "sub-02_ses-b_task-rest"]
    assert found.missing == ("sub-01_ses-a_task-rest",)


@pytest.mark.parametrize(
    ("name", "content", "error", "said"),
    [
        (
            "participants.tsv",
            "participant_id\tage\nsub-01\t31\nsub-01\t32\n",
            CorpusError,
            r"participants\.tsv: row 2: expected a new participant",
        ),
        ("participants.tsv", "person\tage\nsub-01\t31\n", CorpusError, "expected a column 'participant_id'"),
        ("participants.tsv", "participant_id\tage\nsub-01\told\n", RecordError, "age: expected years up to 130"),
        ("task-rest_channels.tsv", "name\tkind\nCz\tEEG\n", RecordError, r"task-rest_channels\.tsv: columns: expected"),
        (
            "task-rest_events.tsv",
            "onset\tduration\nsoon\t1\n",
            RecordError,
            r"task-rest_events\.tsv: row 1: expected onset and duration in seconds",
        ),
        (
            "task-rest_events.tsv",
            "onset\tduration\n1\n",
            RecordError,
            r"task-rest_events\.tsv: row 1: expected a cell in every column",
        ),
        ("task-rest_eeg.json", "{", RecordError, r"task-rest_eeg\.json: content: expected JSON"),
        ("task-rest_eeg.json", "[]", RecordError, r"task-rest_eeg\.json: content: expected a JSON object"),
    ],
)
def test_errors_name_the_file(name: str, content: str, error: type[Exception], said: str, tmp_path: Path) -> None:
    bids(tmp_path)
    own = tmp_path / "sub-01" / "ses-a" / "eeg" / "sub-01_ses-a_task-rest_events.tsv"
    own.unlink()
    (tmp_path / name).write_text(content)
    with pytest.raises(error, match=said):
        read(tmp_path)


def test_places_are_in_metres(tmp_path: Path) -> None:
    bids(tmp_path)
    inner = tmp_path / "sub-01" / "ses-a" / "eeg"
    tsv(
        inner / "sub-01_ses-a_space-CapTrak_electrodes.tsv",
        ("name", "x", "y", "z"),
        ("Cz", 0, 0, 95),
        ("Fp1", "n/a", "n/a", "n/a"),
    )
    system = {"EEGCoordinateSystem": "CapTrak", "EEGCoordinateUnits": "mm"}
    (inner / "sub-01_ses-a_space-CapTrak_coordsystem.json").write_text(json.dumps(system))
    meta = read(tmp_path)["sub-01_ses-a_task-rest"].meta
    assert meta["electrodes"] == {"Cz": [0.0, 0.0, pytest.approx(0.095)]}
    assert meta["coordinate_system"] == "CapTrak"


def test_from_folder_to_store(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    bids(tmp_path / "source")
    arguments = [
        "prepare",
        "bids",
        str(tmp_path / "source"),
        str(tmp_path / "store"),
        "--workers",
        "0",
        "--rate",
        "125",
    ]
    result = CliRunner().invoke(build(), [*arguments, "--preprocessing", "raw-250"])
    assert result.exit_code == 0, result.output
    assert "3 records read" in result.output
    store = Store(tmp_path / "store")
    assert store.records["subject"].tolist() == ["sub-01", "sub-02", "sub-02"]
    assert store.sampling_rate == 125
    assert store.recording(0).meta["participant"] == {"hand": "left"}
    assert len(store.events) == 3


@pytest.mark.real
def test_a_real_recording_through_bids(biosig_data: Path, tmp_path: Path) -> None:
    original = biosig.read(biosig_data / "eeg" / "eegmat" / "Subject00_2.edf")
    written(tmp_path, original, subject="00")
    (found,) = read(tmp_path).values()
    assert found.channels == original.channels
    assert found.modality == original.modality
    np.testing.assert_allclose(found.signal[:, : original.n_times], original.signal, atol=0.05)
