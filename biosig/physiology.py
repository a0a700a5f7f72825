"""Rhythm statistics of an ECG by neurokit2: the numbers that an auxiliary objective learns to predict."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from jaxtyping import Float32, Float64, Int64

from biosig.recording import Modality, Recording
from biosig.resample import bridge

# Leads in which neurokit2 finds beats best come first; any other ECG channel after them.
_PREFERRED = ("II", "MLII", "I", "V5", "V2", "V1")
# Beats that fill an interval, and intervals that a variability needs.
_LEAST_BEATS, _LEAST_INTERVALS = 2, 3
# RR intervals outside are missed or invented beats: 20 to 300 beats a minute.
_SHORTEST, _LONGEST = 200.0, 3000.0
_WIDEST_QRS = 300.0


class Rhythm(TypedDict):
    """Statistics of a recording's beats; None where they cannot be told.

    Attributes:
        heart_rate: Beats a minute: 60,000 / `mean_rr`.
        mean_rr: Milliseconds.
        sdnn: Standard deviation of the RR intervals, milliseconds.
        rmssd: Root of the mean squared difference of successive RR intervals, milliseconds.
        qrs_width: Median over the beats, milliseconds.
    """

    heart_rate: float | None
    mean_rr: float | None
    sdnn: float | None
    rmssd: float | None
    qrs_width: float | None


UNKNOWN: Rhythm = {"heart_rate": None, "mean_rr": None, "sdnn": None, "rmssd": None, "qrs_width": None}


@dataclass(frozen=True)
class Beats:
    """The beats of a recording, in order.

    Attributes:
        peaks: Of the R waves, seconds after the first sample.
        qrs_widths: Milliseconds; NaN where they cannot be told.
    """

    peaks: Float64[np.ndarray, " beat"]
    qrs_widths: Float64[np.ndarray, " beat"]


NO_BEATS = Beats(np.zeros(0), np.zeros(0))


def rhythm(recording: Recording) -> Rhythm:
    """Rate, RR statistics and QRS width from the best lead there is: `summary` of `beats`.

    References:
        Task Force of the ESC and NASPE, Heart rate variability, Circulation 93 (1996).
    """
    return summary(beats(recording))


def beats(recording: Recording) -> Beats:
    """R peaks and QRS widths from the best lead there is.

    Peaks by neurokit2's own method, waves by its discrete wavelet delineation. A recording without ECG, or that
    neurokit2 fails on, has none: they are a by-product, never a reason to lose a record.

    References:
        Makowski et al., NeuroKit2, Behavior Research Methods 53 (2021). doi:10.3758/s13428-020-01516-y
    """
    found = _peaks(recording)
    if found is None:
        return NO_BEATS
    import neurokit2 as nk  # noqa: PLC0415 -- as in `_peaks`

    clean, peaks = found
    rate = recording.sampling_rate
    seconds = np.asarray(peaks, dtype=np.float64) / rate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            waves = nk.ecg_delineate(clean, peaks, sampling_rate=rate, method="dwt")[1]
            onset, offset = (np.asarray(waves[f"ECG_R_{edge}"], dtype=np.float64) for edge in ("Onsets", "Offsets"))
            widths = (offset - onset) / rate * 1000
        except Exception:  # noqa: BLE001 -- as above
            widths = np.full(len(seconds), np.nan)
    if len(widths) != len(seconds):
        widths = np.full(len(seconds), np.nan)
    return Beats(seconds, np.where((widths > 0) & (widths < _WIDEST_QRS), widths, np.nan))


def r_peaks(recording: Recording) -> Float64[np.ndarray, " beat"]:
    """The R peaks of `beats`, seconds, without the widths, which take most of the time."""
    found = _peaks(recording)
    return np.zeros(0) if found is None else np.asarray(found[1], dtype=np.float64) / recording.sampling_rate


def summary(found: Beats) -> Rhythm:
    """`intervals` of the peaks, and the median QRS width."""
    widths = found.qrs_widths[np.isfinite(found.qrs_widths)]
    return {**intervals(found.peaks), "qrs_width": float(np.median(widths)) if len(widths) else None}


def intervals(peaks: Float64[np.ndarray, " beat"]) -> Rhythm:
    """RR statistics of beats at the given seconds; intervals beyond 20 to 300 a minute are left out.

    With rr_i in milliseconds: mean_rr = mean rr_i, sdnn = std rr_i (n - 1), rmssd = sqrt(mean (rr_i+1 - rr_i)^2).
    """
    if len(peaks) < _LEAST_BEATS:
        return UNKNOWN
    rr = np.diff(peaks) * 1000
    possible = (rr >= _SHORTEST) & (rr <= _LONGEST)
    kept = rr[possible]
    if len(kept) == 0:
        return UNKNOWN
    mean = float(kept.mean())
    # A difference counts only between intervals that follow each other.
    steps = np.diff(rr)[possible[1:] & possible[:-1]]
    enough = len(kept) >= _LEAST_INTERVALS and len(steps) > 0
    return {
        "heart_rate": 60_000 / mean,
        "mean_rr": mean,
        "sdnn": float(kept.std(ddof=1)) if enough else None,
        "rmssd": float(np.sqrt(np.mean(steps**2))) if enough else None,
        "qrs_width": None,
    }


def _peaks(recording: Recording) -> tuple[Float64[np.ndarray, " time"], Int64[np.ndarray, " beat"]] | None:
    """The best lead as neurokit2 cleans it, and the samples of its R peaks; None where it fails."""
    lead = _lead(recording)
    if lead is None:
        return None
    import neurokit2 as nk  # noqa: PLC0415 -- seconds to import, and most stores do without

    rate = recording.sampling_rate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            clean = nk.ecg_clean(lead, sampling_rate=rate)
            return clean, nk.ecg_peaks(clean, sampling_rate=rate)[1]["ECG_R_Peaks"]
        except Exception:  # noqa: BLE001 -- neurokit2 raises whatever its parts raise on odd signals
            return None


def _lead(recording: Recording) -> Float32[np.ndarray, " time"] | None:
    """The first ECG lead that moves, in order of preference, its gaps bridged."""
    order = {name: place for place, name in enumerate(_PREFERRED)}
    rows = [row for row, kind in enumerate(recording.modality) if kind is Modality.ECG]
    for row in sorted(rows, key=lambda row: order.get(recording.channels[row], len(order))):
        x = bridge(recording.signal[row : row + 1])[0][0]
        if len(x) and x.max() > x.min():
            return x
    return None
