"""Who was recorded: found in the header of every format, and in nothing that is made of the file."""

from __future__ import annotations

import datetime as dt
import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from biosig.cli import main
from biosig.readers import READERS, Personal, personal, read
from biosig.store import Store, prepare
from tests.biosig.corpora.emotion_files import write_cnt
from tests.biosig.readers import writers

NAMES = ("Haagse", "Harry", "Zuster", "1987", "MCH-0234567")


def edf_plus(folder: Path) -> Path:
    import edfio

    patient = edfio.Patient(code="MCH-0234567", sex="M", birthdate=dt.date(1987, 9, 16), name="Haagse_Harry")
    recording = edfio.Recording(startdate=dt.date(2019, 3, 4), investigator_technician_code="Zuster")
    signal = edfio.EdfSignal(np.sin(np.arange(1000)), 100, label="EEG Fp1", physical_dimension="uV")
    notes = [edfio.EdfAnnotation(1, None, "Harry moved"), edfio.EdfAnnotation(2, None, "lights off")]
    edfio.Edf([signal], patient=patient, recording=recording, annotations=notes).write(folder / "r.edf")
    return folder / "r.edf"


def edf(folder: Path) -> Path:
    texts = {"patient": "Haagse Harry 1987", "recording": "by Zuster"}
    return writers.edf(folder / "r.edf", [{"label": "EEG Fp1", "samples": 4}], [[[1, 2, 3, 4]]] * 2, **texts)


def bdf(folder: Path) -> Path:
    signals = [{"label": "EEG Fp1", "samples": 4}]
    return writers.edf(folder / "r.bdf", signals, [[bytes(range(12))]] * 2, version="\xffBIOSEMI", kind="BDF+C")


def gdf(folder: Path) -> Path:
    return writers.gdf(
        folder / "r.gdf",
        np.arange(200).reshape(2, 100),
        patient=(8, b"MCH-0234567 Haagse_Harry"),
        recording=(88, b"Zuster"),
    )


def wfdb(folder: Path) -> Path:
    (folder / "r.dat").write_bytes(np.arange(200, dtype="<i2").tobytes())
    comments = "# Name: Haagse Harry\n# Birth date: 16/09/1987\n#Technician: Zuster\n# Report: Harry has sinus rhythm\n"
    (folder / "r.hea").write_text(f"r 1 100 200 10:00:00 04/03/2019\nr.dat 16 200 16 0 0 0 0 II\n{comments}#Age: 31\n")
    return folder / "r.hea"


def brainvision(folder: Path) -> Path:
    path = writers.brainvision(folder)
    path.write_text(path.read_text("utf-8") + "\n[Comment]\nPatient name: Haagse Harry\nOperator = Zuster\n", "utf-8")
    return path


def eeglab(folder: Path) -> Path:
    return writers.eeglab(folder, comments="Patient: Haagse Harry\nTechnician: Zuster")


def fif(folder: Path) -> Path:
    import mne

    info = mne.create_info(["Fp1"], 100.0, "eeg")
    info["subject_info"] = {"first_name": "Harry", "last_name": "Haagse", "his_id": "MCH-0234567"}
    info["subject_info"]["birthday"] = dt.date(1987, 9, 16)
    info["experimenter"] = "Zuster"
    raw = mne.io.RawArray(1e-6 * np.ones((1, 300)), info, verbose="error")
    raw.set_annotations(mne.Annotations([1.0], [0.0], ["Haagse_Harry blinks"]))
    raw.set_meas_date(dt.datetime(2019, 3, 4, tzinfo=dt.UTC))
    raw.save(folder / "r_raw.fif", verbose="error")
    return folder / "r_raw.fif"


def neuroscan(folder: Path) -> Path:
    path = folder / "r.cnt"
    write_cnt(path, ("FP1", "CZ"), 200, 50, values={0: np.ones((2, 50))})
    content = bytearray(path.read_bytes())
    for at, text in ((21, b"MCH-0234567"), (41, b"Zuster"), (121, b"Haagse Harry")):
        content[at : at + len(text)] = text
    path.write_bytes(content)
    return path


def egi(folder: Path) -> Path:
    path = writers.egi(folder / "r.raw")
    content = bytearray(path.read_bytes())
    struct.pack_into(">3h", content, 4, 1987, 3, 4)
    path.write_bytes(content)
    return path


MAKERS: list[Callable[[Path], Path]] = [
    *(edf_plus, edf, bdf, gdf, wfdb, brainvision, eeglab, fif, neuroscan, egi),
]


def everything(store: Path) -> str:
    """Whatever a store says, as text: the tables unpacked."""
    opened = Store(store)
    tables = opened.records.drop(columns=["source_sha256", "fingerprint"])
    return (store / "store.json").read_text("utf-8") + tables.to_json() + opened.events.to_json()


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_nothing_personal_reaches_the_recording_or_the_store(make: Callable[[Path], Path], tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    path = make(tmp_path / "source")
    found = personal(path)
    assert found.fields
    assert any(name in " ".join(found.fields.values()) for name in NAMES)
    report = prepare("folder", tmp_path / "source", tmp_path / "store", workers=0, progress=False)
    said = everything(tmp_path / "store")
    assert not [name for name in NAMES if name in said]
    assert report.personal.kept is False
    assert set(found.fields) <= set(report.personal.fields)
    assert set(report.personal.fields.values()) == {1}
    kept = {name: value for name, value in read(path).meta.items() if name != "comments"}
    assert not [name for name in NAMES if name in str(kept)]


def test_what_is_asked_for_is_kept_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "source").mkdir()
    edf_plus(tmp_path / "source")
    run = ["prepare", "folder", str(tmp_path / "source"), str(tmp_path / "store"), "--workers", "0"]
    with pytest.raises(SystemExit):
        main([*run, "--keep-personal"])
    assert "kept, as asked; the store names people: birth date (1)" in capsys.readouterr().out
    store = Store(tmp_path / "store")
    assert store.recording(0).meta["personal"]["name"] == "Haagse_Harry"
    assert "Harry moved" in [event.code for event in store.recording(0).events]
    with pytest.raises(SystemExit):
        main(["audit", str(tmp_path / "store")])
    assert "KEPT: the store names people" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([*run, "--overwrite"])
    said = capsys.readouterr().out
    assert "personal fields left out (--keep-personal): birth date (1)" in said
    assert "words in events (1)" in said
    assert [event.code for event in Store(tmp_path / "store").recording(0).events] == ["[removed] moved", "lights off"]


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_show_names_people_only_when_asked(
    make: Callable[[Path], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(tmp_path)
    with pytest.raises(SystemExit):
        main(["show", str(path)])
    said = " ".join(capsys.readouterr().out.split())
    assert "not shown (--personal)" in said
    assert not [name for name in NAMES if name in said]
    with pytest.raises(SystemExit):
        main(["show", str(path), "--personal"])
    said = capsys.readouterr().out
    assert any(name in said for name in NAMES)


def test_a_record_that_is_skipped_tells_no_name(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    edf_plus(tmp_path / "source").rename(tmp_path / "source" / "sound.edf")
    broken = edf_plus(tmp_path / "source")
    content = broken.read_bytes()
    broken.write_bytes(content[:100] + b"Harry " + content[100:])  # what follows stands where numbers should
    prepare("folder", tmp_path / "source", tmp_path / "store", workers=0, progress=False)
    said = json.loads((tmp_path / "store" / "store.json").read_text("utf-8"))
    assert len(said["skipped"]) == 1
    assert not [name for name in NAMES if name in json.dumps(said)]


def test_a_name_of_a_file_is_said_and_left(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    edf_plus(tmp_path / "source").rename(tmp_path / "source" / "Haagse_Harry.edf")
    report = prepare("folder", tmp_path / "source", tmp_path / "store", workers=0, progress=False)
    assert report.personal.fields["name of the record or subject (kept)"] == 1


def test_every_format_is_looked_at() -> None:
    from biosig.readers.personal import _LOOKS

    assert set(_LOOKS) == set(READERS)


@pytest.mark.parametrize("text", ["sinus rhythm, male, left axis", "Subject0", "N", "Stimulus/S  1"])
def test_words_of_labels_are_left_alone(text: str) -> None:
    who = Personal({"name": "Male_25yr", "patient": "Subject0", "technician": "Doctor", "patient code": "N"})
    assert who.scrub(text) == text


@given(st.text(max_size=60), st.dictionaries(st.sampled_from(["name", "patient code", "technician"]), st.text()))
def test_scrubbing_ends_and_leaves_no_value(text: str, fields: dict[str, str]) -> None:
    once = Personal(fields).scrub(text)
    assert Personal({}).scrub(text) == text
    assert isinstance(once, str)


def test_a_name_within_a_word_is_not_a_name() -> None:
    who = Personal({"name": "Anna Stem"})
    assert who.scrub("Anna: ST-segment in the system, anna stem") == "[removed]: ST-segment in the system, [removed]"
