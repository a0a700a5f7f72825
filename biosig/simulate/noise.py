"""What electrodes add: baseline wander, mains hum, muscle, motion."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from biosig.leads import EIGHT_FROM_ELECTRODES, ELECTRODES


@dataclass(frozen=True)
class Noise:
    """How noisy, and with what. Noise arises at the electrodes, so the laws of Einthoven and Goldberger still hold.

    Attributes:
        snr: Power of the clean twelve leads over power of the noise in them, dB.
        baseline: Share of the noise power that is slow wander (breath, sweat).
        mains: Share that is hum.
        muscle: Share that is electromyogram, 20 Hz and up.
        motion: Share that is electrodes moving on the skin: short bumps on single electrodes.
        mains_frequency: Hz; a rate that cannot carry it leaves it out.

    Raises:
        ValueError: If a share is negative or all are zero.
    """

    snr: float = 22.0
    baseline: float = 0.60
    mains: float = 0.08
    muscle: float = 0.20
    motion: float = 0.12
    mains_frequency: float = 50.0

    def __post_init__(self) -> None:
        shares = (self.baseline, self.mains, self.muscle, self.motion)
        if min(shares) < 0 or sum(shares) == 0:
            raise ValueError(f"expected shares of the noise power, none negative and one positive, got {shares}")

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Noise:
        """What an ordinary clinic sees: mostly clean, sometimes poor; the mix differs from recording to recording."""
        baseline, mains, muscle, motion = rng.dirichlet([3.0, 0.5, 1.2, 0.6]).tolist()
        snr, frequency = float(rng.uniform(7, 30)), float(rng.choice([50.0, 60.0]))
        return cls(snr, baseline, mains, muscle, motion, mains_frequency=frequency)


def noise_in_leads(
    noise: Noise, n_times: int, sampling_rate: float, respiration: float, rng: np.random.Generator
) -> Float[np.ndarray, "8 time"]:
    """Noise of leads I, II, V1..V6 with the mix asked for, in arbitrary units; its level is set by the caller.

    Args:
        noise: Its shares.
        n_times: Samples.
        sampling_rate: Hz.
        respiration: Breaths a second: the baseline moves with it.
        rng: Of this recording.
    """
    time = np.arange(n_times) / sampling_rate
    parts = (
        (noise.baseline, _baseline(time, respiration, rng)),
        (noise.mains, _mains(time, sampling_rate, noise.mains_frequency, rng)),
        (noise.muscle, _muscle(time, rng)),
        (noise.motion, _motion(time, rng)),
    )
    total = np.zeros((8, n_times))
    for share, electrodes in parts:
        leads = EIGHT_FROM_ELECTRODES @ electrodes
        power = float((leads**2).mean())
        if share > 0 and power > 0:
            total += math.sqrt(share / power) * leads
    return total


def _baseline(
    time: Float[np.ndarray, " time"], respiration: float, rng: np.random.Generator
) -> Float[np.ndarray, "9 time"]:
    """The breath, and a random wander below half a hertz."""
    count = len(ELECTRODES)
    phase = rng.uniform(0, 2 * np.pi) + 0.5 * rng.standard_normal((count, 1))
    breath = rng.normal(0, 1, (count, 1)) * np.sin(2 * np.pi * respiration * time + phase)
    # Wander is drawn on a coarse grid and joined by a spline-like (cosine) interpolation: cheap, and band-limited.
    knots = rng.standard_normal((count, math.ceil(time[-1]) + 3))
    place = time + rng.random()
    left = place.astype(int)
    blend = (1 - np.cos(np.pi * (place - left))) / 2
    wander = knots[:, left] * (1 - blend) + knots[:, left + 1] * blend
    return np.asarray(breath + 0.9 * wander)


def _mains(
    time: Float[np.ndarray, " time"], rate: float, frequency: float, rng: np.random.Generator
) -> Float[np.ndarray, "9 time"]:
    """Hum of slowly changing strength, nearly in phase everywhere."""
    size, phase = rng.gamma(2.0, 0.5, (len(ELECTRODES), 1)), 0.3 * rng.standard_normal((len(ELECTRODES), 1))
    if frequency > 0.45 * rate:
        return np.zeros((len(ELECTRODES), len(time)))
    start = rng.uniform(0, 2 * np.pi)
    swell = 1 + 0.3 * np.sin(2 * np.pi * 0.11 * time + rng.uniform(0, 2 * np.pi))
    angle = 2 * np.pi * frequency * (1 + 0.001 * rng.standard_normal()) * time + start
    # sin(angle + phase) by the sum formula: two rows of sines instead of nine.
    return np.asarray(size * swell * (np.sin(angle) * np.cos(phase) + np.cos(angle) * np.sin(phase)))


def _muscle(time: Float[np.ndarray, " time"], rng: np.random.Generator) -> Float[np.ndarray, "9 time"]:
    """White noise above about 20 Hz, in bursts, more on the limbs."""
    white = rng.standard_normal((len(ELECTRODES), len(time) + 2), dtype=np.float32)
    # This difference passes most at a quarter of the rate (125 Hz at 500 Hz) and nothing at either end.
    rough = white[:, 2:] - white[:, :-2]
    # Strength wanders from second to second.
    bursts = 0.5 + rng.gamma(1.0, 0.7, (len(ELECTRODES), math.ceil(time[-1]) + 2))
    second = time.astype(int)
    strength = bursts[:, second] + (time - second) * (bursts[:, second + 1] - bursts[:, second])
    size = np.array([1.6, 1.6, 1.2, 0.7, 0.7, 0.7, 0.8, 0.8, 0.9])[:, None]
    return np.asarray(rough * size * strength)


def _motion(time: Float[np.ndarray, " time"], rng: np.random.Generator) -> Float[np.ndarray, "9 time"]:
    """A few bumps on single electrodes: a quick rise, a slower return."""
    moved = np.zeros((len(ELECTRODES), len(time)))
    for _ in range(1 + rng.poisson(0.2 * time[-1])):
        since = (time - rng.uniform(0, time[-1])) / rng.uniform(0.15, 0.6)
        bump = np.where(since > 0, since * np.exp(1 - since.clip(0)), 0.0)
        moved[rng.integers(len(ELECTRODES))] += rng.choice([-1, 1]) * rng.gamma(3.0) * bump
    return moved
