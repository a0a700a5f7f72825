"""From recordings to epochs: spectra in known units, stages by overlap and crosswalk, gaps and strange channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.readers.edf_annotations import read_edf_annotations
from biosig.readers.edf_header import read_edf_header
from biosig.recording import Event, Modality, Recording
from finetune.sequence.nights import (
    BINS,
    EDGES,
    FRAMES,
    STAGES,
    UNKNOWN,
    Night,
    spectra,
    stage_of,
    stages_of,
    trimmed,
)
from pretrain.errors import ModelError


def recording(signal: np.ndarray, rate: float = 100.0) -> Recording:
    names = ("Fpz-Cz", "Pz-Oz")[: len(signal)]
    return Recording(signal.astype(np.float32), names, rate, (Modality.EEG,) * len(signal), record_id="n")


@pytest.mark.parametrize(
    ("code", "stage"),
    [("Sleep stage 4", "N3"), ("Sleep stage R", "R"), ("N1", "N1"), ("REM", "R"), ("S2", "N2"), ("Sleep stage W", "W")],
)
def test_words_of_three_systems(code: str, stage: str) -> None:
    assert STAGES[stage_of(code)] == stage


@pytest.mark.parametrize("code", ["Sleep stage ?", "Movement time", "Lights off"])
def test_other_words_are_no_stage(code: str) -> None:
    assert stage_of(code) == UNKNOWN


def test_an_epoch_has_the_stage_of_more_than_half() -> None:
    events = [
        Event(0, 50, "Sleep stage W", ""),
        Event(50, 40, "Sleep stage 2", ""),
        Event(105, 15, "Sleep stage 3", ""),
    ]
    np.testing.assert_array_equal(stages_of(events, 5), [0, 0, 2, UNKNOWN, UNKNOWN])
    beyond = [Event(-40, 60, "Sleep stage R", ""), Event(30, 3000, "Sleep stage 1", "")]
    np.testing.assert_array_equal(stages_of(beyond, 2), [4, 1])


def test_a_sine_has_its_power_in_its_bin_whatever_the_rate() -> None:
    for rate in (100.0, 128.0):
        time = np.arange(int(60 * rate)) / rate
        x = spectra(recording(20 * np.sin(2 * np.pi * 10.5 * time)[None], rate), ("Fpz-Cz",)).astype(float)
        assert x.shape == (2, 1, BINS, FRAMES)
        power = np.exp(x[0, 0, :, 3])
        assert EDGES[power.argmax()] == 10
        # Of a sine of amplitude a the variance is a^2 / 2.
        assert (power * np.diff(EDGES)).sum() == pytest.approx(200, rel=0.05)


def test_every_epoch_stands_alone() -> None:
    x = np.random.default_rng(0).normal(size=(1, 9000))
    changed = x.copy()
    changed[:, 6000:] *= 50
    one, other = (spectra(recording(part), ("Fpz-Cz",)) for part in (x, changed))
    np.testing.assert_array_equal(one[:2], other[:2])
    assert np.abs(one[2].astype(float) - other[2]).min() > 1


def test_channels_that_are_missing_or_one_gap() -> None:
    x = np.random.default_rng(0).normal(size=(2, 3100))
    x[1] = np.nan
    found = spectra(recording(x), ("EOG horizontal", "Pz-Oz", "Fpz-Cz"))
    assert found.shape[0] == 1
    assert np.isnan(found[:, :2]).all()
    assert np.isfinite(found[:, 2]).all()
    with pytest.raises(ModelError, match="n: expected one of C3-A2, got Fpz-Cz, Pz-Oz"):
        spectra(recording(x), ("C3-A2",))
    with pytest.raises(ModelError, match="an epoch of 30 s or more, got 20 s"):
        spectra(recording(x[:, :2000]), ("Fpz-Cz",))


def test_half_an_hour_of_wake_stays() -> None:
    stage = np.array([0] * 100 + [2] * 10 + [0] * 200, np.int8)
    night = Night("n", "s", np.zeros((310, 1, BINS, FRAMES), np.float16), stage)
    assert len(trimmed(night).stage) == 60 + 10 + 60
    assert len(trimmed(night.part(0, 50)).stage) == 50


@pytest.mark.real
def test_a_real_hypnogram_becomes_epochs(biosig_data: Path) -> None:
    """The first night of Sleep-EDF: every stay lies on the grid, and what is not scored stays unknown."""
    path = biosig_data / "formats" / "mne-testing" / "EDF" / "SC4001EC-Hypnogram.edf"
    events = read_edf_annotations(path, read_edf_header(path))[1]
    last = max(event.onset + event.duration for event in events if event.code != "Sleep stage ?")
    found = stages_of(events, int(last / 30) + 10)
    for number, codes in enumerate((("W",), ("1",), ("2",), ("3", "4"), ("R",))):
        seconds = sum(e.duration for e in events if e.code.removeprefix("Sleep stage ") in codes)
        assert (found == number).sum() == seconds / 30
    assert (found[-10:] == UNKNOWN).all()
