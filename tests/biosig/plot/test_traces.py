"""Traces of any channels: scales, gaps, events."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from biosig.errors import BiosigError
from biosig.plot import annotated_beats, counted_rate, traces
from biosig.recording import Event, Modality, Recording

EEG, ECG = Modality.EEG, Modality.ECG


def recording(count: int = 4, **more: object) -> Recording:
    rng = np.random.default_rng(2)
    signal = 40 * rng.standard_normal((count, 2000))
    signal[-1] *= 25
    channels = (*(f"C{k}" for k in range(count - 1)), "ECG")
    return Recording(signal, channels, 100.0, (EEG,) * (count - 1) + (ECG,), record_id="r", **more)  # type: ignore[arg-type]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_each_channel_is_a_row_about_its_median_in_the_scale_of_its_modality() -> None:
    source = recording()
    axes = traces(source).axes[0]
    rows = [line for line in axes.lines if len(line.get_xdata()) == 1001]
    assert len(rows) == 4
    for k, line in enumerate(rows):
        y = np.asarray(line.get_ydata())
        assert np.median(y) == pytest.approx(-k, abs=1e-6)
        # Five standard deviations of 40 and of 1,000 microvolts fill most of a row of 500 and of 10,000.
        assert np.ptp(source.signal[k, :1001]) / np.ptp(y) == pytest.approx(500 if k < 3 else 10_000, rel=1e-4)
    assert [label.get_text() for label in axes.get_yticklabels()] == list(source.channels)


def test_the_scale_bars_name_unit_and_modality() -> None:
    assert texts(traces(recording())) == ["500 µV EEG", "10 mV ECG"]


def test_events_are_drawn_where_they_are_and_labelled_when_few() -> None:
    events = (Event(2.0, 0.0, "T1"), Event(5.0, 1.5, "T2"), Event(30.0, 0.0, "late"))
    axes = traces(recording(events=events)).axes[0]
    lines = [
        line.get_xdata()[0] for line in axes.lines if len(line.get_xdata()) == 2 and len(set(line.get_xdata())) == 1
    ]
    assert {2.0, 5.0} <= set(map(float, lines))
    labels = [text.get_text() for text in axes.texts]
    assert "T1" in labels
    assert "T2" in labels
    assert "late" not in labels
    many = tuple(Event(k / 10, 0.0, f"s{k}") for k in range(100))
    assert not any(text.startswith("s") for text in texts(traces(recording(events=many))))


def test_gaps_and_flat_channels_are_drawn_as_they_are() -> None:
    signal = recording().signal.copy()
    signal[0, 200:300] = np.nan
    signal[1] = np.nan
    signal[2] = 7.0
    source = Recording(signal, recording().channels, 100.0, recording().modality)
    rows = [np.asarray(line.get_ydata()) for line in traces(source).axes[0].lines if len(line.get_xdata()) == 1001]
    assert np.isnan(rows[0][200:300]).all()
    assert np.isnan(rows[1]).all()
    assert np.ptp(rows[2]) == 0


def test_chosen_channels_and_seconds() -> None:
    axes = traces(recording(), channels=["C2", "C0"], start=4.0, seconds=3.0).axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["C2", "C0"]
    assert axes.get_xlim() == (4.0, 7.0)


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(BiosigError, match="no channel 'Cz'"):
        traces(recording(), channels=["Cz"])
    with pytest.raises(BiosigError, match="expected channels and a start from 0 to 20 s"):
        traces(recording(), start=20.0)


def test_a_beat_annotated_in_every_lead_is_one_beat() -> None:
    beats = [Event(t + d, 0.0, "N") for t in (1.0, 2.0, 3.0) for d in (0.0, 0.01, 0.02)]
    events = (*beats, Event(1.5, 0.0, "t"))
    source = recording(events=events)
    assert [beat.onset for beat in annotated_beats(source)] == [1.0, 2.0, 3.0]
    assert counted_rate(source) == pytest.approx(60.0)
    assert counted_rate(source, start=2.5) is None


def test_names_are_text_never_formulas() -> None:
    channels = ("$x^{", "EEG_{", "b$$", "d")
    events = (Event(1.0, 0.5, "${"),)
    modality = recording().modality
    figure = traces(Recording(recording().signal, channels, 100.0, modality, record_id="$_", events=events))
    figure.canvas.draw()
    assert "${" in texts(figure)


def test_electrodes_stand_from_front_to_back_and_others_where_they_were() -> None:
    names = ("O2", "ECG", "T8", "C3", "A2-A1", "Fz", "E9", "Fp1", "TP9", "F7", "FT8", "FC1", "AFz", "Cz")
    kinds = tuple(ECG if name == "ECG" else EEG for name in names)
    source = Recording(np.ones((14, 50), np.float32), names, 10.0, kinds)
    expected = ["Fp1", "ECG", "AFz", "F7", "A2-A1", "Fz", "E9", "FC1", "FT8", "C3", "Cz", "T8", "TP9", "O2"]
    assert [label.get_text() for label in traces(source).axes[0].get_yticklabels()] == expected
    given = traces(source, channels=["O2", "Fp1"]).axes[0].get_yticklabels()
    assert [label.get_text() for label in given] == ["O2", "Fp1"]


def test_a_stimulus_is_called_by_its_name_even_when_it_began_before() -> None:
    events = (Event(-3.0, 5.0, "video", stimulus="clip 7"), Event(4.0, 2.0, "video"), Event(7.0, 0.0, "", "a note"))
    figure = traces(recording(events=events))
    assert texts(figure)[-3:] == ["clip 7", "video", "a note"]
    bars = [tuple(line.get_xdata()) for line in figure.axes[0].lines if tuple(line.get_ydata()) == (1.0, 1.0)]
    assert bars == [(0.0, 2.0), (4.0, 6.0)]
