"""Annotations become waves; targets become the same waves again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig.corpora import CORPORA
from biosig.errors import BiosigError
from biosig.recording import Event, Modality, Recording
from biosig.simulate import ecg
from finetune.delineation.decode import Rules, confidences, waves_of
from finetune.delineation.targets import targets
from finetune.delineation.waves import WAVES, Annotated, Wave, annotated, annotated_recordings


def with_events(*events: Event) -> Recording:
    return Recording(np.zeros((2, 500), np.float32), ("I", "II"), 100.0, (Modality.ECG,) * 2, "r", events=events)


def test_peaks_go_to_the_wave_around_them_and_others_stay_alone() -> None:
    found = annotated(
        with_events(
            Event(1.0, 0.1, "N", "I"),
            Event(1.04, 0.0, "N", "I"),
            Event(1.3, 0.0, "t", "I"),
            Event(1.5, 0.1, "p", "I"),
        )
    )
    assert list(found) == ["I"]
    lead = found["I"]
    np.testing.assert_allclose(lead.waves[Wave.QRS], [[1.0, 1.04, 1.1]])
    np.testing.assert_array_equal(lead.waves[Wave.T], [[np.nan, 1.3, np.nan]])
    np.testing.assert_array_equal(lead.waves[Wave.P], [[1.5, np.nan, 1.6]])
    assert (lead.begin, lead.end) == (1.0, 1.6)


def test_a_wave_drawn_over_another_of_its_kind_is_left_out() -> None:
    lead = annotated(with_events(Event(1.0, 0.2, "t", "I"), Event(1.1, 0.2, "t", "I"), Event(1.1, 0.0, "t", "I")))["I"]
    np.testing.assert_allclose(lead.waves[Wave.T], [[1.0, 1.1, 1.2]])


def test_points_beyond_the_recording_are_not_known() -> None:
    lead = annotated(
        with_events(
            Event(-0.1, 0.3, "t", "I"), Event(4.9, 0.2, "p", "I"), Event(5.0, 0.3, "N", "I"), Event(5.1, 0, "N")
        )
    )["I"]
    np.testing.assert_allclose(lead.waves[Wave.T], [[np.nan, np.nan, 0.2]])
    np.testing.assert_allclose(lead.waves[Wave.P], [[4.9, np.nan, np.nan]])
    np.testing.assert_allclose(lead.waves[Wave.QRS], [[5.0, np.nan, np.nan]])
    assert (lead.begin, lead.end) == pytest.approx((0.2, 5.0))


def test_waves_of_the_heart_belong_to_all_leads() -> None:
    recording = ecg(seed=1, noise=None)
    found = annotated(recording)
    assert tuple(found) == recording.channels
    beats = [event.onset for event in recording.events if event.code == "N"]
    peaks = found["V6"].waves[Wave.QRS][:, 1]
    np.testing.assert_allclose(peaks[np.isfinite(peaks)], beats)


def test_a_recording_without_waves_is_refused() -> None:
    with pytest.raises(BiosigError, match=r"r: events: expected waves of code p, N and t .* got \['AFIB'\]"):
        annotated_recordings([with_events(Event(0.0, 5.0, "AFIB"))])


@given(st.integers(0, 2**31), st.sampled_from([200.0, 250.0, 500.0]))
@settings(max_examples=40, deadline=None)
def test_targets_decode_to_the_same_waves(seed: int, rate: float) -> None:
    """Edges and peaks between samples come back to a fraction of one."""
    rng = np.random.default_rng(seed)
    lengths = rng.uniform(0.06, 0.2, size=(3, 6, 2)).cumsum(2)
    starts = 0.1 + 1.5 * np.arange(6)[:, None] + 0.45 * np.arange(3)
    waves = {}
    for place, wave in enumerate(WAVES):
        onset, offset = starts[:, place], starts[:, place] + lengths[place, :, 1]
        waves[wave] = np.column_stack([onset, starts[:, place] + lengths[place, :, 0], offset])
    lead = Annotated(waves, 0.0, 10.0)
    drawn = targets(lead, int(10 * rate), rate)
    np.testing.assert_allclose(drawn.waves.sum(0), 1, atol=1e-6)
    assert drawn.known.all()
    found = waves_of(drawn.waves.astype(float), drawn.peaks.astype(float), rate, Rules())
    for wave in WAVES:
        np.testing.assert_allclose(found[wave][:, [0, 2]], waves[wave][:, [0, 2]], atol=0.25 / rate)
        np.testing.assert_allclose(found[wave][:, 1], waves[wave][:, 1], atol=0.1 / rate)


def test_nothing_is_known_outside_the_span_and_about_a_bare_peak() -> None:
    qrs, t = np.array([[2.0, 2.05, 2.1]]), np.array([[np.nan, 3.0, np.nan]])
    waves = {Wave.P: np.empty((0, 3)), Wave.QRS: qrs, Wave.T: t}
    drawn = targets(Annotated(waves, 2.0, 4.0), 1250, 250.0)
    known = np.flatnonzero(drawn.known) / 250
    assert known.min() == 2.0
    assert known.max() == 4.0
    assert not ((known > 2.86) & (known < 3.14)).any()
    # The peak itself is known.
    assert drawn.peaks_known[2, 750] == 1
    assert drawn.peaks[2, 750] == 1


def test_short_doubtful_and_torn_waves() -> None:
    p = np.zeros((4, 500))
    p[1, 50:54] = 0.9  # 16 ms
    p[1, 100:120] = 0.6  # doubtful
    p[1, 200:210] = p[1, 213:220] = 0.9  # torn for 12 ms
    p[1, 490:] = 0.9  # cut off
    peaks = np.zeros((3, 500))
    peaks[0, 215] = 1
    rules = Rules(least=(0.7, 0.5, 0.5))
    found = waves_of(p, peaks, 250.0, rules)[Wave.P]
    assert len(found) == 2
    np.testing.assert_allclose(found[0], [199.555 / 250, 215 / 250, 219.444 / 250], atol=1e-4)
    assert np.isnan(found[1, 2])
    kept = waves_of(p, peaks, 250.0, Rules())
    assert len(kept[Wave.P]) == 3
    np.testing.assert_allclose(confidences(p, kept, 250.0, Wave.P)[[0, 2]], [0.6, 0.9])


@pytest.mark.real
@pytest.mark.parametrize("record", ["1", "8", "116"])
def test_waves_of_ludb_are_those_of_its_files(biosig_data: Path, record: str) -> None:
    folder = biosig_data / "ecg/ludb"
    corpus = CORPORA["ludb"]
    found = annotated(corpus.read(next(entry for entry in corpus.find(folder) if entry.record_id == record)))
    assert len(found) == 12
    for lead, one in found.items():
        marks = wfdb.rdann(str(folder / "data" / record), lead.lower())
        for wave, symbol in zip(WAVES, ("p", "N", "t"), strict=True):
            peaks = marks.sample[[mark == symbol for mark in marks.symbol]] / 500
            own = one.waves[wave][:, 1]
            assert np.isin(np.round(own[np.isfinite(own)], 4), np.round(peaks, 4)).all()
            assert len(peaks) - 5 <= len(own) <= len(peaks)
        assert one.begin == pytest.approx(marks.sample.min() / 500)
