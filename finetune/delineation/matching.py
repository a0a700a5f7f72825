"""Which found point is which annotated point, and what is counted of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from finetune.delineation.waves import FIDUCIALS, WAVES, Annotated, Lead

#: Seconds between an annotated point and a found one that may be it (ANSI/AAMI EC57).
TOLERANCE = 0.150
#: What is counted of a lead, wave and point.
COUNTS = ("matched", "missed", "false", "sum", "squares")


@dataclass(frozen=True)
class Pairs:
    """One-to-one pairs of two lists of times: places in the one and in the other."""

    reference: Int64[np.ndarray, " pair"]
    found: Int64[np.ndarray, " pair"]


def match(
    reference: Float64[np.ndarray, " point"], found: Float64[np.ndarray, " other"], tolerance: float = TOLERANCE
) -> Pairs:
    """Pair points with the nearest, the closest pair first, each point once, none beyond the tolerance.

    Of pairs equally far apart, to a nanosecond, the earlier reference comes first.

    Args:
        reference: Seconds, without NaN.
        found: Seconds, without NaN.
        tolerance: Seconds; a pair may be exactly that far apart.
    """
    distance = np.abs(reference[:, None] - found).round(9)
    rows, columns = np.nonzero(distance <= tolerance)
    order = np.argsort(distance[rows, columns], kind="stable")
    free_row, free_column = np.ones(len(reference), bool), np.ones(len(found), bool)
    pairs = []
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if free_row[row] and free_column[column]:
            free_row[row] = free_column[column] = False
            pairs.append((row, column))
    places = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Pairs(places[:, 0], places[:, 1])


def compare(reference: Annotated, found: Lead, tolerance: float = TOLERANCE) -> Float64[np.ndarray, "wave point count"]:
    """Counts of one lead: matched, missed and false points, the sum of errors and of their squares (ms, ms^2).

    An error is found less annotated: positive if found late. Each point is matched on its own: the onsets of T waves
    with the onsets of T waves. Points that were found but match nothing are false, unless nothing can be said of them:
    outside the annotated span of the lead, or within the tolerance of a wave of which this point was not drawn.
    """
    counts = np.zeros((len(WAVES), len(FIDUCIALS), len(COUNTS)))
    for place, wave in enumerate(WAVES):
        drawn = reference.waves[wave]
        for point in range(len(FIDUCIALS)):
            known = np.isfinite(drawn[:, point])
            times, guesses = drawn[known, point], found[wave][:, point]
            guesses = guesses[np.isfinite(guesses)]
            pairs = match(times, guesses, tolerance)
            errors = 1000 * (guesses[pairs.found] - times[pairs.reference])
            left = np.delete(guesses, pairs.found)
            left = left[(left >= reference.begin) & (left <= reference.end)]
            unknown = drawn[~known].ravel()
            near = np.abs(left[:, None] - unknown[np.isfinite(unknown)]) <= tolerance
            false = len(left) - near.any(axis=1).sum()
            counts[place, point] = len(errors), len(times) - len(errors), false, errors.sum(), errors @ errors
    return counts
