"""The beats that a recording's annotations name."""

from __future__ import annotations

from biosig.recording import Event, Recording

# PhysioNet's symbols for beats (others mark waves, rhythms and noise).
BEAT_SYMBOLS = frozenset("NLRBAaJSVrFejnE/fQ")
# No heart beats twice in that time: what is closer is one beat, annotated in several leads.
_REFRACTORY = 0.15


def annotated_beats(recording: Recording) -> list[Event]:
    """Events that are beats, in order of time, each beat once."""
    kept: list[Event] = []
    for event in sorted(recording.events, key=lambda event: event.onset):
        if event.code in BEAT_SYMBOLS and (not kept or event.onset - kept[-1].onset > _REFRACTORY):
            kept.append(event)
    return kept


def counted_rate(recording: Recording, start: float = 0.0, seconds: float = float("inf")) -> float | None:
    """Beats a minute from the mean RR of annotated beats in that stretch; None with fewer than two."""
    times = [beat.onset for beat in annotated_beats(recording) if start <= beat.onset < start + seconds]
    return 60 * (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else None
