"""The record type: what it refuses, what it keeps, and that it travels."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import biosig
from biosig.errors import BiosigError, RecordError
from biosig.recording import Code, Event, Modality, Recording


def recording(**changes: Any) -> Recording:
    fields: dict[str, Any] = {
        "signal": np.arange(12, dtype=np.float32).reshape(3, 4),
        "channels": ("I", "II", "Fp1"),
        "sampling_rate": 2.0,
        "modality": (Modality.ECG, Modality.ECG, Modality.EEG),
        "record_id": "r1",
        "subject_id": "s1",
        "codes": (Code("snomed-ct", "426783006"),),
        "concepts": frozenset({"426783006"}),
        "events": (Event(0.5, 0.0, "N"),),
        "meta": {"age": 60},
    }
    return Recording(**{**fields, **changes})


def test_length_and_duration_follow_the_signal() -> None:
    assert (recording().n_times, recording().duration) == (4, 2.0)
    assert recording(signal=np.zeros((3, 0), np.float32)).duration == 0.0


def test_the_signal_is_float32_and_cannot_be_written_to() -> None:
    record = recording(signal=np.ones((3, 4), dtype=np.int16))
    assert record.signal.dtype == np.float32
    with pytest.raises(ValueError, match="read-only"):
        record.signal[0, 0] = 1


def test_the_meta_cannot_be_written_to_nor_changed_from_outside() -> None:
    meta = {"age": 60}
    record = recording(meta=meta)
    meta["age"] = 61
    assert record.meta["age"] == 60
    with pytest.raises(TypeError):
        record.meta["age"] = 61  # type: ignore[index]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"signal": np.zeros(4, np.float32)}, r"r1: expected a \(channel, time\) signal, got \(4,\)"),
        ({"channels": ("I", "II")}, "r1: 3 rows of signal, 2 channel names, 3 modalities"),
        ({"modality": (Modality.ECG,)}, "r1: 3 rows of signal, 3 channel names, 1 modalities"),
        ({"channels": ("I", "II", "I")}, "r1: channel 'I' occurs twice"),
        ({"sampling_rate": 0.0}, "r1: expected a positive rate in Hz, got 0.0"),
        ({"sampling_rate": float("nan")}, "expected a positive rate"),
        ({"record_id": "", "sampling_rate": -1.0}, "^recording: expected a positive rate"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(BiosigError, match=message):
        recording(**changes)


def test_channels_are_picked_by_name_in_the_order_asked_for() -> None:
    picked = recording().pick(["Fp1", "I"])
    assert picked.channels == ("Fp1", "I")
    assert picked.modality == (Modality.EEG, Modality.ECG)
    np.testing.assert_array_equal(picked.signal, [[8, 9, 10, 11], [0, 1, 2, 3]])
    assert picked.events == recording().events


def test_channels_are_picked_by_modality() -> None:
    assert recording().pick(Modality.ECG).channels == ("I", "II")
    assert recording().pick(Modality.EMG).signal.shape == (0, 4)


def test_a_missing_channel_is_never_made_up() -> None:
    with pytest.raises(BiosigError, match=r"r1: no channel 'V1' among \('I', 'II', 'Fp1'\)"):
        recording().pick(["I", "V1"])


def test_it_travels_between_processes() -> None:
    sent = recording()
    for got in (pickle.loads(pickle.dumps(sent)), copy.deepcopy(sent)):
        np.testing.assert_array_equal(got.signal, sent.signal)
        assert (got.channels, got.codes, got.events, got.concepts) == (
            sent.channels,
            sent.codes,
            sent.events,
            sent.concepts,
        )
        assert dict(got.meta) == {"age": 60}
        with pytest.raises(TypeError):
            got.meta["age"] = 1


def test_its_repr_is_one_short_line() -> None:
    assert repr(recording()) == "Recording(r1: ecg+eeg, 3 channels x 2 s at 2 Hz)"


@pytest.mark.parametrize(
    "found", ["E07938.mat", 5, None, "x'y\"z" * 60, "line\nbreak", Path("a"), float("nan"), [1, 2]]
)
def test_a_record_error_travels_with_the_same_message(found: object) -> None:
    error = RecordError("folder/E07938.hea", "record name", "a record name", found)
    once = pickle.loads(pickle.dumps(error))
    twice = copy.deepcopy(pickle.loads(pickle.dumps(once)))
    assert str(once) == str(twice) == str(error)
    assert (type(once), once.path, once.field, once.expected) == (RecordError, error.path, error.field, error.expected)


def test_a_record_error_travels_even_if_what_was_found_cannot() -> None:
    error = RecordError("a.hea", "gain", "a number", (found := (lambda: None)))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert repr(found) in str(error)


def test_a_record_error_is_one_line_that_names_file_field_and_value() -> None:
    error = RecordError("a/E07938.hea", "record name", "a record name", "E07938.mat")
    assert str(error) == "E07938.hea: record name: expected a record name, got 'E07938.mat'"
    odd = RecordError("a/line\nbreak\x1b.hea", "gain", "a number", "x" * 500)
    assert str(odd) == rf"line\nbreak\x1b.hea: gain: expected a number, got '{'x' * 116}..."


def test_the_package_offers_its_nouns_and_nothing_else() -> None:
    assert biosig.Recording is Recording
    assert {biosig.Event, biosig.Code, biosig.Modality} == {Event, Code, Modality}
    assert callable(biosig.read)
    assert set(biosig.__all__) <= set(dir(biosig))
    with pytest.raises(AttributeError, match="no attribute 'Recordings'"):
        _ = biosig.Recordings  # type: ignore[attr-defined]
