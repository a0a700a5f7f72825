"""Presentations of stimuli: what is cut off, what is left out, and where the moment of a stimulus is."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pandas as pd
import pytest

from biosig.recording import Event
from biosig.store import Store, prepare, trials
from tests.biosig.store.fake import FakeCorpus, write_corpus

RATE, SAMPLES = 100.0, 1000


class Table:
    """What `trials` needs of a store: two records of ten seconds, the first of them with the given events."""

    def __init__(self, *events: Event) -> None:
        self.records = pd.DataFrame({"record": ["a", "b"], "subject": ["s", "t"], "session": ["1", "2"]})
        rows = [{"record": "a", **{name: getattr(event, name) for name in Event.__slots__}} for event in events]
        rows.append(
            {"record": "b", "onset": 0.0, "duration": 9.0, "code": "", "text": "", "stimulus": "film", "trial": None}
        )
        self.events = pd.DataFrame(rows)
        self.rates, self.samples = (pd.Series([value, value]).to_numpy() for value in (RATE, SAMPLES))

    def __len__(self) -> int:
        return 2


def made(*events: Event, rows: list[int] | None = None) -> pd.DataFrame:
    return trials(cast("Store", Table(*events)), rows)


def test_a_presentation_has_its_place_and_its_people() -> None:
    found = made(Event(2.0, 3.0, "T1", stimulus="film", trial=4))
    assert found.loc[0].to_dict() == {
        "row": 0,
        "record": "a",
        "subject": "s",
        "session": "1",
        "stimulus": "film",
        "trial": 4,
        "code": "T1",
        "start": 200,
        "samples": 300,
        "late": 0,
    }
    assert list(found["row"]) == [0, 1]
    assert found["trial"].isna().tolist() == [False, True]


@pytest.mark.parametrize(
    ("event", "place"),
    [
        (Event(-1.0, 3.0, "", stimulus="film"), (0, 200, 100)),
        (Event(8.0, 5.0, "", stimulus="film"), (800, 200, 0)),
        (Event(-2.0, 40.0, "", stimulus="film"), (0, SAMPLES, 200)),
    ],
)
def test_what_lies_outside_the_record_is_cut_off(event: Event, place: tuple[int, int, int]) -> None:
    assert tuple(made(event, rows=[0]).loc[0, ["start", "samples", "late"]]) == place


@pytest.mark.parametrize(
    "event",
    [
        Event(2.0, 3.0, "N"),
        Event(2.0, 0.0, "N", stimulus="film"),
        Event(10.0, 3.0, "N", stimulus="film"),
        Event(-5.0, 5.0, "N", stimulus="film"),
    ],
)
def test_events_that_are_no_presentation_are_left_out(event: Event) -> None:
    assert len(made(event, rows=[0])) == 0


def test_only_the_rows_asked_for() -> None:
    assert list(made(Event(0.0, 1.0, "", stimulus="x"), rows=[1])["record"]) == ["b"]


def test_of_a_prepared_store(tmp_path: Path) -> None:
    source = write_corpus(tmp_path / "source", 3)
    prepare(FakeCorpus(), source, tmp_path / "store", workers=0, progress=False)
    store = Store(tmp_path / "store")
    found = trials(store)
    assert list(found["stimulus"]) == ["film 3"] * 3
    assert list(found["row"]) == [0, 1, 2]
    assert (found["start"] == 250).all()
    assert (found["samples"] == 500).all()
