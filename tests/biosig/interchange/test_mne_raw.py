"""`mne.io.Raw` there and back, in volts, and what MNE reads from a file against what we read from it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import mne
import numpy as np
import pytest
from hypothesis import given, settings

import biosig
from biosig.errors import BiosigError, RecordError
from biosig.recording import Event, Modality, Recording
from tests.biosig.interchange.recordings import recordings


def plain(values: np.ndarray, **changes: Any) -> Recording:
    names = ("Fp1", "Cz", "II", "pressure")[: len(values)]
    kinds = (Modality.EEG, Modality.EEG, Modality.ECG, Modality.OTHER)[: len(values)]
    return Recording(np.asarray(values, np.float32), names, 100.0, kinds, **changes)


def by_time(events: tuple[Event, ...]) -> list[tuple[float, str]]:
    return sorted((round(one.onset, 6), repr(replace(one, onset=0, duration=round(one.duration, 6)))) for one in events)


@settings(max_examples=20, deadline=None)
@given(recordings())
def test_there_and_back_is_the_same(recording: Recording) -> None:
    back = biosig.from_mne(biosig.to_mne(recording), record_id="r")
    np.testing.assert_allclose(back.signal, recording.signal, rtol=3e-7)
    assert (back.channels, back.modality, back.sampling_rate) == (
        recording.channels,
        recording.modality,
        recording.sampling_rate,
    )
    assert by_time(back.events) == by_time(recording.events)
    assert set(back.meta.get("units", ())) == set(recording.meta.get("units", ()))


def test_microvolts_are_volts_and_other_quantities_are_left_alone() -> None:
    raw = biosig.to_mne(plain(np.full((4, 10), 50.0), meta={"units": {"pressure": "mmHg"}}))
    np.testing.assert_allclose(raw.get_data()[:, 0], [50e-6, 50e-6, 50e-6, 50.0])
    assert raw.get_channel_types() == ["eeg", "eeg", "ecg", "misc"]
    # Without a unit of its own, what is no electrode is a voltage too.
    np.testing.assert_allclose(biosig.to_mne(plain(np.full((4, 10), 50.0))).get_data()[3, 0], 50e-6)


def test_a_file_in_volts_is_not_taken_for_one_in_microvolts(tmp_path: Path) -> None:
    raw = mne.io.RawArray(np.full((1, 200), 12e-6), mne.create_info(["Cz"], 100.0, "eeg"), verbose="error")
    raw.save(tmp_path / "one_raw.fif", verbose="error")
    for source in (raw, mne.io.read_raw_fif(tmp_path / "one_raw.fif", verbose="error")):
        np.testing.assert_allclose(biosig.from_mne(source).signal, 12.0, rtol=1e-6)
    np.testing.assert_allclose(biosig.read(tmp_path / "one_raw.fif").signal, 12.0, rtol=1e-6)


def test_gaps_are_zero_and_annotated_and_a_channel_of_gaps_is_bad() -> None:
    values = np.ones((3, 100))
    values[:, 20:30] = values[0, 50:60] = values[2] = np.nan
    raw = biosig.to_mne(plain(values, meta={"bad_channels": {"Cz": ["flat"]}}))
    assert np.isfinite(raw.get_data()).all()
    assert raw.info["bads"] == ["Cz", "II"]
    found = sorted(
        (round(a["onset"], 6), round(a["duration"], 6), str(a["description"]), tuple(a["ch_names"]))
        for a in raw.annotations
    )
    assert found == [
        (0.0, 0.2, "BAD_gap", ("II",)),
        (0.2, 0.1, "BAD_ACQ_SKIP", ()),
        (0.3, 0.7, "BAD_gap", ("II",)),
        (0.5, 0.1, "BAD_gap", ("Fp1",)),
    ]
    back = biosig.from_mne(raw)
    np.testing.assert_array_equal(np.isnan(back.signal), np.isnan(values))
    assert set(back.meta["bad_channels"]) == {"Cz", "II"}
    assert not back.events


def test_electrodes_have_places_and_nobody_a_date() -> None:
    raw = biosig.to_mne(plain(np.ones((3, 10)), subject_id="p7"))
    places = raw.get_montage().get_positions()["ch_pos"]
    assert set(places) == {"Fp1", "Cz"}
    assert np.linalg.norm(places["Cz"]) == pytest.approx(0.095, rel=1e-4)
    assert places["Cz"][2] > 0.08
    assert places["Fp1"][1] > 0.08
    assert raw.info["meas_date"] is None
    assert raw.info["subject_info"] is None


def test_types_that_were_set_count_more_than_names_and_triggers_become_events() -> None:
    info = mne.create_info(["Fp1", "Fp2", "STI 014"], 100.0, ["eog", "eeg", "stim"])
    data = np.zeros((3, 100))
    data[2, 40:45] = 7
    raw = mne.io.RawArray(data, info, verbose="error")
    before = raw.get_data()
    found = biosig.from_mne(raw)
    assert found.channels == ("Fp1", "Fp2")
    assert found.modality == (Modality.EOG, Modality.EEG)
    assert found.events == (Event(0.4, 0.0, "7", "STI 014"),)
    np.testing.assert_array_equal(raw.get_data(), before)
    with pytest.raises(RecordError, match="at least one channel besides triggers"):
        biosig.from_mne(raw.copy().pick(["STI 014"]))


def test_a_cropped_raw_keeps_its_events_in_place() -> None:
    whole = plain(np.arange(100)[None], events=(Event(0.5, 0.1, "T1", text="left hand", stimulus="film", trial=2),))
    cropped = biosig.from_mne(biosig.to_mne(whole).crop(0.3, 0.8))
    (event,) = cropped.events
    assert (event.onset, event.duration) == (pytest.approx(0.2), pytest.approx(0.1))
    assert (event.code, event.text, event.stimulus, event.trial) == ("T1", "left hand", "film", 2)


@pytest.mark.real
def test_epochs_are_no_raw() -> None:
    raw = mne.io.RawArray(np.zeros((1, 400)), mne.create_info(["Cz"], 100.0, "eeg"), verbose="error")
    epochs = mne.make_fixed_length_epochs(raw, 1.0, verbose="error")
    with pytest.raises(BiosigError, match=r"from_mne: expected an mne\.io\.Raw, got Epochs; of Epochs, give the Raw"):
        biosig.from_mne(epochs)


@pytest.mark.parametrize(
    "name",
    [
        "eeg/eegmat/Subject00_2.edf",
        "formats/mne-python/test.edf",
        "formats/mne-python/test.bdf",
        "formats/mne-python/test_stim_channel.edf",
        "formats/mne-testing/EDF/test_edf_overlapping_annotations.edf",
        "formats/mne-testing/EDF/test_utf8_annotations.edf",
        "formats/mne-testing/EEGLAB/test_raw.set",
        "formats/mne-testing/GDF/test_1ch.gdf",
        "formats/mne-testing/montage/bv_dig_raw.fif",
    ],
)
def test_what_mne_read_is_what_we_read(name: str, biosig_data: Path) -> None:
    path = biosig_data / name
    # MNE takes every channel for EEG whose name tells nothing; ours is told to do so as well.
    options = {"modality": Modality.EEG} if path.suffix in (".edf", ".bdf") else {}
    ours = biosig.read(path, **options)
    theirs = biosig.from_mne(mne.io.read_raw(path, preload=True, verbose="error"))
    assert (theirs.channels, theirs.modality, theirs.sampling_rate) == (
        ours.channels,
        ours.modality,
        ours.sampling_rate,
    )
    np.testing.assert_allclose(theirs.signal, ours.signal, rtol=1e-5, atol=1e-3)
    assert by_time(theirs.events) == by_time(ours.events)
    back = biosig.from_mne(biosig.to_mne(ours))
    np.testing.assert_allclose(back.signal, ours.signal, rtol=3e-7)
    assert by_time(back.events) == by_time(ours.events)
