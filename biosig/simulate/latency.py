"""How late a person reacts to what is presented: a path in time, known exactly."""

from __future__ import annotations

import math
from enum import StrEnum

import numpy as np
from jaxtyping import Float

# Latencies are stated to a tenth of a millisecond, and used as they are stated.
_DECIMALS = 4


class Latency(StrEnum):
    """How a person's latency behaves.

    `fixed`: one number a person, in every trial. `drifting`: it wanders within each trial, slowly, and anew in the
    next.
    """

    FIXED = "fixed"
    DRIFTING = "drifting"


def draw_latency(
    kind: Latency, spread: float, duration: float, rng: np.random.Generator, *, timescale: float = 10.0
) -> Float[np.ndarray, " second"]:
    """A latency at every whole second of a trial, uniform in `[0, spread]`; a reaction comes after its stimulus.

    A fixed latency is one draw. A drifting one is `spread * Phi(g(t))`, g a Gaussian process of unit variance and
    covariance `exp(-(t - t')^2 / (2 timescale^2))`, so at every second it is as spread out as a fixed one. Equal random
    states and another spread give the same path, stretched.

    Args:
        kind: Fixed or drifting.
        spread: Seconds.
        duration: Of the trial, seconds.
        rng: Of the person; of person and trial where it drifts.
        timescale: Seconds over which a drifting latency forgets where it was.

    Returns:
        One number for each second from 0 on, the last one at or after the end; see `latency_at`.
    """
    count = math.ceil(duration) + 1
    if kind is Latency.FIXED:
        return np.full(count, round(spread * float(rng.random()), _DECIMALS))
    # White noise under a Gaussian of width timescale / sqrt(2) has the covariance wanted.
    width = timescale / math.sqrt(2)
    reach = math.ceil(4 * width)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / width) ** 2)
    walk = np.convolve(rng.standard_normal(count + 2 * reach), kernel / np.linalg.norm(kernel), mode="valid")
    share = np.array([0.5 * math.erfc(-value / math.sqrt(2)) for value in walk])
    return np.round(spread * share, _DECIMALS)


def latency_at(latency: Float[np.ndarray, " second"], time: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """The latency at any time of a trial, straight between whole seconds.

    Args:
        latency: As `draw_latency` gives it.
        time: Seconds after the begin of the trial.
    """
    return np.interp(time, np.arange(len(latency)), latency)
