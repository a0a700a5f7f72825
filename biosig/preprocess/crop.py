"""The step that keeps a part of the time."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from pydantic import model_validator

from biosig.errors import BiosigError
from biosig.preprocess.step import BaseStep, Seconds, name_of
from biosig.recording import Event, Recording


class Crop(BaseStep):
    """The part from `start` to `stop` seconds (None: the end); events move with it, those outside are dropped.

    An event that reaches beyond the part keeps its own clock: one that began before has a negative onset, and durations
    are whole. So the moment of a stimulus at any sample stays what it was.

    Raises:
        BiosigError: On `apply`, if nothing of the recording is left.
    """

    kind: Literal["crop"] = "crop"
    start: Seconds = 0.0
    stop: Seconds | None = None

    @model_validator(mode="after")
    def _order(self) -> Crop:
        if self.stop is not None and self.stop <= self.start:
            raise ValueError(f"expected start < stop, got {self.start:g} and {self.stop:g} s")
        return self

    def apply(self, recording: Recording) -> Recording:
        rate = recording.sampling_rate
        first = round(self.start * rate)
        last = recording.n_times if self.stop is None else min(round(self.stop * rate), recording.n_times)
        if first >= last:
            raise BiosigError(
                f"{name_of(recording)}: nothing between {self.start:g} s and "
                f"{'the end' if self.stop is None else f'{self.stop:g} s'} of its {recording.duration:g} s"
            )
        begin, end = first / rate, last / rate
        events = tuple(
            replace(event, onset=event.onset - begin) for event in recording.events if _within(event, begin, end)
        )
        return replace(recording, signal=recording.signal[:, first:last], events=events)


def _within(event: Event, begin: float, end: float) -> bool:
    if event.duration > 0:
        return event.onset < end and event.onset + event.duration > begin
    return begin <= event.onset < end
