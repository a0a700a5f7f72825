"""Samples as 16-bit integers: one power-of-two step a channel, so that nothing is lost but the last fifteen bits.

    stored = round(x / step),    step = 2^e the smallest with max|x| <= 32767 step

The error is at most step / 2 <= max|x| / 32767: 3.1e-5 of the channel's largest value, below 1 microvolt up to 32 mV.
A step that is a power of two makes the product exact in float32, and a source in whole microvolts, as most digital
ECGs are, comes back bit for bit as long as it stays within 32 mV.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32, Int16

# The integer that no sample has: where the source marks a gap.
GAP = -32768
LARGEST = 32767
# Smaller steps would leave the normal numbers of float32; with larger ones the product would.
_LEAST_EXPONENT, _LARGEST_EXPONENT = -120, 113


def quantise(
    x: Float32[np.ndarray, "channel time"],
) -> tuple[Int16[np.ndarray, "channel time"], Float32[np.ndarray, " channel"]]:
    """Integers and their step, in the unit of `x`, for each channel; what is not finite becomes `GAP`.

    A channel of zeros, or of gaps, has step 1.
    """
    high, low = x.max(axis=1, initial=0.0), x.min(axis=1, initial=0.0)
    known = None
    # A gap spreads to the extremes of its channel, so most recordings need no mask.
    if not (np.isfinite(high).all() and np.isfinite(low).all()):
        known = np.isfinite(x)
        x = np.where(known, x, np.float32(0))
        high, low = x.max(axis=1, initial=0.0), x.min(axis=1, initial=0.0)
    peak = np.maximum(high, -low).astype(np.float64)
    # peak / LARGEST = mantissa * 2^exponent with the mantissa in [0.5, 1): 0.5 is itself a power of two.
    mantissa, exponent = np.frexp(peak / LARGEST)
    exponent = np.clip(np.where(mantissa == 0.5, exponent - 1, exponent), _LEAST_EXPONENT, _LARGEST_EXPONENT)
    step = np.where(peak > 0, np.ldexp(1.0, exponent), 1.0).astype(np.float32)
    scaled = x * (1 / step)[:, None]
    np.rint(scaled, out=scaled)
    # At the very end of float32 only; anywhere else the step is large enough.
    if exponent.max(initial=0) == _LARGEST_EXPONENT:
        np.clip(scaled, -LARGEST, LARGEST, out=scaled)
    stored = scaled.astype(np.int16)
    if known is not None:
        stored[~known] = GAP
    return stored, step


def restore(
    stored: Int16[np.ndarray, "channel time"], step: Float32[np.ndarray, " channel"]
) -> Float32[np.ndarray, "channel time"]:
    """Samples in the unit they had; NaN where there was a gap."""
    # Looking for the least integer is far cheaper than a mask, and most windows have no gap.
    if not stored.size or stored.min() != GAP:
        return stored * step[:, None]
    # At the largest step the integer of a gap, one beyond that of any sample, is beyond float32.
    with np.errstate(over="ignore"):
        x = stored * step[:, None]
    x[stored == GAP] = np.nan
    return x
