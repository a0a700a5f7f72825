"""Heart rate, PR, QRS and QT of a delineated ECG."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

import numpy as np
from jaxtyping import Float64

from biosig.physiology import intervals as rr_intervals
from finetune.delineation.waves import FIDUCIALS, WAVES, Fiducial, Lead, Wave

# QRS complexes of several leads belong to one beat when their peaks lie that close, seconds.
_SAME_BEAT = 0.15
# From the start of P to that of QRS at most, and from that of QRS to the end of T, seconds.
_LONGEST_PR, _LONGEST_QT = 0.4, 0.7
_ONSET, _PEAK, _OFFSET = (FIDUCIALS.index(point) for point in Fiducial)


class Intervals(TypedDict):
    """Medians over the beats, ms, and beats a minute; None where they cannot be told.

    Attributes:
        heart_rate: 60,000 / mean RR interval.
        pr: From the first onset of P in any lead to the first onset of QRS.
        qrs: From the first onset to the last offset of QRS.
        qt: From the first onset of QRS to the last offset of T.
        qtc: QT after Fridericia: QT / (RR / s)^(1/3).
    """

    heart_rate: float | None
    pr: float | None
    qrs: float | None
    qt: float | None
    qtc: float | None


def intervals(leads: Mapping[str, Lead]) -> Intervals:
    """The intervals of all leads together, as they are measured on a 12-lead ECG.

    A beat is what at least half of the leads show at one time. Its onset is the median over its leads of the earliest
    third, and its offset of the latest third: the first and last deflection in any lead, but not that of one odd lead.

    References:
        CSE Working Party, Recommendations for measurement standards in quantitative electrocardiography, Eur. Heart J.
        6 (1985); Fridericia, Acta Med. Scand. 53 (1920).
    """
    beats = {wave: common(leads, wave) for wave in WAVES}
    qrs = beats[Wave.QRS]
    rate = rr_intervals(qrs[:, _PEAK])["heart_rate"]
    pr = _between(beats[Wave.P][:, _ONSET], qrs[:, _ONSET], _LONGEST_PR, last=True)
    qt = _between(qrs[:, _ONSET], beats[Wave.T][:, _OFFSET], _LONGEST_QT, last=False)
    median_qt = _median(qt)
    return {
        "heart_rate": rate,
        "pr": _median(pr),
        "qrs": _median(qrs[:, _OFFSET] - qrs[:, _ONSET]),
        "qt": median_qt,
        "qtc": None if median_qt is None or rate is None else median_qt / (60 / rate) ** (1 / 3),
    }


def common(leads: Mapping[str, Lead], wave: Wave) -> Float64[np.ndarray, "wave 3"]:
    """The waves of a kind that at least half of the leads show: onset, median peak and offset of each."""
    rows = np.concatenate([lead[wave] for lead in leads.values()]) if leads else np.empty((0, 3))
    rows = rows[np.isfinite(rows).all(axis=1)]
    rows = rows[np.argsort(rows[:, _PEAK])]
    groups = np.split(rows, np.flatnonzero(np.diff(rows[:, _PEAK]) > _SAME_BEAT) + 1)
    return np.array(
        [
            (np.quantile(group[:, _ONSET], 1 / 6), np.median(group[:, _PEAK]), np.quantile(group[:, _OFFSET], 5 / 6))
            for group in groups
            if len(group) and 2 * len(group) >= len(leads)
        ]
    ).reshape(-1, 3)


def _between(
    begin: Float64[np.ndarray, " first"], end: Float64[np.ndarray, " second"], longest: float, *, last: bool
) -> Float64[np.ndarray, " pair"]:
    """Seconds from each beginning to the end that follows it, if it follows soon; of several beginnings the last."""
    found = []
    for time in end if last else begin:
        gaps = time - begin if last else end - time
        near = gaps[(gaps > 0) & (gaps <= longest)]
        if len(near):
            found.append(near.min())
    return np.array(found)


def _median(seconds: Float64[np.ndarray, " value"]) -> float | None:
    return float(1000 * np.median(seconds)) if len(seconds) else None
