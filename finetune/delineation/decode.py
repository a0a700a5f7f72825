"""From what a network says of every sample to waves with an onset, a peak and an offset between samples."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64
from pydantic import Field

from finetune.delineation.waves import WAVES, Lead, Wave
from pretrain.specs.architecture import Spec


class Rules(Spec):
    """What counts as a wave.

    Attributes:
        level: Probability at which a wave begins and ends: at one half it is as likely to have begun as not.
        shortest: Seconds that P, QRS and T last at least.
        gap: Seconds of doubt within a wave that do not end it.
        least: Mean probability over a P, QRS and T wave at least; chosen on validation.
    """

    level: float = Field(default=0.5, gt=0, lt=1)
    shortest: tuple[float, float, float] = (0.03, 0.03, 0.05)
    gap: float = Field(default=0.02, ge=0)
    least: tuple[float, float, float] = (0.5, 0.5, 0.5)


def waves_of(
    waves: Float64[np.ndarray, "klass time"], peaks: Float64[np.ndarray, "kind time"], rate: float, rules: Rules
) -> Lead:
    """The waves of one lead.

    Args:
        waves: Probabilities of no wave, P, QRS, T.
        peaks: How near each sample is to a peak of P, QRS, T; any increasing scale.
        rate: Hz.
        rules: What counts as a wave.

    Returns:
        Seconds; NaN for the edge of a wave that the recording cuts off.
    """
    return {wave: _of_kind(waves[1 + place], peaks[place], rate, rules, place) for place, wave in enumerate(WAVES)}


def confidences(
    waves: Float64[np.ndarray, "klass time"], found: Lead, rate: float, wave: Wave
) -> Float64[np.ndarray, " wave"]:
    """Mean probability over each wave of a kind."""
    probability = waves[1 + WAVES.index(wave)]
    ends = (len(probability) - 1) / rate
    edges = [(np.nan_to_num(row[0], nan=0.0), np.nan_to_num(row[2], nan=ends)) for row in found[wave]]
    return np.array(
        [probability[int(np.ceil(onset * rate)) : int(offset * rate) + 1].mean() for onset, offset in edges]
    )


def _of_kind(
    probability: Float64[np.ndarray, " time"],
    nearness: Float64[np.ndarray, " time"],
    rate: float,
    rules: Rules,
    place: int,
) -> Float64[np.ndarray, "wave 3"]:
    found = []
    for first, last in _runs(probability >= rules.level, round(rules.gap * rate)):
        onset = _crossing(probability, first - 1, first, rules.level) / rate
        offset = _crossing(probability, last, last + 1, rules.level) / rate
        long = (last - first + 1) / rate if np.isnan(onset + offset) else offset - onset
        if long >= rules.shortest[place] and probability[first : last + 1].mean() >= rules.least[place]:
            found.append((onset, _summit(nearness, first, last) / rate, offset))
    return np.array(found, dtype=np.float64).reshape(-1, 3)


def _runs(inside: np.ndarray, gap: int) -> list[tuple[int, int]]:
    """First and last place of each run of True; runs with at most `gap` places between them are one."""
    steps = np.diff(inside.astype(np.int8), prepend=0, append=0)
    joined: list[tuple[int, int]] = []
    for first, after in zip(np.flatnonzero(steps == 1).tolist(), np.flatnonzero(steps == -1).tolist(), strict=True):
        if joined and first - joined[-1][1] - 1 <= gap:
            joined[-1] = joined[-1][0], after - 1
        else:
            joined.append((first, after - 1))
    return joined


def _crossing(values: Float64[np.ndarray, " time"], left: int, right: int, level: float) -> float:
    """Where the line between two neighbours meets the level, in samples; NaN beyond the ends."""
    if left < 0 or right >= len(values):
        return float("nan")
    return float(left + (level - values[left]) / (values[right] - values[left]))


def _summit(values: Float64[np.ndarray, " time"], first: int, last: int) -> float:
    """The highest place of a stretch, by the parabola through it and its neighbours, in samples."""
    top = first + int(np.argmax(values[first : last + 1]))
    if not 0 < top < len(values) - 1:
        return float(top)
    before, at, after = values[top - 1 : top + 2]
    bend = before - 2 * at + after
    shift = 0.5 * (before - after) / bend if bend < 0 else 0.0
    return float(np.clip(top + np.clip(shift, -0.5, 0.5), first, last))
