"""Rhythm statistics of an ECG by neurokit2: the numbers that an auxiliary objective learns to predict."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TypedDict

import numpy as np
from jaxtyping import Float32, Float64, Int64

from biosig.filtering import run
from biosig.recording import Modality, Recording
from biosig.resample import bridge

# Where a QRS complex is told from P, T and wander, Hz; and how far a peak of a lead is from that of all, seconds.
_BAND, _REACH = (5.0, 20.0), 0.08
# The lead whose waves are measured, the first that there is; any other ECG channel after them.
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
    """Rate, RR statistics and QRS width: `summary` of `beats`.

    References:
        Task Force of the ESC and NASPE, Heart rate variability, Circulation 93 (1996).
    """
    return summary(beats(recording))


def beats(recording: Recording) -> Beats:
    """R peaks of all ECG leads together, and QRS widths in the best of them.

    Peaks are those that neurokit2 finds in the median over the leads of |5-20 Hz|, each lead in units of its own root
    mean square: a lead with a low R wave, a tall T wave or a loose electrode is outvoted. Each is then moved to the
    largest |5-20 Hz| of the best lead within 80 ms. Waves are of the discrete wavelet delineation, in that lead
    as it is: cleaning widens a QRS complex, by 70 ms on LUDB. A recording without ECG, or that neurokit2 fails
    on, has no beats: they are a by-product, never a reason to lose a record.

    References:
        Makowski et al., NeuroKit2, Behavior Research Methods 53 (2021). doi:10.3758/s13428-020-01516-y
    """
    found = _peaks(recording)
    if found is None:
        return NO_BEATS
    import neurokit2 as nk  # noqa: PLC0415 -- as in `_peaks`

    lead, peaks = found
    rate = recording.sampling_rate
    seconds = np.asarray(peaks, dtype=np.float64) / rate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            waves = nk.ecg_delineate(lead, peaks, sampling_rate=rate, method="dwt")[1]
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


def _peaks(recording: Recording) -> tuple[Float32[np.ndarray, " time"], Int64[np.ndarray, " beat"]] | None:
    """The best lead, and the samples of the R peaks; None where neurokit2 fails."""
    leads = _leads(recording)
    if not len(leads):
        return None
    import neurokit2 as nk  # noqa: PLC0415 -- seconds to import, and most stores do without
    from scipy import signal  # noqa: PLC0415 -- as above

    rate = recording.sampling_rate
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            edges = (_BAND[0], min(_BAND[1], 0.45 * rate))
            sections = signal.butter(2, edges, "bandpass", fs=rate, output="sos")
            size = np.abs(run(leads, sections))
            scale = np.sqrt(np.square(size).mean(1, keepdims=True))
            together = np.median(size / np.where(scale > 0, scale, 1), axis=0)
            clean = nk.ecg_clean(together, sampling_rate=rate)
            peaks = nk.ecg_peaks(clean, sampling_rate=rate)[1]["ECG_R_Peaks"]
        except Exception:  # noqa: BLE001 -- neurokit2 raises whatever its parts raise on odd signals
            return None
    return leads[0], _at_the_largest(size[0], np.asarray(peaks, dtype=np.int64), round(_REACH * rate))


def _at_the_largest(
    size: Float64[np.ndarray, " time"], peaks: Int64[np.ndarray, " beat"], reach: int
) -> Int64[np.ndarray, " beat"]:
    """Each peak at the largest value within reach; once, where two come to lie on one."""
    around = np.clip(peaks[:, None] + np.arange(-reach, reach + 1), 0, len(size) - 1)
    return np.unique(np.take_along_axis(around, size[around].argmax(1)[:, None], axis=1))


def _leads(recording: Recording) -> Float32[np.ndarray, "lead time"]:
    """The ECG leads that move, in order of preference, their gaps bridged."""
    order = {name: place for place, name in enumerate(_PREFERRED)}
    rows = [row for row, kind in enumerate(recording.modality) if kind is Modality.ECG]
    rows.sort(key=lambda row: order.get(recording.channels[row], len(order)))
    bridged = bridge(recording.signal[rows])[0]
    return bridged[[len(x) > 0 and x.max() > x.min() for x in bridged]]
