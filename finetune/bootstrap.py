"""A bootstrap over subjects: the same draws for every model, so that differences are paired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

N_DRAWS = 1000
LEVEL = 0.95


@dataclass(frozen=True)
class Interval:
    """A point estimate and the percentile interval around it; NaN where there is nothing to estimate."""

    value: float
    low: float
    high: float


def subject_weights(
    subjects: Sequence[str], *, n_draws: int = N_DRAWS, seed: int = 0
) -> Float64[np.ndarray, "row draws"]:
    """How often each record counts in each draw of a bootstrap over subjects.

    A draw takes as many subjects as there are, with replacement, and all records of a subject go together: records of
    one person are not independent, and an interval that treats them so is too narrow. Column 0 is the sample itself
    (every record once), so that one vectorised pass gives the point estimate and all draws.

    Args:
        subjects: The subject of each record.
        n_draws: Number of draws.
        seed: Equal seeds and subjects give equal draws.
    """
    names, subject_of = np.unique(np.asarray(subjects, dtype=str), return_inverse=True)
    counts = np.random.default_rng(seed).multinomial(len(names), np.full(len(names), 1 / len(names)), size=n_draws)
    return np.hstack([np.ones((len(subject_of), 1)), counts.T[subject_of]])


def interval(values: Float64[np.ndarray, " draws"], level: float = LEVEL) -> Interval:
    """The first value with the percentile interval of the others.

    Draws in which the metric does not exist (NaN: no positive was drawn) are left out of the percentiles.
    """
    draws = values[1:][~np.isnan(values[1:])]
    if np.isnan(values[0]) or not len(draws):
        return Interval(float(values[0]), np.nan, np.nan)
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(values[0]), float(low), float(high))


def seed_interval(values: Float64[np.ndarray, "seed draws"], level: float = LEVEL, seed: int = 0) -> Interval | None:
    r"""The interval of the mean over seeds that counts the spread between seeds as well as between subjects.

    Each draw of the mean over S seeds is shifted by t * s / sqrt(S): s is the standard deviation of the S point
    estimates (S - 1 degrees of freedom), t a draw of Student's t with S - 1 degrees of freedom. So the variance is
    that of the subjects plus that of a mean of S seeds. Drawing the seeds with replacement instead would shrink the
    latter by (S - 1) / S, a third at S = 3. With few seeds the interval is wide because little is known.

    Returns:
        None for a single seed: its spread is unknown.
    """
    n_seeds = len(values)
    if n_seeds < 2:
        return None
    mean = values.mean(0)
    shift = np.random.default_rng(seed).standard_t(n_seeds - 1, size=len(mean) - 1)
    mean[1:] += shift * values[:, 0].std(ddof=1) / np.sqrt(n_seeds)
    return interval(mean, level)
