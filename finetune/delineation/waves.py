"""The waves of a lead: as annotators drew them, or as a delineator found them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float64

from biosig.channels import LEADS_12
from biosig.errors import BiosigError
from biosig.recording import Event, Modality, Recording


class Wave(StrEnum):
    """The kinds of waves, in the order of all arrays."""

    P = "P"
    QRS = "QRS"
    T = "T"


class Fiducial(StrEnum):
    """The points of a wave, in the order of all arrays."""

    ONSET = "onset"
    PEAK = "peak"
    OFFSET = "offset"


WAVES, FIDUCIALS = tuple(Wave), tuple(Fiducial)
Lead = Mapping[Wave, Float64[np.ndarray, "wave 3"]]
"""Onset, peak and offset of each wave of a lead, seconds, in order of time; NaN for a point that is not known."""

# Symbols of LUDB, and those of simulated recordings, whose waves are those of the heart: of all leads.
_KINDS = {"p": Wave.P, "N": Wave.QRS, "qrs": Wave.QRS, "t": Wave.T}
# A point may lie on the edge of its wave, and rounding beside it.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Annotated:
    """The waves that annotators drew in a lead, and where they looked.

    Annotators of LUDB began with the QRS complex of a later beat and ended with an earlier one: 1.3 s at the beginning
    and 1.4 s at the end of a lead are bare (medians), although waves are there. Nothing is known of what lies outside
    the span.

    Attributes:
        waves: What was drawn.
        begin: The first point that was drawn, seconds.
        end: The last.
    """

    waves: Lead
    begin: float
    end: float


def annotated(recording: Recording) -> dict[str, Annotated]:
    """The annotated leads of a recording, from its events.

    An event of code `p`, `N` or `qrs`, `t` is a wave from onset to offset, or with duration 0 a peak; it is of the lead
    that its text names, or of all leads if it names none. A peak inside a wave of its kind is that wave's; a wave drawn
    over another of its kind is left out; a peak on its own is a wave of unknown extent. A point before the first sample
    or after the last is not known.

    Returns:
        For each lead with any wave, in the order of the recording's channels.
    """
    leads = recording.pick(Modality.ECG).channels
    known = [event for event in recording.events if event.code in _KINDS]
    found = {}
    for lead in leads:
        own = [event for event in known if event.text == lead or event.text not in LEADS_12]
        waves = {wave: _points([e for e in own if _KINDS[e.code] is wave], recording.duration) for wave in WAVES}
        times = np.concatenate([points.ravel() for points in waves.values()])
        times = times[np.isfinite(times)]
        if len(times):
            found[lead] = Annotated(waves, float(times.min()), float(times.max()))
    return found


def annotated_recordings(recordings: Sequence[Recording]) -> list[dict[str, Annotated]]:
    """Of each recording.

    Raises:
        BiosigError: If one has no waves: it was prepared from another corpus, or its annotation files are missing.
    """
    found = [annotated(recording) for recording in recordings]
    for recording, leads in zip(recordings, found, strict=True):
        if not leads:
            raise BiosigError(
                f"{recording.record_id or 'recording'}: events: expected waves of code p, N and t with the name of "
                f"their lead, got {sorted({event.code for event in recording.events})[:8]}"
            )
    return found


def _points(events: Sequence[Event], duration: float) -> Float64[np.ndarray, "wave 3"]:
    """Waves of one kind in one lead, as far as they lie in the recording."""
    extents: list[list[float]] = []
    for event in sorted((event for event in events if event.duration > 0), key=lambda event: event.onset):
        if not extents or event.onset >= extents[-1][2] - _ROUNDING:
            extents.append([event.onset, np.nan, event.onset + event.duration])
    alone = []
    for event in events:
        if event.duration == 0:
            inside = [extent for extent in extents if extent[0] - _ROUNDING <= event.onset <= extent[2] + _ROUNDING]
            if not inside:
                alone.append([np.nan, event.onset, np.nan])
            elif np.isnan(inside[0][1]):
                inside[0][1] = event.onset
    points = np.array(extents + alone, dtype=np.float64).reshape(-1, 3)
    points[(points < 0) | (points > duration)] = np.nan
    points = points[np.isfinite(points).any(axis=1)]
    return points[np.argsort(np.nanmean(points, axis=1))] if len(points) else points
