"""Is an input like those a model was made with? A distance of its features, told as a share of familiar records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from jaxtyping import Float, Float32, Float64

_QUANTILES = 1001


@dataclass(frozen=True)
class Novelty:
    r"""The Mahalanobis distance from training features, d^2 = z^T S^-1 z with z = (x - m) / s.

    S, the covariance of z, is shrunk by Ledoit and Wolf; since they shrink towards a sphere, features are standardised
    first, and their units do not matter.

    Attributes:
        mean: m.
        deviation: s.
        precision: S^-1.
        familiar: Quantiles of d^2 of records that were not trained on, in order.

    References:
        Lee et al., A simple unified framework for detecting out-of-distribution samples, arXiv 1807.03888;
        Ledoit, Wolf, A well-conditioned estimator for large-dimensional covariance matrices, 2004.
    """

    mean: Float32[np.ndarray, " dim"]
    deviation: Float32[np.ndarray, " dim"]
    precision: Float32[np.ndarray, "dim dim"]
    familiar: Float32[np.ndarray, " quantile"]

    @classmethod
    def fit(cls, training: Float[np.ndarray, "row dim"], others: Float[np.ndarray, "row dim"]) -> Self:
        """From features of training records, and of others like them."""
        # Half a second of importing that asking for a rank does without.
        from sklearn.covariance import LedoitWolf  # noqa: PLC0415 -- as above
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415 -- as above

        scaler = StandardScaler().fit(training.astype(np.float64))
        precision = LedoitWolf(assume_centered=True).fit(scaler.transform(training)).precision_
        mean, deviation, precision = (part.astype(np.float32) for part in (scaler.mean_, scaler.scale_, precision))
        distances = cls(mean, deviation, precision, np.zeros(0, dtype=np.float32)).distance(others)
        familiar = np.quantile(distances, np.linspace(0, 1, _QUANTILES)).astype(np.float32)
        return cls(mean, deviation, precision, familiar)

    def distance(self, features: Float[np.ndarray, "row dim"]) -> Float64[np.ndarray, " row"]:
        """d^2 of each."""
        away = (features.astype(np.float64) - self.mean) / self.deviation
        squared: np.ndarray = ((away @ self.precision) * away).sum(1)
        return squared

    def rank(self, features: Float[np.ndarray, "row dim"]) -> Float64[np.ndarray, " row"]:
        """The share of familiar records that are nearer; 1 is farther than all of them."""
        return np.searchsorted(self.familiar, self.distance(features)) / len(self.familiar)
