"""What a network is to say of every sample, and of which samples that is known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64

from finetune.delineation.waves import WAVES, Annotated

# The bell drawn around a peak, seconds: as wide as annotators differ.
_BELL = 0.010
# Seconds about the points of a wave of unknown extent, of which nothing is learned.
_UNSURE = 0.15


@dataclass(frozen=True)
class Targets:
    """Of one lead; the last axis is time.

    Attributes:
        waves: Share of each sample's own stretch that is no wave, P, QRS, T; they add up to one.
        peaks: Bells of height one about the peaks.
        known: One within the annotated span, zero outside and about waves of unknown extent.
        peaks_known: The same for the peaks: zero too in waves without a peak.
    """

    waves: Float32[np.ndarray, "klass time"]
    peaks: Float32[np.ndarray, "kind time"]
    known: Float32[np.ndarray, " time"]
    peaks_known: Float32[np.ndarray, "kind time"]


def targets(lead: Annotated, samples: int, rate: float) -> Targets:
    """Soft targets: a sample that an edge falls into belongs to both sides, so that edges can lie between samples.

    Args:
        lead: What was drawn.
        samples: Length.
        rate: Hz.
    """
    time = np.arange(samples) / rate
    inside = (time >= lead.begin) & (time <= lead.end)
    waves = np.zeros((1 + len(WAVES), samples))
    peaks, peaks_known = np.zeros((len(WAVES), samples)), np.tile(inside, (len(WAVES), 1))
    known = inside.copy()
    for place, wave in enumerate(WAVES):
        for onset, peak, offset in lead.waves[wave]:
            whole = np.isfinite(onset) and np.isfinite(offset)
            margin = 0.0 if whole else _UNSURE
            first, last = np.nanmin((onset, peak, offset)), np.nanmax((onset, peak, offset))
            elsewhere = (time < first - margin) | (time > last + margin)
            if whole:
                waves[1 + place] += _covered(time, rate, onset, offset)
            else:
                known &= elsewhere
            if np.isfinite(peak):
                peaks[place] = np.maximum(peaks[place], np.exp(-0.5 * ((time - peak) / _BELL) ** 2))
            else:
                peaks_known[place] &= elsewhere
    # Where two waves touch or overlap they share the sample.
    waves[1:] /= np.maximum(waves[1:].sum(0), 1)
    waves[0] = 1 - waves[1:].sum(0)
    return Targets(*(part.astype(np.float32) for part in (waves, peaks, known, peaks_known)))


def _covered(
    time: Float64[np.ndarray, " time"], rate: float, onset: float, offset: float
) -> Float64[np.ndarray, " time"]:
    """Share of each sample's stretch, half a sample to both sides, that lies between two times."""
    half = 0.5 / rate
    overlap = np.minimum(time + half, offset) - np.maximum(time - half, onset)
    return np.clip(overlap * rate, 0, 1)
