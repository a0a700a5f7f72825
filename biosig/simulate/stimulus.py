"""What is presented: the source time courses that a stimulus evokes in everybody, and its class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.interpolate import CubicSpline

from biosig.simulate.spectrum import Band, band_noise

# Points a cycle of the fastest rhythm: a cubic spline between them is right to 1e-4.
_OVERSAMPLING = 16


@dataclass(frozen=True, eq=False)
class Stimulus:
    """A stimulus.

    Attributes:
        name: The same for everybody.
        label: Its class.
        duration: Seconds.
        sources: Unit-variance time courses on a fine grid.
        grid: Points a second.
    """

    name: str
    label: str
    duration: float
    sources: Float[np.ndarray, "source point"]
    grid: float

    @classmethod
    def draw(
        cls, name: str, label: str, rng: np.random.Generator, *, duration: float, n_sources: int, band: Band
    ) -> Stimulus:
        """Sources are Gaussian noise of a band, independent of each other and of those of other stimuli."""
        grid = _OVERSAMPLING * band[1]
        # A second more than needed, so that the periodic noise does not end as it begins.
        n_points = round((duration + 1) * grid) + 1
        return cls(name, label, duration, band_noise(n_sources, n_points, grid, band, rng), grid)

    def at(self, time: Float[np.ndarray, " time"]) -> Float[np.ndarray, "source time"]:
        """The sources at any seconds after the begin of the stimulus; 0 before and after it."""
        spline = CubicSpline(np.arange(self.sources.shape[1]) / self.grid, self.sources, axis=1)
        inside = (time >= 0) & (time <= self.duration)
        return np.asarray(spline(np.clip(time, 0, self.duration)) * inside)
