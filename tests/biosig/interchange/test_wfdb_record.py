"""WFDB files that we write are read by `wfdb` and by us, equal to half a step; what they cannot hold is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import HealthCheck, given, settings

import biosig
from biosig.corpora import CORPORA
from biosig.errors import BiosigError
from biosig.recording import Code, Event, Modality, Recording
from tests.biosig.interchange.recordings import recordings

ECG = Recording(
    np.random.default_rng(0).integers(-3000, 3000, (2, 500)).astype(np.float32),
    ("I", "V2"),
    250.0,
    (Modality.ECG, Modality.ECG),
    record_id="one",
)


def half_a_step(recording: Recording) -> np.ndarray:
    """Of the largest sample of each channel: a step is at most 1/16383 of it."""
    return np.nanmax(np.abs(np.nan_to_num(recording.signal)), axis=1, keepdims=True) / 32766


def told(event: Event) -> tuple[float, float, str, str]:
    return round(event.onset, 9), round(event.duration, 9), event.code, event.text


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recording=recordings())
def test_there_and_back(recording: Recording, tmp_path: Path) -> None:
    notes = biosig.to_wfdb(recording, tmp_path / "rec")
    annotators = ["atr"] if (tmp_path / "rec.atr").is_file() else []
    back = biosig.read(tmp_path / "rec.hea", annotations=annotators)
    assert (back.channels, back.modality, back.sampling_rate) == (
        recording.channels,
        recording.modality,
        recording.sampling_rate,
    )
    np.testing.assert_array_equal(np.isnan(back.signal), np.isnan(recording.signal))
    off = np.nan_to_num(np.abs(back.signal - recording.signal))
    assert (off <= half_a_step(recording) * (1 + 1e-5)).all()
    assert len(back.events) == len(recording.events)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == sorted([".dat", ".hea", *(f".{a}" for a in annotators)])
    if not notes:
        assert [told(event) for event in back.events] == [told(event) for event in recording.events]
    theirs = wfdb.rdrecord(str(tmp_path / "rec"))
    held = biosig.from_wfdb(theirs, wfdb.rdann(str(tmp_path / "rec"), "atr") if annotators else None)
    np.testing.assert_allclose(held.signal, back.signal, rtol=1e-6)
    assert (held.channels, held.events, held.modality) == (back.channels, back.events, back.modality)


def test_whole_microvolts_come_back_bit_for_bit_and_as_millivolts_to_others(tmp_path: Path) -> None:
    assert biosig.to_wfdb(ECG, tmp_path / "one") == ()
    np.testing.assert_array_equal(biosig.read(tmp_path / "one.hea").signal, ECG.signal)
    theirs = wfdb.rdrecord(str(tmp_path / "one"))
    assert theirs.units == ["mV", "mV"]
    np.testing.assert_allclose(theirs.p_signal.T, ECG.signal / 1000, atol=1e-9)


def test_beats_and_rhythms_are_annotations_as_physionet_has_them(tmp_path: Path) -> None:
    events = (Event(0.0, 1.2, "(AFIB"), Event(0.4, 0.0, "N"), Event(0.8, 0.0, "V", "paced"), Event(1.2, 0.8, "(N"))
    recording = Recording(ECG.signal, ECG.channels, 250.0, ECG.modality, events=events)
    assert biosig.to_wfdb(recording, tmp_path / "beats.hea") == ()
    annotation = wfdb.rdann(str(tmp_path / "beats"), "atr")
    assert annotation.symbol == ["+", "N", "V", "+"]
    assert annotation.sample.tolist() == [0, 100, 200, 300]
    assert biosig.read(tmp_path / "beats", annotations=["atr"]).events == events


def test_a_duration_of_one_sample_is_a_duration(tmp_path: Path) -> None:
    brief = Recording(ECG.signal, ECG.channels, 250.0, ECG.modality, events=(Event(0.4, 0.004, "N"),))
    (note,) = biosig.to_wfdb(brief, tmp_path / "brief")
    assert "1 with a duration" in note


def test_what_wfdb_cannot_hold_is_said(tmp_path: Path) -> None:
    events = (
        Event(-0.1, 0.0, "N"),
        Event(0.0, 0.5, "T1", "left", stimulus="arrow", trial=1),
        Event(1.0, 0.0, "note", "Ω"),
    )
    recording = Recording(
        ECG.signal,
        ECG.channels,
        250.0,
        ECG.modality,
        subject_id="p1",
        codes=(Code("scp-ecg", "NORM"),),
        report="two\nlines",
        events=events,
    )
    notes = "\n".join(biosig.to_wfdb(recording, tmp_path / "odd"))
    for said in (
        "1 outside the recording",
        "1 with a duration",
        "2 with a code that is no WFDB symbol",
        "1 at the first sample, now at the second",
        "1 with a stimulus or a trial",
        "1 with a text that a note cannot hold",
        "codes: 1 of other systems",
        "report: line breaks",
        "subject and session",
    ):
        assert said in notes
    back = biosig.read(tmp_path / "odd.hea", annotations=["atr"])
    assert [(e.onset, e.code, e.text) for e in back.events] == [(0.004, '"', "T1: left"), (1.0, '"', "note: ?")]


def test_a_folder_of_them_is_a_corpus_with_age_sex_codes_and_report(tmp_path: Path) -> None:
    recording = Recording(
        ECG.signal,
        ECG.channels,
        250.0,
        ECG.modality,
        codes=(Code("snomed-ct", "164889003"),),
        report="Vorhofflimmern, älterer Infarkt",
        meta={"age": 63.0, "sex": "female"},
    )
    biosig.to_wfdb(recording, tmp_path / "one")
    (entry,) = CORPORA["folder"].find(tmp_path)
    back = CORPORA["folder"].read(entry)
    assert (back.meta["age"], back.meta["sex"], back.codes, back.report) == (
        63.0,
        "female",
        recording.codes,
        recording.report,
    )


def test_old_annotations_do_not_outlive_their_record(tmp_path: Path) -> None:
    biosig.to_wfdb(Recording(ECG.signal, ECG.channels, 250.0, ECG.modality, events=(Event(0, 0, "N"),)), tmp_path / "a")
    biosig.to_wfdb(ECG, tmp_path / "a")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.dat", "a.hea"]


def test_names_and_recordings_that_wfdb_does_not_take_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BiosigError, match="expected a name of letters, digits, hyphens and underscores, got 'a b'"):
        biosig.to_wfdb(ECG, tmp_path / "a b")
    empty = Recording(ECG.signal[:, :0], ECG.channels, 250.0, ECG.modality)
    with pytest.raises(BiosigError, match="expected a recording with samples"):
        biosig.to_wfdb(empty, tmp_path / "empty")
    assert not list(tmp_path.iterdir())
    biosig.to_wfdb(ECG, tmp_path / "one")
    frames = wfdb.rdrecord(str(tmp_path / "one"), smooth_frames=False)
    with pytest.raises(BiosigError, match="smooth_frames=True"):
        biosig.from_wfdb(frames)


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "annotators"), [("ecg/ludb/data/1.hea", ["ii"]), ("ecg/mitdb/201.hea", ["atr"]), ("ecg/mitdb/100.hea", [])]
)
def test_real_records_come_back(name: str, annotators: list[str], biosig_data: Path, tmp_path: Path) -> None:
    recording = biosig.read(biosig_data / name, annotations=annotators)
    assert biosig.to_wfdb(recording, tmp_path / "rec") == ()
    back = biosig.read(tmp_path / "rec.hea", annotations=["atr"] if annotators else [])
    assert (np.abs(back.signal - recording.signal) <= half_a_step(recording)).all()
    assert back.events == recording.events
    assert back.meta["comments"] == recording.meta["comments"]
