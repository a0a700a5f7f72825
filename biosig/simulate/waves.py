"""Waves of the dipole: Gaussians in the time around a beat, each with a direction in space."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

# The tangent at the steepest point of a Gaussian meets the baseline two widths from its centre: where a cardiologist
# puts the end of a T wave.
SLOW_EDGE = 2.0
# A QRS complex is read at its first and last visible deflection, a little further out.
SHARP_EDGE = 2.3


@dataclass(frozen=True)
class Waves:
    r"""A sum of Gaussians, d(t) = sum_i v_i exp(-(t - c_i)^2 / (2 w_i^2)).

    McSharry's model writes the same sum over the phase of the cardiac cycle. Time from the R peak is used here, since a
    QRS complex keeps its duration when the rate changes; what does change (the T wave) is placed anew in every beat.

    Attributes:
        centre: Seconds after the R time.
        width: Standard deviation, seconds.
        vector: mV along x (left), y (feet), z (back).

    References:
        McSharry et al., IEEE Trans Biomed Eng 50, 289 (2003); Sameni et al., EURASIP J Adv Signal Process, 43407
        (2007).
    """

    centre: Float[np.ndarray, " wave"]
    width: Float[np.ndarray, " wave"]
    vector: Float[np.ndarray, "wave 3"]

    @classmethod
    def of(cls, rows: Iterable[tuple[float | int, ...]]) -> Waves:
        """From rows of centre and width in milliseconds and x, y, z in mV: the way templates are written."""
        table = np.array(list(rows), dtype=float).reshape(-1, 5)
        return cls(table[:, 0] / 1000, table[:, 1] / 1000, table[:, 2:])

    def __add__(self, other: Waves) -> Waves:
        return Waves(
            np.concatenate([self.centre, other.centre]),
            np.concatenate([self.width, other.width]),
            np.concatenate([self.vector, other.vector]),
        )

    def __len__(self) -> int:
        return len(self.centre)

    def at(self, time: Float[np.ndarray, " time"]) -> Float[np.ndarray, "3 time"]:
        """The dipole at the given times (seconds after the R time), mV."""
        bells = np.exp(-0.5 * ((time - self.centre[:, None]) / self.width[:, None]) ** 2)
        dipole: Float[np.ndarray, "3 time"] = self.vector.T @ bells
        return dipole

    def area(self) -> Float[np.ndarray, " 3"]:
        """The integral over time, mV s."""
        total: Float[np.ndarray, " 3"] = np.sqrt(2 * np.pi) * self.width @ self.vector
        return total

    def span(self, edge: float) -> tuple[float, float]:
        """First and last edge, that many widths from the centres; seconds after the R time."""
        return float((self.centre - edge * self.width).min()), float((self.centre + edge * self.width).max())

    def turned(self, rotation: Float[np.ndarray, "3 3"]) -> Waves:
        return Waves(self.centre, self.width, self.vector @ rotation.T)

    def scaled(self, gain: float | Float[np.ndarray, " 3"]) -> Waves:
        return Waves(self.centre, self.width, self.vector * gain)

    def moved(self, seconds: float) -> Waves:
        return Waves(self.centre + seconds, self.width, self.vector)

    def lasting(self, duration: float, edge: float) -> Waves:
        """Stretched about the R time so that first to last edge take this long."""
        first, last = self.span(edge)
        factor = duration / (last - first)
        return Waves(self.centre * factor, self.width * factor, self.vector)

    def varied(self, rng: np.random.Generator, *, size: float, width: float) -> Waves:
        """An individual's version: log-normal sizes and widths, and directions a little off."""
        gain = np.exp(size * rng.standard_normal((len(self), 1)))
        strength = np.linalg.norm(self.vector, axis=1, keepdims=True)
        drift = 0.5 * size * strength * rng.standard_normal((len(self), 3))
        return Waves(
            self.centre, self.width * np.exp(width * rng.standard_normal(len(self))), self.vector * gain + drift
        )
