"""Electrodes by name, and derivations of two."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from biosig.errors import BiosigError
from biosig.preprocess import Montage, Preprocessing
from biosig.preprocess.electrodes import derivation
from biosig.recording import Event, Modality
from tests.biosig.preprocess.brain import CAP, eeg, smooth


def test_names_choose_and_order() -> None:
    given = eeg(smooth(1), events=(Event(0.2, 0.1, "T1", stimulus="s", trial=1),), meta={"age": 3})
    found = Montage(channels=("O2", "Fz", "Fp1")).apply(given)
    assert found.channels == ("O2", "Fz", "Fp1")
    np.testing.assert_array_equal(found.signal, given.signal[[CAP.index(name) for name in found.channels]])
    assert (found.events, dict(found.meta)) == (given.events, dict(given.meta))


def test_old_names_and_any_spelling_mean_the_same() -> None:
    step = Montage(channels=("T3", "t4", "EEG FP1-REF", "T5"))
    assert step.channels == ("T7", "T8", "Fp1", "P7")
    assert step == Montage(channels=("T7", "T8", "Fp1", "P7"))
    # A recording made by hand may have old names itself.
    names = tuple({"T7": "T3"}.get(name, name) for name in CAP)
    assert step.apply(eeg(smooth(1), names)).channels == step.channels


def test_a_derivation_is_the_difference_of_its_electrodes() -> None:
    x = smooth(1)
    x[CAP.index("F7"), 10:20] = np.nan
    found = Montage(channels=("Fp1-F7", "T3-T5", "Cz")).apply(eeg(x))
    assert found.channels == ("Fp1-F7", "T7-P7", "Cz")
    x = x.astype(np.float32)
    np.testing.assert_array_equal(found.signal[0], x[CAP.index("Fp1")] - x[CAP.index("F7")])
    np.testing.assert_array_equal(found.signal[1], x[CAP.index("T7")] - x[CAP.index("P7")])
    assert np.isnan(found.signal[0, 10:20]).all()


def test_a_derivation_that_was_recorded_is_taken_as_it_is() -> None:
    x = smooth(1, names=("Fp1", "F7", "Cz"))
    found = Montage(channels=("FP1-F7",)).apply(eeg(x, ("Fp1-F7", "F7", "Cz")))
    np.testing.assert_array_equal(found.signal[0], x[0].astype(np.float32))


def test_other_modalities_stay_only_if_asked() -> None:
    given = eeg(np.vstack([smooth(1), np.ones((2, 250))]), (*CAP, "Status", "ECG"))
    assert Montage(channels=("Cz",)).apply(given).channels == ("Cz",)
    kept = Montage(channels=("Cz",), keep=(Modality.ECG,)).apply(given)
    assert kept.channels == ("Cz", "ECG")
    assert kept.modality == (Modality.EEG, Modality.ECG)
    np.testing.assert_array_equal(kept.signal[1], given.signal[-1])
    with pytest.raises(ValidationError, match="EEG channels are chosen by name"):
        Montage(channels=("Cz",), keep=(Modality.EEG,))


def test_what_is_missing_is_named() -> None:
    message = r"r1: montage: 2 of its channels missing: AF3, Fp1-AF4; the recording has 19 of EEG: Fp1, Fp2"
    with pytest.raises(BiosigError, match=message):
        Montage(channels=("Cz", "AF3", "Fp1-AF4")).apply(eeg(smooth(1)))


def test_or_stays_out_as_long_as_something_is_left() -> None:
    found = Montage(channels=("AF3", "Cz", "Fp1-AF4", "Pz"), missing="skip").apply(eeg(smooth(1)))
    assert found.channels == ("Cz", "Pz")
    with pytest.raises(BiosigError, match="1 of its channels missing: AF3"):
        Montage(channels=("AF3",), missing="skip").apply(eeg(smooth(1)))


def test_numbered_electrodes_are_found_by_their_own_names() -> None:
    found = Montage(channels=("E12", "E3")).apply(eeg(np.eye(3), ("E3", "E4", "E12")))
    np.testing.assert_array_equal(found.signal, np.eye(3)[[2, 0]])


def test_a_channel_twice_is_refused() -> None:
    with pytest.raises(ValidationError, match="expected each channel once, got 'T7' 2 times"):
        Montage(channels=("T7", "T3"))
    with pytest.raises(ValidationError, match="at least 1"):
        Montage(channels=())


def test_json_round_trip() -> None:
    pipeline = Preprocessing(steps=(Montage(channels=("Fp1-F7", "T3"), keep=(Modality.ECG,), missing="skip"),))
    assert Preprocessing.model_validate_json(pipeline.model_dump_json()) == pipeline


@pytest.mark.parametrize(
    ("name", "pair"),
    [
        ("Fp1-F7", ("Fp1", "F7")),
        ("FP1-T3", ("Fp1", "T7")),
        ("A2-A1", ("A2", "A1")),
        ("F1-0", None),
        ("Cz-REF", None),
        ("Cz", None),
        ("E1-E2", None),
        ("ECG", None),
    ],
)
def test_derivations_are_told_by_their_names(name: str, pair: tuple[str, str] | None) -> None:
    assert derivation(name) == pair
