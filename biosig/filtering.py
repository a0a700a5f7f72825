"""Recursive filters over signals with gaps: without phase distortion, or without a look at the future."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from jaxtyping import Float32, Float64

from biosig.resample import bridge


class Phase(StrEnum):
    """What a filter may know of the time after a sample."""

    ZERO = "zero"
    """Everything: it runs forwards and backwards, and no wave moves in time."""
    CAUSAL = "causal"
    """Nothing: it runs forwards only, as it would live; waves come out later, each frequency by its own delay."""


def run(
    x: Float32[np.ndarray, "channel time"],
    sections: Float64[np.ndarray, "section 6"],
    *,
    phase: Phase = Phase.ZERO,
    settle: int = 0,
) -> Float64[np.ndarray, "channel time"]:
    """Filter every channel by second-order sections.

    Gaps (NaN) are bridged by straight lines for the filter's sake and are gaps again in the result. A causal filter
    starts as if its first known sample had always been there, so that an electrode's offset makes no step; what it
    gives up to a sample depends on no later one. (A bridge ends at a later sample, but only what lies in the gap
    itself would show that.)

    Args:
        x: At least one sample.
        sections: As scipy designs them.
        phase: See `Phase`. Zero-phase filtering applies the response twice: -6 dB where the design has -3.
        settle: Samples that the slowest edge of the filter needs to settle; a zero-phase filter extends the signal by
            so much at both ends, as far as its length allows.
    """
    from scipy import signal  # noqa: PLC0415 -- a second to import, and much of the package does without

    filled, gaps = bridge(x)
    wide = filled.astype(np.float64)
    if phase is Phase.CAUSAL:
        rest = signal.sosfilt_zi(sections)[:, None, :] * wide[None, :, :1]
        filtered, _ = signal.sosfilt(sections, wide, axis=1, zi=rest)
    else:
        # scipy's own default at least, and never more than the signal allows.
        margin = max(3 * (2 * len(sections) + 1), settle)
        filtered = signal.sosfiltfilt(sections, wide, axis=1, padlen=min(margin, x.shape[1] - 1))
    if gaps is not None:
        filtered[gaps] = np.nan
    return filtered
