"""numpy and pandas there and back, and the units that nobody may guess."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings

import biosig
from biosig.errors import BiosigError
from biosig.recording import Event, Modality, Recording
from tests.biosig.interchange.recordings import recordings


@settings(max_examples=20, deadline=None)
@given(recordings())
def test_there_and_back_is_the_same(recording: Recording) -> None:
    signal, channels, rate = biosig.to_numpy(recording)
    frame, events = biosig.to_pandas(recording), biosig.events_to_pandas(recording)
    assert list(frame.columns) == list(channels)
    for back in (
        biosig.from_numpy(signal, channels, rate, unit="uV", modality=recording.modality, events=recording.events),
        biosig.from_pandas(frame, unit="uV", modality=recording.modality, events=events),
        biosig.from_pandas(
            frame.set_index(pd.to_timedelta(frame.index, unit="s")),
            unit="uV",
            modality=recording.modality,
            events=events,
            sampling_rate=rate,
        ),
    ):
        np.testing.assert_array_equal(back.signal, recording.signal)
        assert (back.channels, back.modality, back.sampling_rate) == (
            recording.channels,
            recording.modality,
            recording.sampling_rate,
        )
        assert back.events == recording.events


def test_an_array_is_a_copy() -> None:
    recording = biosig.from_numpy(np.ones((1, 10)), ["II"], 100, unit="mV")
    biosig.to_numpy(recording).signal[:] = 0
    assert (recording.signal == 1000).all()


@pytest.mark.parametrize(("unit", "microvolts"), [("V", 2e6), ("mV", 2e3), ("µV", 2.0), ("uV", 2.0), ("nV", 2e-3)])
def test_units(unit: str, microvolts: float) -> None:
    assert biosig.from_numpy(np.full((1, 3), 2), ["II"], 100, unit=unit).signal[0, 0] == np.float32(microvolts)
    frame = pd.DataFrame({"II": [2.0, 2.0]}, index=[0.0, 0.01])
    assert biosig.from_pandas(frame, unit=unit).signal[0, 0] == np.float32(microvolts)


def test_a_unit_a_channel() -> None:
    recording = biosig.from_numpy(np.ones((3, 5)), ["ecg lead ii", "P1", "P3"], 100, unit=["mV", "mmHg", "uV"])
    np.testing.assert_array_equal(recording.signal[:, 0], [1000, 1, 1])
    assert recording.channels == ("II", "P1", "P3")
    assert recording.modality == (Modality.ECG, Modality.OTHER, Modality.EEG)
    assert recording.meta["units"] == {"P1": "mmHg"}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"unit": "mmHg"}, "x: unit: expected uV, mV or V, got 'mmHg'"),
        ({"unit": ["mV"]}, "x: expected one unit for each of 2 rows, got 1"),
        ({"channels": ["I"]}, "x: expected one name for each of 2 rows, got 1"),
        ({"modality": [Modality.ECG]}, "x: expected one modality for each of 2 rows, got 1"),
        ({"signal": np.ones(5)}, "x: signal: expected (channel, time) numbers, got float64 (5,)"),
        ({"signal": np.array([["a"], ["b"]])}, "x: signal: expected (channel, time) numbers, got <U1 (2, 1)"),
    ],
)
def test_what_does_not_fit_is_refused(arguments: dict[str, object], said: str) -> None:
    usual = {"signal": np.ones((2, 5)), "channels": ["I", "II"], "sampling_rate": 100, "unit": "mV", "record_id": "x"}
    with pytest.raises(BiosigError, match=f"^{re.escape(said)}"):
        biosig.from_numpy(**usual | arguments)  # type: ignore[arg-type]


def test_times_that_are_not_even_are_refused() -> None:
    frame = pd.DataFrame({"II": np.zeros(5)}, index=[0.0, 0.01, 0.02, 0.035, 0.04])
    with pytest.raises(BiosigError, match=r"x: index: expected even times, 0\.01 s apart; row 3 is at 0\.035 s"):
        biosig.from_pandas(frame, unit="mV", record_id="x")
    assert biosig.from_pandas(frame, unit="mV", sampling_rate=100).n_times == 5
    with pytest.raises(BiosigError, match="column 'II': expected numbers, got object"):
        biosig.from_pandas(frame.astype(str), unit="mV")
    with pytest.raises(BiosigError, match="index: expected seconds or a TimedeltaIndex, got object"):
        biosig.from_pandas(frame.set_index(pd.Index(list("abcde"))), unit="mV")
    with pytest.raises(BiosigError, match="expected two times or more"):
        biosig.from_pandas(frame.iloc[:1], unit="mV")


def test_times_rounded_by_a_file_of_text_still_tell_the_rate() -> None:
    frame = biosig.to_pandas(biosig.from_numpy(np.zeros((1, 360 * 60)), ["II"], 360, unit="mV"))
    rounded = frame.set_index(frame.index.to_series().round(4))
    assert biosig.from_pandas(rounded, unit="uV").sampling_rate == 360


def test_events_count_from_the_first_sample_of_a_part() -> None:
    whole = biosig.from_numpy(np.zeros((1, 100)), ["II"], 100, unit="mV", events=[Event(0.5, 0.1, "N")])
    part = biosig.from_pandas(biosig.to_pandas(whole).loc[0.3:], unit="uV", events=biosig.events_to_pandas(whole))
    assert part.events[0].onset == pytest.approx(0.2)
    with pytest.raises(BiosigError, match="events: expected a column 'onset', got when"):
        biosig.from_pandas(biosig.to_pandas(whole), unit="uV", events=pd.DataFrame({"when": [1]}))
    with pytest.raises(BiosigError, match=r"expected onset and duration in seconds, got \{'onset': 'late'\}"):
        biosig.from_pandas(biosig.to_pandas(whole), unit="uV", events=pd.DataFrame({"onset": ["late"]}))
