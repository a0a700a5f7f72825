"""The moment of a stimulus is the same before and after every step, down to the table of presentations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from biosig.preprocess import BadChannels, Bandpass, Crop, Montage, Notch, Preprocessing, Reference, Resample
from biosig.presets import PRESETS, load
from biosig.recording import Event
from biosig.store import Store, prepare, trials
from tests.biosig.preprocess.brain import CAP, eeg, smooth
from tests.biosig.store.fake import FakeCorpus, write_corpus

EVENTS = (
    Event(0.5, 0.0, "N", "beat"),
    Event(1.003, 4.2, "video", "a clip", stimulus="clip-3", trial=7),
    Event(6.0, 30.0, "video", stimulus="clip-4", trial=8),
)
STEPS = [
    Resample(rate=128),
    Resample(rate=128, phase="causal"),
    Bandpass(low=0.5, high=45),
    Bandpass(low=0.5, high=45, phase="causal"),
    Notch(frequency=50),
    Reference(),
    Reference(channels="rest"),
    Montage(channels=("Cz", "Fp1-F7")),
    BadChannels(too_many="flag"),
    Crop(),
]


@pytest.mark.parametrize("step", [*STEPS, *(load(name) for name in PRESETS)], ids=str)
def test_events_pass_every_step(step: Any) -> None:
    found = step.apply(eeg(smooth(8), events=EVENTS))
    assert found.events == EVENTS
    assert found.duration == pytest.approx(8.0, abs=0.01)


def test_a_step_marks_the_moment_of_its_stimulus_in_the_signal() -> None:
    # A pulse where the stimulus begins is still there after another rate, filters and a crop.
    x = np.zeros((19, 2000))
    x[:, 1000:1003] = np.linspace(50, 100, 19)[:, None]
    pipeline = Preprocessing(steps=(Resample(rate=128), Bandpass(low=1, high=45), Reference(), Crop(start=1.7)))
    found = pipeline.apply(eeg(x, events=(Event(4.0, 1.0, "", stimulus="s"),)))
    peak = np.abs(found.signal[-1]).argmax() / found.sampling_rate
    assert peak == pytest.approx(found.events[0].onset + 1 / 250, abs=1 / 128)


@pytest.mark.parametrize(
    ("crop", "kept"),
    [
        (Crop(start=2.0, stop=7.0), [(-0.997, 4.2), (4.0, 30.0)]),
        (Crop(start=0.2), [(0.3, 0.0), (0.803, 4.2), (5.8, 30.0)]),
        (Crop(start=5.5, stop=5.9), []),
        (Crop(start=7.0), [(-1.0, 30.0)]),
        (Crop(start=0.5, stop=0.8), [(0.0, 0.0)]),
        (Crop(start=0.0, stop=0.5), []),
        (Crop(start=5.203), []),
    ],
)
def test_a_crop_keeps_the_clock_of_what_it_cuts(crop: Crop, kept: list[tuple[float, float]]) -> None:
    events = EVENTS if crop.start != 5.203 else EVENTS[:2]
    found = crop.apply(eeg(smooth(8), events=events)).events
    assert [(pytest.approx(event.onset), event.duration) for event in found] == kept
    by_trial = {event.trial: event for event in EVENTS}
    assert all(event.stimulus == by_trial[event.trial].stimulus for event in found)


def test_crops_add_up() -> None:
    given = eeg(smooth(8), events=EVENTS)
    once = Crop(start=3.0).apply(given)
    twice = Crop(start=1.0).apply(Crop(start=2.0).apply(given))
    assert [(e.onset, e.duration) for e in once.events] == [(pytest.approx(e.onset), e.duration) for e in twice.events]


@pytest.mark.parametrize(
    ("crop", "place"), [(Crop(start=1.5), (0, 375, 125)), (Crop(start=0.4, stop=2.0), (150, 250, 0))]
)
def test_the_table_of_presentations_knows_how_late_a_record_begins(
    tmp_path: Path, crop: Crop, place: tuple[int, int, int]
) -> None:
    # The corpus presents "film 3" from second 1 to 3.
    source = write_corpus(tmp_path / "source", 1)
    pipeline = Preprocessing(steps=(Resample(rate=250.0), crop))
    prepare(FakeCorpus(), source, tmp_path / "store", preprocessing=pipeline, workers=0, progress=False)
    (row,) = trials(Store(tmp_path / "store"))[["start", "samples", "late"]].to_numpy().tolist()
    assert tuple(row) == place


def test_what_a_step_finds_is_kept_in_the_store(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 1)

    class Cap(FakeCorpus):
        def read(self, entry: Any) -> Any:
            x = smooth(8)
            x[:6] = 0
            return eeg(x, subject_id="s")

    pipeline = Preprocessing(steps=(BadChannels(too_many="flag"),))
    prepare(Cap(), source, tmp_path / "store", preprocessing=pipeline, workers=0, progress=False)
    found = Store(tmp_path / "store").recording(0).meta
    assert found["bad_channels"] == {name: ["flat"] for name in CAP[:6]}
    assert {"bad-channels", "unmended"} <= set(found["flags"])
