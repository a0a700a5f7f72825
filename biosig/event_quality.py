"""What can be wrong with the events of a recording: they overlap, or lie where nothing was recorded."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence

from biosig.recording import Event


def overlapping(
    events: Iterable[Event], tolerance: float = 0.0, channels: Container[str] = ()
) -> list[tuple[Event, Event]]:
    """Pairs of lasting events of which the second begins before an earlier one has ended.

    Stimuli, sleep stages and rhythms exclude one another: two at once are a mistake of the annotation. Events of
    different channels may well overlap, and so may instants.

    Args:
        events: In any order.
        tolerance: Seconds that may be shared, as when onsets are rounded; a sample is a good choice.
        channels: Names: an event whose text is one of them excludes those of this channel alone.

    Returns:
        Each event that begins too early, after the one that it overlaps; in order of time.
    """
    found = []
    last: dict[str, Event] = {}
    for event in sorted((event for event in events if event.duration > 0), key=lambda event: event.onset):
        place = event.text if event.text in channels else ""
        before = last.get(place)
        if before is not None and before.onset + before.duration - event.onset > tolerance:
            found.append((before, event))
        if before is None or event.onset + event.duration > before.onset + before.duration:
            last[place] = event
    return found


def outside(events: Sequence[Event], duration: float, tolerance: float = 0.0) -> list[Event]:
    """The events that begin before a recording or end after it, wholly or in part.

    Args:
        events: Of the recording.
        duration: Its length in seconds.
        tolerance: Seconds by which they may; a sample is a good choice.
    """
    return [
        event
        for event in events
        if event.onset < -tolerance or event.onset + max(event.duration, 0.0) > duration + tolerance
    ]
