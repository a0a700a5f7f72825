"""From a timetable to the dipole over time, and to the events that tell what is where."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Float

from biosig.recording import Event
from biosig.simulate.atria import fibrillatory_waves, flutter_waves, p_wave
from biosig.simulate.beat import Ventricular, ventricular
from biosig.simulate.heart import Heart, Rhythm, Ventricles
from biosig.simulate.rhythm import Beat, BeatKind, Schedule
from biosig.simulate.waves import SLOW_EDGE, Waves

_BUNDLE_SYMBOL = {Ventricles.LEFT_BUNDLE: "L", Ventricles.RIGHT_BUNDLE: "R"}
_BEAT_TEXT = {
    "N": "normal beat",
    "L": "left bundle branch block beat",
    "R": "right bundle branch block beat",
    "A": "atrial premature beat",
    "V": "premature ventricular contraction",
    "/": "paced beat",
    "E": "ventricular escape beat",
}
# Beyond that many widths a Gaussian is below 40 parts in a million.
_FAR = 4.5


def trace(
    heart: Heart, own: Ventricular, times: Schedule, time: Float[np.ndarray, " time"], rng: np.random.Generator
) -> tuple[Float[np.ndarray, "3 time"], tuple[Event, ...]]:
    """The dipole over the whole recording, mV, and its beats and waves as events in order.

    Args:
        heart: Whose it is.
        own: The ventricular complex of its own beats.
        times: When it beats.
        time: Of the samples, seconds from 0, evenly spaced.
        rng: Of this recording.
    """
    tracing = _Tracing(time)
    origin = Ventricles.FROM_LEFT_VENTRICLE if rng.random() < 0.5 else Ventricles.FROM_RIGHT_VENTRICLE
    ectopic = ventricular(heart, origin)
    for beat in times.beats:
        breath = 1 + 0.03 * math.sin(2 * math.pi * heart.respiration * beat.time) + 0.008 * rng.standard_normal()
        if beat.kind is BeatKind.VENTRICULAR_PREMATURE:
            tracing.add_beat(beat, ectopic, _qt(heart, beat.rr) + 0.03, breath, "V")
        else:
            usual = _BUNDLE_SYMBOL.get(heart.ventricles, "N")
            symbol = usual if beat.kind is BeatKind.NORMAL else str(beat.kind)
            tracing.add_beat(beat, own, _qt(heart, beat.rr), breath, symbol)
    forms = {early: p_wave(heart, ectopic=early) for early in (False, True)}
    for atrial in times.atrial:
        first, last = forms[atrial.ectopic].span(SLOW_EDGE)
        tracing.add(forms[atrial.ectopic], atrial.time - first)
        tracing.events.append(Event(atrial.time, last - first, "p", "P wave"))
    tracing.add_spikes(times.spikes, float(rng.uniform(0.9, 2.2)))
    if heart.rhythm is Rhythm.FIBRILLATION:
        tracing.dipole += fibrillatory_waves(time, 0.075 * heart.fibrillatory_gain, rng)
    elif heart.rhythm is Rhythm.FLUTTER:
        size, origin_time = 0.11 * heart.fibrillatory_gain**0.5, times.beats[0].time + 0.08 * rng.random()
        clockwise = bool(rng.random() < 0.2)
        tracing.dipole += flutter_waves(time, size, heart.atrial_rate, origin_time, clockwise=clockwise)
    inside = (event for event in tracing.events if 0 <= event.onset < len(time) / tracing.rate)
    return tracing.dipole, tuple(sorted(inside, key=lambda event: (event.onset, event.code)))


def qt_interval(heart: Heart, rr: float) -> float:
    """Fridericia's QT for that RR interval; a wide QRS lengthens it by what it adds itself. Seconds."""
    return heart.qtc * rr ** (1 / 3) + 0.85 * max(0.0, heart.qrs_duration - 0.10)


def _qt(heart: Heart, rr: float) -> float:
    """QT follows the rate over many beats, and the last interval a little."""
    usual = 60 / heart.rate
    return qt_interval(heart, 0.75 * usual + 0.25 * min(rr, 1.5 * usual))


@dataclass
class _Tracing:
    """The dipole so far, and the events so far."""

    time: Float[np.ndarray, " time"]
    dipole: Float[np.ndarray, "3 time"] = field(init=False)
    rate: float = field(init=False)
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.dipole = np.zeros((3, len(self.time)))
        self.rate = (len(self.time) - 1) / float(self.time[-1] - self.time[0])

    def add(self, waves: Waves, at: float) -> None:
        """Only the samples that the waves reach are touched."""
        first, last = waves.span(_FAR)
        window = slice(*(max(0, math.ceil((at + edge) * self.rate)) for edge in (first, last)))
        if len(self.time[window]):
            self.dipole[:, window] += waves.at(self.time[window] - at)

    def add_beat(self, beat: Beat, shape: Ventricular, qt: float, breath: float, symbol: str) -> None:
        self.add(shape.waves(qt).scaled(breath), beat.time)
        t_onset = shape.t_onset(qt)
        self.events += [
            Event(beat.time, 0.0, symbol, _BEAT_TEXT[symbol]),
            Event(beat.time + shape.onset, shape.end - shape.onset, "qrs", "QRS complex"),
            Event(beat.time + t_onset, shape.t_end(qt) - t_onset, "t", "T wave"),
        ]

    def add_spikes(self, spikes: tuple[float, ...], size: float) -> None:
        """Impulses as a recorder of that bandwidth keeps them: no narrower than a sample, and smaller where widened."""
        width = max(0.0008, 0.55 / self.rate)
        vector = size * math.sqrt(0.0008 / width) * np.array([[0.35, 0.80, 0.25]])
        for spike in spikes:
            self.add(Waves(np.zeros(1), np.array([width]), vector), spike)
