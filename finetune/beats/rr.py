"""RR intervals of each beat, relative to the person's own rhythm."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Float32, Float64

from finetune.beats.choices import Context

if TYPE_CHECKING:
    from pandas.core.window.rolling import Rolling

#: Beats on each side that a running median of the person's own rhythm or beats takes.
HALF = 64
_NEAR = 4
_MOST = 1.5
_TYPICAL = 0.8
FEATURES = (
    "previous", "next", "previous against the one before", "next against previous", "previous against the near mean",
    "previous against the long ones", "irregularity", "rate",
)  # fmt: skip


def rr_features(
    peaks: Float64[np.ndarray, " beat"], context: Context = Context.BOTH
) -> Float32[np.ndarray, "beat feature"]:
    r"""Eight numbers a beat, in the order of `FEATURES`.

    With p_i the interval before beat i, n_i the one after it, m_i and q_i the running median and upper quartile of p
    over `HALF` beats on each side (or twice as many before), u_i the mean of log p over 4 beats on each side (or 8
    before):

        log p/m, log n/m, log p_i/p_{i-1}, log n/p, log p - u, log p/q, std of log p over the beats of u, log m/0.8 s

    Ratios are clipped to [-1.5, 1.5]; what is not known is 0. A faster recording with the same pattern differs in the
    last number alone. Without the future, what n is in is 0.

    Args:
        peaks: Of the R waves, seconds, in order.
        context: Whether later beats are known.
    """
    gaps = np.maximum(np.diff(peaks), 1e-3)
    unknown = np.full(1, np.nan)
    before = np.concatenate([unknown, gaps])[: len(peaks)]
    after = np.concatenate([gaps, unknown])[: len(peaks)] if context is Context.BOTH else np.full(len(peaks), np.nan)
    p, n = pd.Series(np.log(before)), pd.Series(np.log(after))
    far, near = (_running(p, half, context) for half in (HALF, _NEAR))
    median = far.median()
    ratios = [p - median, n - median, p.diff(), n - p, p - near.mean(), p - far.quantile(0.75), near.std(ddof=0)]
    rate = median - np.log(_TYPICAL)
    return np.stack([part.clip(-_MOST, _MOST).fillna(0) for part in (*ratios, rate)], axis=1).astype(np.float32)


def _running(values: pd.Series[float], half: int, context: Context) -> Rolling[pd.Series[float]]:
    """Windows of `half` beats on each side, or of twice as many before, shorter at the ends."""
    return values.rolling(2 * half + 1, min_periods=1, center=context is Context.BOTH)
