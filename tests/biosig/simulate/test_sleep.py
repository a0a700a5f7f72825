"""Simulated nights: stages look as they are said to, and the files are read by the reader of Sleep-EDF."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import welch

from biosig.corpora import CORPORA
from biosig.errors import BiosigError
from biosig.quality import flags
from biosig.recording import Recording
from biosig.simulate.sleep import EPOCH, RATE, STAGES, WORDS, night, stages
from biosig.simulate.sleep_files import write_nights


@cache
def nights() -> list[Recording]:
    return [night(subject, hours=2.0) for subject in range(2)]


def powers(low: float, high: float, channel: int) -> dict[str, float]:
    """Mean power of a band in each stage, over two nights."""
    found: dict[str, list[float]] = {name: [] for name in STAGES}
    words = {word: name for name, word in WORDS.items()} | {"Sleep stage 4": "N3"}
    for recording in nights():
        for event in recording.events:
            part = slice(int(event.onset * RATE), int((event.onset + event.duration) * RATE))
            frequency, power = welch(recording.signal[channel, part], RATE, nperseg=400)
            found[words[event.code]].append(power[(frequency >= low) & (frequency < high)].mean())
    return {name: float(np.mean(values)) for name, values in found.items() if values}


def test_stages_differ_where_they_should() -> None:
    delta, alpha, spindle = powers(0.5, 2, 0), powers(8, 12, 1), powers(12, 15, 0)
    assert max(delta, key=delta.__getitem__) == "N3"
    assert max(alpha, key=alpha.__getitem__) == "W"
    assert spindle["N2"] > max(spindle["R"], spindle["N1"])


def test_stays_cover_the_night_and_a_seed_is_a_night() -> None:
    one, other = night(4, hours=1.0, seed=2), night(4, hours=1.0, seed=2)
    np.testing.assert_array_equal(one.signal, other.signal)
    assert one.events == other.events
    ends = [event.onset + event.duration for event in one.events]
    assert ends[:-1] == [event.onset for event in one.events[1:]]
    assert (one.events[0].onset, ends[-1]) == (0, 3600)
    assert all(event.duration >= EPOCH for event in one.events)
    assert not np.array_equal(night(5, hours=1.0, seed=2).signal, one.signal)


def test_the_chain_begins_awake_and_visits_everything() -> None:
    chain = stages(3000, np.random.default_rng(0))
    assert chain[0] == 0
    assert set(chain) == set(range(5))
    share = np.bincount(chain) / len(chain)
    assert share[2] > share[1]


def test_files_are_those_of_sleep_edf(tmp_path: Path) -> None:
    folder = write_nights(tmp_path / "nights", 2, hours=0.25, workers=1, progress=False)
    corpus = CORPORA["sleep-edf"]
    found = [corpus.read(entry) for entry in corpus.find(folder)]
    assert [one.record_id for one in found] == ["SC4001E", "SC4011E"]
    assert "simulated" in (folder / "README.txt").read_text()
    for subject, recording in enumerate(found):
        made = night(subject, hours=0.25)
        np.testing.assert_allclose(recording.signal, made.signal, atol=0.02)
        assert recording.channels == made.channels
        assert [(e.onset, e.duration, e.code) for e in recording.events] == [
            (e.onset, e.duration, e.code) for e in made.events
        ]
        assert (recording.meta["age"], recording.meta["sex"]) == (made.meta["age"], made.meta["sex"])
        assert not {"overlap", "outside", "unannotated"} & set(flags(recording))
    with pytest.raises(BiosigError, match="new or empty folder"):
        write_nights(folder, 2)
    with pytest.raises(BiosigError, match="1 to 100 subjects"):
        write_nights(tmp_path / "more", 101)
