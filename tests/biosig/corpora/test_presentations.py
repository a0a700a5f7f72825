"""Marks become presentations: what they mean, when, and which in the row."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from biosig.corpora.presentations import presentations
from biosig.recording import Event

MEANINGS = {"T1": "left fist", "T2": "right fist"}
MARKS = st.lists(
    st.builds(Event, onset=st.floats(0, 100), duration=st.floats(0, 5), code=st.sampled_from(["T0", "T1", "T2"]))
)


@given(MARKS)
def test_every_mark_is_there_and_those_with_a_meaning_are_numbered(marks: list[Event]) -> None:
    found = presentations(marks, MEANINGS)
    assert [event.onset for event in found] == [mark.onset for mark in marks]
    assert [event.duration for event in found] == [mark.duration for mark in marks]
    meant = [event for event in found if event.stimulus]
    assert [event.trial for event in meant] == list(range(1, len(meant) + 1))
    assert [(event.text, event.code, event.stimulus) for event in meant] == [
        (mark.code, MEANINGS[mark.code], MEANINGS[mark.code]) for mark in marks if mark.code in MEANINGS
    ]
    assert [event for event in found if not event.stimulus] == [mark for mark in marks if mark.code not in MEANINGS]


def test_a_stimulus_lasts_as_long_as_is_known_of_it() -> None:
    (event,) = presentations([Event(1.0, 0.0, "T1", "stim")], MEANINGS, 5.0)
    assert event == Event(1.0, 5.0, "left fist", "T1", "left fist", 1)
