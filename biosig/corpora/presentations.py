"""From the marks of a recorder to presentations of stimuli."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from biosig.recording import Event


def presentations(marks: Iterable[Event], meanings: Mapping[str, str], seconds: float | None = None) -> list[Event]:
    """The marks with what they mean as code and stimulus, themselves as text, and numbered as trials from 1.

    Marks without a meaning are left as they are.

    Args:
        marks: In order of time.
        meanings: What a mark means; the same word for everybody who met the stimulus.
        seconds: How long a stimulus lasts, where the mark is its beginning alone.
    """
    found: list[Event] = []
    trial = 0
    for mark in marks:
        meaning = meanings.get(mark.code)
        if meaning is None:
            found.append(mark)
            continue
        trial += 1
        lasting = mark.duration if seconds is None else seconds
        found.append(
            replace(mark, duration=lasting, code=meaning, text=mark.code, stimulus=meaning, trial=trial),
        )
    return found
