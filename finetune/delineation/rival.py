"""What a delineator is measured beside: neurokit2's wavelet delineation, lead by lead."""

from __future__ import annotations

import warnings

import numpy as np
from jaxtyping import Float64

from biosig.recording import Modality, Recording
from biosig.resample import bridge
from finetune.delineation.waves import FIDUCIALS, WAVES, Lead

# neurokit2's names of the waves and points.
_WAVES = {"P": "P", "QRS": "R", "T": "T"}
_POINTS = {"onset": "Onsets", "peak": "Peaks", "offset": "Offsets"}


def neurokit(recording: Recording) -> dict[str, Lead]:
    """P, QRS and T of each ECG lead by neurokit2: `ecg_clean`, `ecg_peaks`, `ecg_delineate(method="dwt")`, as they are.

    A lead that neurokit2 fails on has no waves.

    References:
        Makowski et al., NeuroKit2, Behavior Research Methods 53 (2021). doi:10.3758/s13428-020-01516-y; Martinez et
        al., A wavelet-based ECG delineator, IEEE Trans. Biomed. Eng. 51 (2004).
    """
    ecg = recording.pick(Modality.ECG)
    signal = bridge(np.array(ecg.signal))[0]
    return {lead: _lead(x / 1000, recording.sampling_rate) for lead, x in zip(ecg.channels, signal, strict=True)}


def _lead(x: Float64[np.ndarray, " time"], rate: float) -> Lead:
    import neurokit2 as nk  # noqa: PLC0415 -- seconds to import

    none: Lead = {wave: np.empty((0, 3)) for wave in WAVES}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            clean = nk.ecg_clean(x, sampling_rate=rate)
            peaks = nk.ecg_peaks(clean, sampling_rate=rate)[1]["ECG_R_Peaks"]
            found = nk.ecg_delineate(clean, peaks, sampling_rate=rate, method="dwt")[1]
        except Exception:  # noqa: BLE001 -- neurokit2 raises whatever its parts raise on odd signals
            return none
    # The peaks of QRS complexes are those that it was given.
    found = {**found, "ECG_R_Peaks": peaks}
    return {
        wave: np.column_stack(
            [np.asarray(found[f"ECG_{_WAVES[wave]}_{_POINTS[point]}"], dtype=np.float64) / rate for point in FIDUCIALS]
        ).reshape(-1, 3)
        for wave in WAVES
    }
