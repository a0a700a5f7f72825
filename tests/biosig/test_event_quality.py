"""Events that overlap or lie outside, against every pair and every moment looked at one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from biosig.event_quality import outside, overlapping
from biosig.recording import Event

EVENTS = st.lists(
    st.builds(
        Event,
        onset=st.integers(-3, 12).map(float),
        duration=st.integers(0, 5).map(float),
        code=st.just("x"),
        text=st.sampled_from(["", "C3", "T1"]),
    ),
    max_size=8,
)


@given(EVENTS, st.integers(0, 2))
def test_some_pair_overlaps_as_when_all_pairs_are_looked_at(events: list[Event], tolerance: int) -> None:
    def place(event: Event) -> str:
        return event.text if event.text == "C3" else ""

    in_time = sorted((event for event in events if event.duration > 0), key=lambda event: event.onset)
    by_hand = [
        later
        for number, later in enumerate(in_time)
        if any(
            place(earlier) == place(later) and earlier.onset + earlier.duration - later.onset > tolerance
            for earlier in in_time[:number]
        )
    ]
    found = overlapping(events, tolerance, {"C3"})
    assert [event for _, event in found] == by_hand
    assert all(place(before) == place(event) and before.onset <= event.onset for before, event in found)


def test_an_event_within_another_is_found_and_so_is_one_after_it() -> None:
    long, inner, late = Event(0.0, 10.0, "a"), Event(2.0, 1.0, "b"), Event(6.0, 5.0, "c")
    assert overlapping([late, inner, long]) == [(long, inner), (long, late)]
    assert overlapping([Event(0.0, 2.0, "a"), Event(2.0, 2.0, "b"), Event(4.0, 2.0, "c")]) == []


@given(EVENTS)
def test_outside_is_what_is_not_within(events: list[Event]) -> None:
    within = [event for event in events if event.onset >= 0 and event.onset + event.duration <= 9]
    assert outside(events, 9.0) == [event for event in events if event not in within]
    assert outside(events, 9.0, tolerance=20.0) == []
