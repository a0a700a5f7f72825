"""The atria: the P wave, and what is there in its place in fibrillation and in flutter."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from biosig.leads import turn_to_axis
from biosig.simulate.heart import Heart
from biosig.simulate.waves import Waves


def p_wave(heart: Heart, *, ectopic: bool = False) -> Waves:
    """Right atrium, then left; an ectopic focus turns the wave and blends the two."""
    factor = heart.p_duration / 0.100
    left = 1 + 0.9 * heart.left_atrium
    apart, width = (-0.0150, 0.0175 + 0.002 * heart.left_atrium) if not heart.left_atrium else (-0.028, 0.0185)
    waves = Waves(
        np.array([apart, -apart]),
        np.array([width, width]),
        np.array([[0.030, 0.085, -0.065], [0.065 * left, 0.055 * left, 0.045 * left + 0.06 * heart.left_atrium]]),
    ).turned(heart.position)
    rng = np.random.default_rng([heart.traits, 0x0A])
    axis = heart.p_axis
    if ectopic:
        # Low atrial or left atrial: upside down in the inferior leads, or flat.
        axis += float(rng.choice([-1, 1]) * rng.uniform(85, 150))
        waves = waves.scaled(np.array([1.0, 1.0, -0.5]))
    waves = waves.turned(turn_to_axis(heart.lead_field, waves.area(), axis)).scaled(heart.p_gain * heart.voltage**0.5)
    if not heart.left_atrium:
        waves = Waves(waves.centre * factor, waves.width * factor, waves.vector)
    return waves.scaled(min(1.0, np.sqrt(heart.limb[1] / 0.8)))


def fibrillatory_waves(
    time: Float[np.ndarray, " time"], size: float, rng: np.random.Generator
) -> Float[np.ndarray, "3 time"]:
    r"""Waves of 5 to 8 Hz whose rate and size wander; largest towards V1.

    Each axis carries a(t) sum_k sin(k phi(t) + theta_k) / k with its own slow envelope a and a phase phi whose rate
    wanders; the sawtooth of its harmonics is what the eye calls coarse.

    Args:
        time: Seconds.
        size: Amplitude in V1 to first order, mV.
        rng: Of this recording.

    References:
        Stridh and Soernmo, IEEE Trans Biomed Eng 48, 105 (2001).
    """
    rate = rng.uniform(5.0, 8.0)
    direction = np.array([0.30, 0.55, -0.75])
    waves = np.empty((3, len(time)))
    for axis in range(3):
        wander = rng.uniform(0.08, 0.3) / 2
        own = rate * rng.uniform(0.94, 1.06)
        # The depth of the phase swing keeps the rate within about 8 percent.
        depth = 0.08 * own / wander
        phase = 2 * np.pi * own * time + depth * np.sin(2 * np.pi * wander * time + rng.uniform(0, 2 * np.pi))
        envelope = 1 + 0.45 * np.sin(2 * np.pi * rng.uniform(0.15, 0.5) * time + rng.uniform(0, 2 * np.pi))
        harmonics = sum(np.sin(k * phase + 0.4 * rng.standard_normal()) / k**1.4 for k in (1, 2, 3))
        waves[axis] = direction[axis] * envelope * harmonics
    return size * waves


def flutter_waves(
    time: Float[np.ndarray, " time"], size: float, rate: float, origin: float, *, clockwise: bool
) -> Float[np.ndarray, "3 time"]:
    """A sawtooth without rest between its waves: slow down, fast up in the inferior leads; upright in V1.

    Args:
        time: Seconds.
        size: Amplitude of the sawtooth along the feet, mV.
        rate: Flutter waves a minute.
        origin: A time at which a wave begins, seconds; conduction is locked to it.
        clockwise: The rarer circuit, upright in the inferior leads.
    """
    phase = 2 * np.pi * rate / 60 * (time - origin)
    # Five harmonics of a sawtooth, damped so that the edge does not ring.
    tooth = sum(np.sin(k * phase) / k * (1 - k / 6) for k in range(1, 6))
    early = sum(np.sin(k * (phase + 1.1)) / k * (1 - k / 6) for k in range(1, 4))
    sign = -1.0 if clockwise else 1.0
    return size * np.stack([0.15 * sign * tooth, sign * tooth, -0.60 * sign * early])
