"""Presets over real recordings of many formats: they come through, or are refused by name."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest

from biosig.errors import BiosigError
from biosig.preprocess import BadChannels, Montage, Reference
from biosig.presets import PRESETS, load
from biosig.readers import read
from biosig.recording import Modality, Recording
from biosig.spectral import differential_entropy
from tests.biosig.preprocess.brain import CAP

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def readable(biosig_data: Path) -> list[Recording]:
    found = []
    for path in sorted(path for path in (biosig_data / "formats").rglob("*") if path.is_file()):
        with suppress(BiosigError):
            found.append(read(path))
    return found


@pytest.mark.parametrize("preset", PRESETS)
def test_every_format_comes_through_or_is_refused_by_name(readable: list[Recording], preset: str) -> None:
    pipeline, through, refused = load(preset), 0, []
    for recording in readable:
        try:
            found = pipeline.apply(recording)
        except BiosigError as error:
            refused.append((recording.record_id, str(error)))
            continue
        through += 1
        assert found.events == recording.events
        assert found.duration == pytest.approx(recording.duration, abs=1 / found.sampling_rate)
        assert np.isfinite(found.signal).all(axis=1).sum() >= np.isfinite(recording.signal).all(axis=1).sum()
    assert through >= (15 if preset in {"eeg-clean", "eeg-rest"} else 25)
    known = ("of unknown place", "bad channels", "at least two electrodes")
    assert all(text.startswith(name) and any(words in text for words in known) for name, text in refused)
    assert not refused or preset in {"eeg-clean", "eeg-rest"}


def test_eegmat_has_electrodes_an_earlobe_pair_and_an_ecg(biosig_data: Path) -> None:
    recording = read(biosig_data / "eeg" / "eegmat" / "Subject00_1.edf")
    found = load("eeg").apply(recording)
    assert found.channels == recording.channels
    eeg = np.array(
        [kind is Modality.EEG and name != "A2-A1" for name, kind in zip(found.channels, found.modality, strict=True)]
    )
    assert eeg.sum() == 19
    np.testing.assert_allclose(found.signal[eeg].mean(axis=0), 0, atol=1e-3)
    # The pair has no common reference: only mains and drift are taken out of it.
    pair = Reference().apply(recording).pick(("A2-A1",)).signal
    np.testing.assert_array_equal(pair, recording.pick(("A2-A1",)).signal)
    chosen = Montage(channels=CAP, keep=(Modality.ECG,)).apply(recording)
    assert chosen.channels == (*CAP, "ECG")


def test_rest_and_average_of_a_real_head_differ_by_one_signal(biosig_data: Path) -> None:
    # Both subtract something common to all electrodes: their difference is the same everywhere.
    recording = Montage(channels=CAP).apply(read(biosig_data / "eeg" / "eegmat" / "Subject00_2.edf"))
    rest, average = (Reference(channels=kind).apply(recording).signal for kind in ("rest", "average"))
    common = (rest - average).mean(axis=0)
    np.testing.assert_allclose(rest - average, np.tile(common, (19, 1)), atol=0.02)
    assert common.std() > 0.5


def test_a_dead_electrode_of_a_real_head_is_found_and_made_anew(biosig_data: Path) -> None:
    for path in sorted((biosig_data / "eeg" / "eegmat").glob("*_2.edf"))[:4]:
        recording = Montage(channels=CAP).apply(read(path))
        signal = recording.signal.copy()
        truth = signal[CAP.index("C3")].copy()
        signal[CAP.index("C3")] = 0
        found = BadChannels().apply(Recording(signal, CAP, recording.sampling_rate, recording.modality))
        assert found.meta["bad_channels"]["C3"] == ["flat"]
        assert np.corrcoef(found.signal[CAP.index("C3")], truth)[0, 1] > 0.7


def test_closed_eyes_have_their_alpha_at_the_back(biosig_data: Path) -> None:
    stronger = []
    for path in sorted((biosig_data / "eeg" / "eegmat").glob("*_1.edf")):
        recording = load("eeg").apply(Montage(channels=CAP).apply(read(path)))
        entropy = differential_entropy(recording.signal, 128.0)
        assert np.isfinite(entropy).all()
        assert entropy.shape == (int(recording.duration), 19, 5)
        alpha = entropy[:, :, 2].mean(axis=0)
        stronger.append(
            alpha[[CAP.index("O1"), CAP.index("O2")]].mean() > alpha[[CAP.index("C3"), CAP.index("C4")]].mean()
        )
    assert sum(stronger) >= 7
