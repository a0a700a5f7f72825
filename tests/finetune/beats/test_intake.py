"""Windows and median beats against slow references; gain and offset do not matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from biosig.recording import Modality, Recording
from finetune.beats.aami import BEATS
from finetune.beats.choices import Context
from finetune.beats.intake import MARGIN, RATE, REACH, labelled_strip, median_beats, strip, windows
from finetune.beats.rr import HALF
from pretrain.errors import ModelError
from tests.finetune.beats.simulated import person


def test_windows_are_cut_about_the_peaks() -> None:
    x = np.random.default_rng(0).standard_normal((2, 1000)).astype(np.float32)
    peaks = np.array([0.0, 1.003, 4.0, 7.8])
    found, half = windows(x, peaks), REACH + MARGIN
    assert found.shape == (4, 2, 2 * half)
    for row, peak in enumerate(peaks):
        for lead in range(2):
            places = [min(max(round(peak * RATE) + step, 0), 999) for step in range(-half, half)]
            cut = x[lead, places]
            np.testing.assert_allclose(found[row, lead], cut - cut.mean(), atol=1e-5)


@pytest.mark.parametrize("context", list(Context))
def test_the_median_beat_is_that_of_the_beats_around(context: Context) -> None:
    cut = np.random.default_rng(0).standard_normal((300, 1, 6)).astype(np.float32)
    found = median_beats(cut, context)
    for beat in range(300):
        first = beat - beat % 16
        if context is Context.BOTH:
            near = cut[max(first + 8 - HALF, 0) : first + 8 + HALF + 1]
        else:
            first = beat if beat < 16 else first
            near = cut[max(first - 2 * HALF, 0) : first + 1]
        np.testing.assert_array_equal(found[beat], np.median(near, axis=0))


def test_gain_and_offset_do_not_matter() -> None:
    recording = person(0, duration=20.0)
    right = labelled_strip(recording)
    loud = labelled_strip(replace(recording, signal=recording.signal * np.float32(-4.0) + np.float32(300)))
    np.testing.assert_allclose(-loud.windows, right.windows, atol=2e-3)
    np.testing.assert_array_equal(loud.rr, right.rr)
    assert {BEATS[place].value for place in right.labels} <= {"N", "S", "V"}
    assert len(right) == len(right.peaks) == len(right.labels)


def test_a_flat_lead_stays_flat_and_no_ecg_is_refused() -> None:
    recording = person(1, duration=10.0)
    torn = np.array(recording.signal)
    torn[1] = 5.0
    assert not strip(replace(recording, signal=torn), np.array([2.0, 3.0])).windows[:, 1].any()
    eeg = Recording(recording.signal, ("Cz", "Pz"), 200.0, (Modality.EEG,) * 2, "r")
    with pytest.raises(ModelError, match="r: expected ECG leads of 1 s or more, got 0"):
        strip(eeg, np.array([2.0]))
