"""What estimators are given, as what encoders take: recordings, or a store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from biosig.errors import BiosigError
from biosig.recording import Modality, Recording
from biosig.store import Store

Signals = Store | Sequence[Recording] | np.ndarray
Source = Store | list[Recording]


@dataclass(frozen=True)
class ArraySignals:
    """What an array does not say of itself.

    Attributes:
        sampling_rate: Hz.
        channels: Names; by number if there are none.
        modality: Of all channels.
    """

    sampling_rate: float
    channels: Sequence[str] | None
    modality: str


def source_of(estimator: BaseEstimator, signals: Any, arrays: ArraySignals, *, fit: bool) -> Source:
    """Recordings as they are, a store as it is, arrays as recordings.

    Args:
        estimator: Remembers the shape of arrays, as scikit-learn's own do.
        signals: A store; recordings; an array `(n, channel, time)`, or `(n, time)` of one channel.
        arrays: What arrays are of.
        fit: Whether to remember the shape, or to compare with what is remembered.

    Raises:
        BiosigError: If there are no recordings, or an array has other dimensions.
        ValueError: As of scikit-learn, if an array holds what is no finite number.
    """
    if isinstance(signals, Store):
        return signals
    if isinstance(signals, Sequence | np.ndarray) and len(signals) and isinstance(signals[0], Recording):
        return list(signals)
    array = validate_data(estimator, signals, reset=fit, allow_nd=True, dtype=np.float64)
    if array.ndim > 3:
        raise BiosigError(f"X: expected (n, time) or (n, channel, time), got {array.ndim} dimensions")
    channels = array[:, None] if array.ndim == 2 else array
    names = tuple(arrays.channels or (f"channel {place + 1}" for place in range(channels.shape[1])))
    kinds = (Modality(arrays.modality),) * len(names)
    return [Recording(one.astype(np.float32), names, arrays.sampling_rate, kinds) for one in channels]
