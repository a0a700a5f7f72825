"""When the atria and the ventricles beat: the timetable of a recording."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from biosig.simulate.heart import Heart, Rhythm, Ventricles

# The annotation symbols of beats that a simulated recording may hold.
BEAT_SYMBOLS = frozenset("NLRAV/E")
# Beats are laid out from before the first sample to after the last one, so that the edges hold parts of waves.
MARGIN = 2.0


class BeatKind(StrEnum):
    """What a beat is; the value is the annotation symbol of the PhysioNet databases."""

    NORMAL = "N"
    ATRIAL_PREMATURE = "A"
    VENTRICULAR_PREMATURE = "V"
    PACED = "/"
    VENTRICULAR_ESCAPE = "E"


@dataclass(frozen=True, slots=True)
class Beat:
    """One activation of the ventricles.

    Attributes:
        time: Of R, seconds after the first sample.
        kind: Where it comes from.
        rr: Seconds since the beat before.
    """

    time: float
    kind: BeatKind
    rr: float


@dataclass(frozen=True, slots=True)
class AtrialBeat:
    """One P wave.

    Attributes:
        time: Of its onset, seconds after the first sample.
        ectopic: Whether it arises outside the sinus node.
    """

    time: float
    ectopic: bool = False


@dataclass(frozen=True)
class Schedule:
    """All beats from `-MARGIN` to `duration + MARGIN`.

    Attributes:
        beats: In order of time.
        atrial: P waves, in order of time; they need not belong to a beat.
        spikes: Times of the pacemaker's impulses.
    """

    beats: tuple[Beat, ...]
    atrial: tuple[AtrialBeat, ...] = ()
    spikes: tuple[float, ...] = ()


def schedule(heart: Heart, duration: float, qrs_onset: float, rng: np.random.Generator) -> Schedule:
    """The timetable of a recording.

    Args:
        heart: Rhythm, rates and intervals.
        duration: Seconds.
        qrs_onset: Of the heart's own beats, seconds after R (negative): P waves are placed by it.
        rng: Of this recording.
    """
    return _RHYTHMS[heart.rhythm](heart, duration, qrs_onset, rng)


def _sinus(heart: Heart, duration: float, qrs_onset: float, rng: np.random.Generator) -> Schedule:
    times, kinds = _ectopy(heart, _breathing(heart, heart.rate, duration, rng), duration, rng)
    atrial = []
    for time, kind in zip(times, kinds, strict=True):
        if kind is BeatKind.NORMAL:
            atrial.append(AtrialBeat(time + qrs_onset - heart.pr))
        elif kind is BeatKind.ATRIAL_PREMATURE:
            atrial.append(AtrialBeat(time + qrs_onset - max(0.11, 0.85 * min(heart.pr, 0.19)), ectopic=True))
    return Schedule(_beats(times, kinds), tuple(atrial))


def _fibrillation(heart: Heart, duration: float, _: float, rng: np.random.Generator) -> Schedule:
    """No memory from beat to beat: RR intervals are independent, skewed, and never below the node's refractory time."""
    mean = 60 / heart.rate
    shortest = max(0.30, 0.55 * mean)
    spread = heart.random_variation * mean
    shape = ((mean - shortest) / spread) ** 2
    count = math.ceil((duration + 2 * MARGIN) / shortest) + 2
    intervals = shortest + rng.gamma(shape, (mean - shortest) / shape, count)
    times, kinds = _ectopy(heart, _from(intervals, duration, rng), duration, rng)
    return Schedule(_beats(times, kinds))


def _flutter(heart: Heart, duration: float, _: float, rng: np.random.Generator) -> Schedule:
    """The node lets every second, third or fourth flutter wave pass."""
    cycle = 60 / heart.atrial_rate
    count = math.ceil((duration + 2 * MARGIN) / (cycle * min(heart.conduction))) + 2
    pattern = np.resize(np.array(heart.conduction), count)
    if len(set(heart.conduction)) > 1:
        pattern = rng.permutation(pattern)
    intervals = cycle * pattern * (1 + 0.004 * rng.standard_normal(count))
    times, kinds = _ectopy(heart, _from(intervals, duration, rng), duration, rng)
    return Schedule(_beats(times, kinds))


def _paced(heart: Heart, duration: float, qrs_onset: float, rng: np.random.Generator) -> Schedule:
    """A spike before every QRS; a second one before P where the atria are paced too."""
    times = _from(np.full(_count(heart.rate, duration), 60 / heart.rate), duration, rng)
    spikes = times + qrs_onset - 0.012
    atrial: tuple[AtrialBeat, ...] = ()
    if heart.atrial_pacing:
        delayed = spikes - heart.pr
        atrial = tuple(AtrialBeat(float(time) + 0.02) for time in delayed)
        spikes = np.sort(np.concatenate([spikes, delayed]))
    return Schedule(_beats(times, [BeatKind.PACED] * len(times)), atrial, tuple(spikes.tolist()))


def _second_degree_block(heart: Heart, duration: float, qrs_onset: float, rng: np.random.Generator) -> Schedule:
    """Every so many P waves one is not conducted; before it PR grows (Mobitz I) or does not (Mobitz II)."""
    p_times = _breathing(heart, heart.atrial_rate, duration, rng) + qrs_onset - heart.pr
    place = (np.arange(len(p_times)) + rng.integers(heart.dropped)) % heart.dropped
    # The increments of PR shrink from beat to beat, which is why RR shortens before the pause.
    growth = 0.13 * (1 - 0.45**place) if heart.wenckebach else np.zeros(len(p_times))
    times = (p_times + heart.pr + growth - qrs_onset)[place < heart.dropped - 1]
    return Schedule(_beats(times, [BeatKind.NORMAL] * len(times)), tuple(AtrialBeat(float(time)) for time in p_times))


def _complete_block(heart: Heart, duration: float, _: float, rng: np.random.Generator) -> Schedule:
    """Atria and ventricles each at their own rate."""
    atria = _breathing(heart, heart.atrial_rate, duration, rng)
    steady = replace(heart, respiratory_variation=0.0)
    times = _breathing(steady, heart.rate, duration, rng)
    narrow = heart.ventricles not in (Ventricles.FROM_LEFT_VENTRICLE, Ventricles.FROM_RIGHT_VENTRICLE)
    kind = BeatKind.NORMAL if narrow else BeatKind.VENTRICULAR_ESCAPE
    return Schedule(_beats(times, [kind] * len(times)), tuple(AtrialBeat(float(time)) for time in atria))


_RHYTHMS: dict[Rhythm, Callable[[Heart, float, float, np.random.Generator], Schedule]] = {
    Rhythm.SINUS: _sinus,
    Rhythm.FIBRILLATION: _fibrillation,
    Rhythm.FLUTTER: _flutter,
    Rhythm.PACED: _paced,
    Rhythm.SECOND_DEGREE_BLOCK: _second_degree_block,
    Rhythm.COMPLETE_BLOCK: _complete_block,
}


def _count(rate: float, duration: float) -> int:
    return math.ceil((duration + 2 * MARGIN) * rate / 60 * 1.6) + 4


def _from(
    intervals: Float[np.ndarray, " interval"], duration: float, rng: np.random.Generator
) -> Float[np.ndarray, " beat"]:
    """Beat times from intervals, with the first one at a random phase before the margin."""
    times = np.cumsum(intervals) - MARGIN - intervals[0] * (1 + rng.random())
    return np.asarray(times[times < duration + MARGIN])


def _breathing(heart: Heart, rate: float, duration: float, rng: np.random.Generator) -> Float[np.ndarray, " beat"]:
    """Sinus node: RR swings with the breath and with a slow (0.1 Hz) wave, and jitters a little."""
    mean, phase = 60 / rate, rng.uniform(0, 2 * np.pi, 2)
    jitter = 1 + heart.random_variation * np.clip(rng.standard_normal(_count(rate, duration)), -2, 2)
    # A slow heart meets few beats a breath; then the breath is slower too, and the swing stays visible.
    breath = 2 * np.pi * min(heart.respiration, 0.35 / mean)
    swing, slow = heart.respiratory_variation, 0.3 * min(heart.respiratory_variation, 0.03)
    time, times = 0.0, []
    for noise in jitter:
        times.append(time)
        time += (
            mean * noise * (1 + swing * math.sin(breath * time + phase[0]) + slow * math.sin(0.63 * time + phase[1]))
        )
    start = -MARGIN - mean * rng.random()
    laid = np.array(times) + start
    return laid[laid < duration + MARGIN]


def _ectopy(
    heart: Heart, times: Float[np.ndarray, " beat"], duration: float, rng: np.random.Generator
) -> tuple[Float[np.ndarray, " kept"], list[BeatKind]]:
    """Bring some beats early: after an atrial one the sinus node starts anew, after a ventricular one it keeps time."""
    kinds = [BeatKind.NORMAL] * len(times)
    shares = {
        BeatKind.ATRIAL_PREMATURE: heart.atrial_ectopy,
        BeatKind.VENTRICULAR_PREMATURE: heart.ventricular_ectopy,
    }
    taken: set[int] = set()
    for kind, share in shares.items():
        if share > 0:
            # A beat on either side stays normal, and the whole event lies inside the recording.
            within = [k for k in range(2, len(times) - 1) if times[k - 1] > 0.3 and times[k + 1] < duration - 0.2]
            free = [k for k in within if not {k - 1, k, k + 1} & taken]
            for k in rng.permutation(free)[: max(1, round(share * len(within)))].tolist():
                if not {k - 1, k + 1} & taken:
                    kinds[k] = kind
                    taken.add(k)
    moved = times.copy()
    for k in sorted(taken):
        rr = times[k] - times[k - 1]
        coupling = max(0.33, rr * rng.uniform(0.56, 0.72))
        if kinds[k] is BeatKind.ATRIAL_PREMATURE:
            early = moved[k] - (moved[k - 1] + max(coupling, 0.36))
            moved[k:] -= early
            moved[k + 1 :] += rng.uniform(0.04, 0.16) * rr  # not fully compensatory
        else:
            moved[k] = moved[k - 1] + min(coupling, 0.68)
    inside = moved < duration + MARGIN
    return moved[inside], [kind for kind, stays in zip(kinds, inside, strict=True) if stays]


def _beats(times: Float[np.ndarray, " beat"], kinds: list[BeatKind]) -> tuple[Beat, ...]:
    intervals = np.diff(times, prepend=2 * times[0] - times[1])
    return tuple(Beat(float(time), kind, float(rr)) for time, kind, rr in zip(times, kinds, intervals, strict=True))
