"""What the network reads: millivolts at its own rate, without wander, and which leads there are."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float32
from scipy.signal import butter, sosfiltfilt

from biosig.recording import Modality, Recording
from biosig.resample import bridge, resample
from pretrain.errors import ModelError

#: Hz inside the network: its points lie between samples, and QRS complexes hold little above 100 Hz.
RATE = 250.0
_WANDER = 0.5
_SHORTEST = 1.0


def intake(recording: Recording, rate: float = RATE) -> Float32[np.ndarray, "lead time"]:
    """The ECG leads of a recording at 250 Hz, in millivolts, above 0.5 Hz, filtered to both sides: nothing moves.

    Gaps are bridged; a lead that is one gap is zero, which the network takes for missing.

    Args:
        recording: Of any rate.
        rate: Of the result, Hz.

    Raises:
        ModelError: If there is no ECG lead, or less than a second.
    """
    ecg = recording.pick(Modality.ECG)
    if not ecg.channels or ecg.duration < _SHORTEST:
        raise ModelError(
            f"{recording.record_id or 'recording'}: expected ECG leads of {_SHORTEST:g} s or more, "
            f"got {len(ecg.channels)} of {ecg.duration:.3g} s"
        )
    x = resample(bridge(np.array(ecg.signal))[0], recording.sampling_rate, rate) / 1000
    wander = butter(2, _WANDER, "highpass", fs=rate, output="sos")
    # The ends are mirrored by a second.
    steady = sosfiltfilt(wander, x, axis=1, padlen=min(round(rate), x.shape[1] - 1))
    return np.asarray(steady, dtype=np.float32)
