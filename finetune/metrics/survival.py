"""Survival curves and the baseline hazard that turns relative risks into probabilities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64, Int64


@dataclass(frozen=True)
class Curve:
    """A survival curve in every draw of a bootstrap, the sample first.

    Attributes:
        times: Of the events, ascending.
        surviving: The share that lives on after each of them.
    """

    times: Float64[np.ndarray, " moment"]
    surviving: Float64[np.ndarray, "moment draws"]

    def at(self, time: float) -> Float64[np.ndarray, " draws"]:
        """The share that lives on after some time: 1 before the first event."""
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        return self.surviving[place] if place >= 0 else np.ones(self.surviving.shape[1])


def kaplan_meier(
    time: Float[np.ndarray, " subject"],
    event: Bool[np.ndarray, " subject"],
    weights: Float64[np.ndarray, "subject draws"],
) -> Curve:
    r"""The product-limit estimate, S(t) = prod_{t_k <= t} (1 - d_k / n_k), in every draw.

    d_k are the events at t_k and n_k those still watched just before. Where nobody of a draw is watched any longer the
    curve stays as it is.

    References:
        Kaplan and Meier, Nonparametric estimation from incomplete observations, JASA 1958.
    """
    moments = np.unique(time[event])
    order = np.argsort(time)
    # Watched just before each moment: everybody less those whose time is earlier.
    gone = np.vstack([np.zeros(weights.shape[1]), np.cumsum(weights[order], axis=0)])
    watched = gone[-1] - gone[np.searchsorted(time[order], moments, side="left")]
    dead = np.zeros((len(moments), weights.shape[1]))
    np.add.at(dead, np.searchsorted(moments, time[event]), weights[event])
    share = np.divide(dead, watched, out=np.zeros_like(dead), where=watched > 0)
    return Curve(moments, np.cumprod(1 - share, axis=0))


def at_risk(time: Float[np.ndarray, " subject"], moments: Float[np.ndarray, " moment"]) -> Int64[np.ndarray, " moment"]:
    """How many are still watched at each of some moments."""
    return np.asarray([(time >= moment).sum() for moment in moments], dtype=np.int64)


@dataclass(frozen=True)
class Baseline:
    """The cumulative hazard of whoever has a log hazard ratio of 0: a step at each event.

    Attributes:
        times: Of the events, ascending.
        cumulative: After each.
    """

    times: Float64[np.ndarray, " moment"]
    cumulative: Float64[np.ndarray, " moment"]

    def probability(self, risk: Float[np.ndarray, " subject"], time: float) -> Float64[np.ndarray, " subject"]:
        """Of the event before some time: 1 - exp(-H(t) exp(risk))."""
        place = int(np.searchsorted(self.times, time, side="right")) - 1
        hazard = self.cumulative[place] if place >= 0 else 0.0
        return np.asarray(-np.expm1(-hazard * np.exp(risk)))


def breslow(
    risk: Float[np.ndarray, " subject"], time: Float[np.ndarray, " subject"], event: Bool[np.ndarray, " subject"]
) -> Baseline:
    """Breslow's estimate: at each event time, events / sum of exp(risk) of those still watched.

    References:
        Breslow, in the discussion of Cox, Regression models and life-tables, JRSS B 1972.
    """
    moments, deaths = np.unique(time[event], return_counts=True)
    order = np.argsort(time)
    left = np.append(np.cumsum(np.exp(risk[order])[::-1])[::-1], 0.0)
    watched = left[np.searchsorted(time[order], moments, side="left")]
    return Baseline(moments, np.cumsum(deaths / watched))
