"""Does a probability of 0.3 happen three times in ten? Calibration errors of many concepts and bootstrap draws."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float, Float64

N_BINS = 15


class Bins(StrEnum):
    """How probabilities are put together.

    `width`: intervals of equal width over 0 to 1. `mass`: as many records in each as can be, ties together.
    """

    WIDTH = "width"
    MASS = "mass"


@dataclass(frozen=True)
class Curve:
    """A reliability diagram: what was said, and how often it was so, bin by bin; empty bins are left out.

    Attributes:
        said: Mean probability.
        happened: Share of positives.
        count: Records, or pairs of record and concept.
    """

    said: Float64[np.ndarray, " bin"]
    happened: Float64[np.ndarray, " bin"]
    count: Float64[np.ndarray, " bin"]


def calibration_error(
    probabilities: Float[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
    weights: Float64[np.ndarray, "row draw"] | None = None,
    *,
    bins: Bins = Bins.WIDTH,
    n_bins: int = N_BINS,
) -> Float64[np.ndarray, "concept draw"]:
    r"""The expected calibration error of each concept, in every draw.

        ECE = sum_b n_b / n |mean probability in b - share of positives in b|

    With bins of equal mass it is the adaptive ECE: rare findings fill a single bin of equal width. Both run high in
    small samples, where bins differ from their expectation by chance; draws run higher still.

    Args:
        probabilities: Of the concept, from 0 to 1.
        labels: True where the record has the concept.
        known: False where the label is not known; such pairs are left out.
        weights: How often each record counts, a column for each draw (`bootstrap.subject_weights`); ones by default.
            Bins of equal mass are those of the sample itself.
        bins: Of equal width or mass.
        n_bins: At most.

    Returns:
        NaN for a concept of which no label is known in a draw.

    References:
        Guo et al., arXiv 1706.04599; Nixon et al., Measuring calibration in deep learning, arXiv 1904.01685.
    """
    weights = np.ones((len(labels), 1)) if weights is None else weights
    found = np.full((labels.shape[1], weights.shape[1]), np.nan)
    for concept in range(labels.shape[1]):
        rows = known[:, concept]
        if not rows.any():
            continue
        said, label, weight = probabilities[rows, concept], labels[rows, concept], weights[rows]
        of = _bin_of(said, bins, n_bins)
        # The sum over a bin of probability less label is its count times the gap.
        gaps = np.zeros((of.max() + 1, weight.shape[1]))
        np.add.at(gaps, of, (said - label)[:, None] * weight)
        total = weight.sum(0)
        np.divide(np.abs(gaps).sum(0), total, out=found[concept], where=total > 0)
    return found


def brier(
    probabilities: Float[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
    weights: Float64[np.ndarray, "row draw"] | None = None,
) -> Float64[np.ndarray, "concept draw"]:
    """The mean of (probability - label)^2 of each concept, in every draw; see `calibration_error` for the arguments.

    A constant p = prevalence has p (1 - p): less than that is knowledge.

    References:
        Brier, Verification of forecasts expressed in terms of probability, 1950.
    """
    weights = np.ones((len(labels), 1)) if weights is None else weights
    total = known.T.astype(np.float64) @ weights
    errors = np.where(known, (probabilities - labels) ** 2, 0.0).T @ weights
    return np.divide(errors, total, out=np.full(total.shape, np.nan), where=total > 0)


def reliability(
    probabilities: Float[np.ndarray, " pair"],
    labels: Bool[np.ndarray, " pair"],
    *,
    bins: Bins = Bins.WIDTH,
    n_bins: int = N_BINS,
) -> Curve:
    """The diagram of pairs of record and concept whose labels are known."""
    of = _bin_of(probabilities, bins, n_bins)
    count = np.bincount(of).astype(np.float64)
    filled = count > 0
    said, happened = (np.bincount(of, values)[filled] / count[filled] for values in (probabilities, labels))
    return Curve(said, happened, count[filled])


def _bin_of(said: Float[np.ndarray, " row"], bins: Bins, n_bins: int) -> np.ndarray:
    if bins is Bins.WIDTH:
        # The last interval is closed: a probability of 1 belongs to it.
        return np.minimum((said * n_bins).astype(np.int64), n_bins - 1)
    # The last record of each bin but the last; in whole numbers, for 0.6 * 30 is not 18.
    edges = np.sort(said)[-(-np.arange(1, n_bins) * len(said) // n_bins) - 1]
    return np.unique(np.searchsorted(edges, said, side="left"), return_inverse=True)[1]
