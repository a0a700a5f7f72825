"""Probabilities that mean what they say: scales of logits, fitted on validation."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import scipy  # whose parts are loaded when they are named: probabilities need no optimiser
from jaxtyping import Bool, Float, Float64
from scipy.special import expit

# ln of the temperatures that are looked at: from a fiftieth to fifty.
_LOG_LIMITS = (-4.0, 4.0)


class Scaling(StrEnum):
    """How logits z become probabilities.

    `none`: sigmoid(z). `temperature`: sigmoid(z / T), one T for all concepts. `vector`: sigmoid(a_k z + b_k), a slope
    and an offset for each concept k.
    """

    NONE = "none"
    TEMPERATURE = "temperature"
    VECTOR = "vector"


@dataclass(frozen=True)
class Calibration:
    """What is done to the logits of each concept: sigmoid(slope z + offset).

    Attributes:
        slope: Of each concept; positive, so that no ranking changes.
        offset: Of each concept.
    """

    slope: Float64[np.ndarray, " concept"]
    offset: Float64[np.ndarray, " concept"]

    def probabilities(self, logits: Float[np.ndarray, "row concept"]) -> Float64[np.ndarray, "row concept"]:
        """The calibrated probabilities."""
        found: np.ndarray = expit(self.slope * logits + self.offset)
        return found


def calibrate(
    logits: Float[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
    scaling: Scaling,
) -> Calibration:
    """The scales of least cross-entropy; give it validation records only.

    `vector` fits each concept to Platt's targets, (N+ + 1) / (N+ + 2) for a positive and 1 / (N- + 2) for a negative,
    so that few records cannot make it certain; a concept with one label value there, or whose slope would turn its
    ranking around, takes the common temperature.

    Args:
        logits: Log odds as the head gives them.
        labels: True where the record has the concept.
        known: False where the label is not known; such pairs are left out.
        scaling: Which scales.

    Raises:
        ValueError: If no label is known.

    References:
        Guo et al., On calibration of modern neural networks, arXiv 1706.04599 (temperature and vector scaling);
        Platt, Probabilistic outputs for support vector machines, 1999.
    """
    n_concepts = logits.shape[1]
    if not known.any():
        raise ValueError("expected a known label to calibrate on, got none")
    slope, offset = np.ones(n_concepts), np.zeros(n_concepts)
    if scaling is Scaling.NONE:
        return Calibration(slope, offset)
    slope[:] = _common_slope(logits[known], labels[known])
    if scaling is Scaling.VECTOR:
        for concept in range(n_concepts):
            rows = known[:, concept]
            label = labels[rows, concept]
            if label.any() and not label.all():
                own = _platt(logits[rows, concept].astype(np.float64), label)
                if own[0] > 0:
                    slope[concept], offset[concept] = own
    return Calibration(slope, offset)


def _common_slope(logits: Float[np.ndarray, " pair"], labels: Bool[np.ndarray, " pair"]) -> float:
    z, sign = logits.astype(np.float64), np.where(labels, -1.0, 1.0)
    # -ln sigmoid(x) = ln(1 + e^-x), without overflow.
    found = scipy.optimize.minimize_scalar(
        lambda log_slope: np.logaddexp(0, sign * np.exp(log_slope) * z).mean(), bounds=_LOG_LIMITS, method="bounded"
    )
    return float(np.exp(found.x))


def _platt(z: Float64[np.ndarray, " row"], label: Bool[np.ndarray, " row"]) -> tuple[float, float]:
    positives = int(label.sum())
    negatives = len(label) - positives
    target = np.where(label, (positives + 1) / (positives + 2), 1 / (negatives + 2))

    def loss(scales: Float64[np.ndarray, " scale"]) -> tuple[float, np.ndarray]:
        x = scales[0] * z + scales[1]
        rest = expit(x) - target
        return float((np.logaddexp(0, x) - target * x).mean()), np.array([(rest * z).mean(), rest.mean()])

    found = scipy.optimize.minimize(loss, np.array([1.0, 0.0]), jac=True, method="BFGS")
    return float(found.x[0]), float(found.x[1])
