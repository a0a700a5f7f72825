"""References: the average, and infinity by REST, against MNE and against dipoles whose potentials are known."""

from __future__ import annotations

import mne
import numpy as np
import pytest

from biosig.channels import positions
from biosig.errors import BiosigError
from biosig.preprocess import Preprocessing, Reference
from biosig.preprocess.spherical import HEAD_RADIUS, rest
from biosig.recording import Modality
from tests.biosig.preprocess.brain import CAP, eeg, smooth

REST = Reference(channels="rest")


def head(names: tuple[str, ...] = CAP) -> mne.Info:
    where = dict(zip(names, HEAD_RADIUS * positions(names, Modality.EEG).astype(float), strict=True))
    info = mne.create_info(list(names), 250.0, "eeg")
    return info.set_montage(mne.channels.make_dig_montage(where, coord_frame="head"))


def test_rest_is_what_mne_makes_of_it() -> None:
    x = smooth(2)
    raw = mne.io.RawArray(x, head(), verbose="error")
    # The model of MNE's own example, the sphere fitted to the electrodes.
    sphere = mne.make_sphere_model("auto", "auto", raw.info, verbose="error")
    sources = mne.setup_volume_source_space(sphere=sphere, exclude=30.0, pos=15.0, verbose="error")
    forward = mne.make_forward_solution(raw.info, trans=None, src=sources, bem=sphere, verbose="error")
    expected, _ = mne.set_eeg_reference(raw, "REST", forward=forward, verbose="error")
    found = REST.apply(eeg(x)).signal
    np.testing.assert_allclose(found, expected.get_data(), atol=0.02 * np.std(x))
    assert np.std(found - Reference().apply(eeg(x)).signal) > 0.1 * np.std(x)


def test_rest_does_not_care_what_the_reference_was() -> None:
    x = smooth(2)
    moved = x - x[CAP.index("Cz")] + 3000
    np.testing.assert_allclose(REST.apply(eeg(moved)).signal, REST.apply(eeg(x)).signal, atol=0.01)


def test_rest_comes_closer_to_infinity_than_the_average() -> None:
    # Dipoles off the grid that the matrix was made from; a forward solution has infinity for its reference.
    rng = np.random.default_rng(0)
    place = rng.normal(size=(40, 3))
    place *= rng.uniform(0.03, 0.07, size=(40, 1)) / np.linalg.norm(place, axis=1, keepdims=True)
    sphere = mne.make_sphere_model(r0=(0.0, 0.0, 0.0), head_radius=HEAD_RADIUS, verbose="error")
    dipoles = {"rr": place, "nn": np.tile([0.0, 0.0, 1.0], (40, 1))}
    sources = mne.setup_volume_source_space(sphere=sphere, pos=dipoles, sphere_units="m", verbose="error")
    forward = mne.make_forward_solution(head(), trans=None, src=sources, bem=sphere, meg=False, verbose="error")
    gain = forward["sol"]["data"]
    truth = gain @ rng.normal(size=(gain.shape[1], 500))
    truth *= 20 / truth.std()
    given = eeg(truth - truth[CAP.index("Cz")])
    error = [np.std(Reference(channels=kind).apply(given).signal - truth) for kind in ("rest", "average")]
    assert error[0] < 0.7 * error[1]


def test_the_matrix_is_made_once_a_montage() -> None:
    rest.cache_clear()
    for _ in range(3):
        REST.apply(eeg(smooth(1)))
    assert (rest.cache_info().misses, rest.cache_info().hits) == (1, 2)


def test_a_gap_of_one_electrode_leaves_the_others() -> None:
    x = smooth(2)
    x[3, 100:200] = np.nan
    x[7] = np.nan
    x[:, 300] = np.nan
    found = REST.apply(eeg(x)).signal
    np.testing.assert_array_equal(np.isnan(found), np.isnan(x))
    # Where the third is missing the others are as if it did not exist.
    rows = [row for row in range(19) if row not in (3, 7)]
    alone = REST.apply(eeg(x[rows], tuple(CAP[row] for row in rows))).signal
    np.testing.assert_allclose(found[rows][:, 100:200], alone[:, 100:200], atol=1e-3)


def test_electrodes_of_unknown_place_are_named() -> None:
    with pytest.raises(BiosigError, match=r"r1: reference rest: .*got 'E7' \(2 of 3 of unknown place\)"):
        REST.apply(eeg(np.eye(3), ("Cz", "E7", "E8")))
    with pytest.raises(BiosigError, match="at least two electrodes"):
        REST.apply(eeg(np.ones((1, 5)), ("Cz",)))


@pytest.mark.parametrize("kind", ["average", "rest", ("Cz", "Pz")])
def test_a_derivation_has_no_reference_and_an_ecg_none_of_these(kind: str) -> None:
    x = np.vstack([smooth(1), 100 * np.ones((2, 250))])
    found = Reference(channels=kind).apply(eeg(x, (*CAP, "A2-A1", "ECG"))).signal
    np.testing.assert_array_equal(found[-2:], 100)
    without = Reference(channels=kind).apply(eeg(x[:-2])).signal
    np.testing.assert_array_equal(found[:-2], without)


def test_a_recording_without_eeg_passes() -> None:
    given = eeg(np.ones((1, 9)), ("ECG",))
    assert REST.apply(given) is given


def test_json_says_rest() -> None:
    pipeline = Preprocessing(steps=(REST,))
    assert pipeline.model_dump_json() == '{"steps":[{"kind":"reference","channels":"rest","modality":"eeg"}]}'
    assert Preprocessing.model_validate_json(pipeline.model_dump_json()) == pipeline
