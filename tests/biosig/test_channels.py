"""Channel names of many sources, and the places they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig.channels import LEADS_12, Channel, parse, parse_all, positions
from biosig.recording import Modality

ECG, EEG, EOG, EMG, OTHER = Modality.ECG, Modality.EEG, Modality.EOG, Modality.EMG, Modality.OTHER


@pytest.mark.parametrize(
    ("written", "name", "modality"),
    [
        ("i", "I", ECG),
        ("avr", "aVR", ECG),
        ("AVF", "aVF", ECG),
        (" v6 ", "V6", ECG),
        ("v4r", "V4R", ECG),
        ("MLII", "MLII", ECG),
        ("vx", "VX", ECG),
        ("DII", "II", ECG),
        ("ECG ECG", "ECG", ECG),
        ("ECG II", "II", ECG),
        ("ECG lead V2", "V2", ECG),
        ("EKG1", "EKG1", ECG),
        ("FP1", "Fp1", EEG),
        ("FPZ", "Fpz", EEG),
        ("EEG Fp1", "Fp1", EEG),
        ("EEG Fp1-REF", "Fp1", EEG),
        ("Cz-LE", "Cz", EEG),
        ("Fcz.", "FCz", EEG),
        ("T3", "T7", EEG),
        ("EEG T6", "P8", EEG),
        ("EEG FPZ-CZ", "Fpz-Cz", EEG),
        ("Fp1-T3", "Fp1-T7", EEG),
        ("EEG A2-A1", "A2-A1", EEG),
        ("EEG F1-Ref-1", "F1-1", EEG),
        ("EEG 001", "EEG 001", EEG),
        ("EOG horizontal", "EOG horizontal", EOG),
        ("HEOG", "HEOG", EOG),
        ("EMG submental", "EMG submental", EMG),
        ("EMGright", "EMGright", EMG),
        ("Resp oro-nasal", "Resp oro-nasal", Modality.RESPIRATION),
        ("Status", "Status", Modality.STIMULUS),
        ("STI 014", "STI 014", Modality.STIMULUS),
        ("MEG 0113", "MEG 0113", OTHER),
        ("SaO2", "SaO2", OTHER),
        ("X", "X", OTHER),
        ("", "", OTHER),
    ],
)
def test_names_of_many_sources(written: str, name: str, modality: Modality) -> None:
    found = parse(written)
    assert (found.name, found.modality) == (name, modality)


def test_the_default_decides_only_what_the_name_does_not_tell() -> None:
    assert parse("A17", EEG) == Channel("A17", EEG)
    assert parse("HEOG", EEG).modality is EOG
    assert parse("II", EEG).modality is ECG
    assert parse("X", ECG) == Channel("X", ECG, (-1.0, 0.0, 0.0))


@settings(deadline=None)
@given(st.text(max_size=20), st.sampled_from([None, *Modality]))
def test_any_name_has_an_answer_that_stays(name: str, default: Modality | None) -> None:
    once = parse(name, default)
    twice = parse(once.name, once.modality)
    assert (twice.name, twice.modality, twice.position) == (once.name, once.modality, once.position)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(["F1", "f1", "F1-0", "F1-1", "EEG F1", "I", "i", "", "A1", "A2", "A3", "A4"]), max_size=8)
)
def test_the_names_of_a_recording_are_unique(names: list[str]) -> None:
    found = [channel.name for channel in parse_all(names)]
    assert len(set(found)) == len(names)
    if "A3" not in names:
        canonical = [parse(name).name for name in names]
        once = [name for name in canonical if canonical.count(name) == 1]
        assert [name for name, before in zip(found, canonical, strict=True) if before in once] == once


def test_of_two_equal_names_each_gets_a_number_and_keeps_its_place() -> None:
    first, other, second = parse_all(["EEG F1-Ref", "F2", "F1"])
    assert [first.name, other.name, second.name] == ["F1-0", "F2", "F1-1"]
    assert first.position == second.position == parse("F1").position


def test_a_numbered_cap_has_no_earlobes() -> None:
    names = [f"A{i}" for i in range(1, 33)]
    assert {(channel.modality, channel.position) for channel in parse_all(names)} == {(EEG, None)}
    assert np.isnan(positions(names, EEG)).all()
    assert parse("A1").position is not None


def test_limb_leads_agree_with_einthoven_and_goldberger() -> None:
    one, two, three, right, left, foot = positions(LEADS_12[:6], ECG).astype(float)
    np.testing.assert_allclose(two, one + three, atol=1e-6)
    np.testing.assert_allclose(right, -(one + two) / np.sqrt(3), atol=1e-6)
    np.testing.assert_allclose(left, (one - three) / np.sqrt(3), atol=1e-6)
    np.testing.assert_allclose(foot, (two + three) / np.sqrt(3), atol=1e-6)


def test_lead_axes_are_unit_vectors_on_the_right_side_of_the_body() -> None:
    axes = dict(zip(LEADS_12, positions(LEADS_12, ECG), strict=True))
    np.testing.assert_allclose([np.linalg.norm(axis) for axis in axes.values()], 1, atol=1e-6)
    assert axes["I"][0] < 0  # to the patient's left
    assert axes["aVF"][2] < 0  # to the feet
    assert axes["V2"][1] > 0.9  # to the front
    assert axes["V1"][0] > 0 > axes["V6"][0]


def test_no_two_leads_look_along_the_same_axis() -> None:
    names = [*LEADS_12, "V3R", "V4R", "V7", "V8", "V9", "Z"]
    axes = positions(names, ECG).astype(float)
    degrees = np.degrees(np.arccos(np.clip(axes @ axes.T, -1, 1))) + 180 * np.eye(len(names))
    assert degrees.min() > 5.9


def test_electrodes_sit_where_their_names_say() -> None:
    left, right, front, back, top = positions(["T7", "T8", "Fpz", "Oz", "Cz"], EEG)
    assert (left[0] < -0.9, right[0] > 0.9) == (True, True)
    assert (front[1] > 0.9, back[1] < -0.9, top[2] > 0.9) == (True, True, True)


def test_a_bipolar_derivation_lies_between_its_electrodes() -> None:
    first, second, pair = positions(["Fp1", "F7", "Fp1-F7"], EEG)
    np.testing.assert_allclose(pair, first - second, atol=1e-6)


def test_a_position_is_only_given_for_what_was_measured_there() -> None:
    found = positions(["I", "Fp1", "nonsense", "Cz"], [ECG, EEG, EEG, ECG])
    assert found.shape == (4, 3)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(found).all(1), [False, False, True, True])


def test_the_shipped_table_is_mnes_montage_on_a_sphere() -> None:
    mne = pytest.importorskip("mne")
    with np.testing.suppress_warnings() as quiet:
        quiet.filter(FutureWarning)
        names = mne.channels.get_builtin_montages()
        montage = mne.channels.make_standard_montage("colin27_1005" if "colin27_1005" in names else "standard_1005")
    places = montage.get_positions()["ch_pos"]
    points = np.array(list(places.values()))
    centre = np.linalg.lstsq(np.c_[2 * points, np.ones(len(points))], (points**2).sum(1), rcond=None)[0][:3]
    unit = (points - centre) / np.linalg.norm(points - centre, axis=1, keepdims=True)
    known = [i for i, name in enumerate(places) if name not in ("T3", "T4", "T5", "T6")]
    found = positions([list(places)[i] for i in known], EEG)
    np.testing.assert_allclose(found, unit[known], atol=1e-4)
