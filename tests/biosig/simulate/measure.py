"""Measurements as a reader makes them, on the clean signal; only the R times are taken from the annotations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float
from scipy.signal import find_peaks

from biosig.recording import Recording
from biosig.simulate import SIMULATED_CONCEPTS, ecg

BEATS = frozenset("NLRAV/E")
IDS = {SIMULATED_CONCEPTS[id_].abbreviation: id_ for id_ in SIMULATED_CONCEPTS}
BEFORE, AFTER = 0.42, 0.75


def clean(*abbreviations: str, seed: int, **options: object) -> Recording:
    """A recording without noise, by the abbreviations of its concepts."""
    return ecg([IDS[name] for name in abbreviations], seed=seed, noise=None, **options)  # type: ignore[arg-type]


def r_times(recording: Recording, codes: frozenset[str] = BEATS) -> Float[np.ndarray, " beat"]:
    return np.array([event.onset for event in recording.events if event.code in codes])


@dataclass(frozen=True)
class Measured:
    """The median of the beats of the commonest kind, in mV, and what is read from it."""

    recording: Recording

    @property
    def rate(self) -> float:
        return self.recording.sampling_rate

    @cached_property
    def main_code(self) -> str:
        codes = [event.code for event in self.recording.events if event.code in BEATS]
        return max(set(codes), key=codes.count)

    @cached_property
    def rr(self) -> Float[np.ndarray, " interval"]:
        return np.diff(r_times(self.recording))

    @cached_property
    def beat(self) -> Float[np.ndarray, "12 time"]:
        before, after = round(BEFORE * self.rate), round(AFTER * self.rate)
        parts = []
        for time in r_times(self.recording, frozenset(self.main_code)):
            r = round(time * self.rate)
            if before <= r < self.recording.n_times - after:
                parts.append(self.recording.signal[:, r - before : r + after] / 1000)
        return np.median(parts, axis=0)

    def lead(self, name: str) -> Float[np.ndarray, " time"]:
        return self.beat[self.recording.channels.index(name)]

    def at(self, seconds: float) -> int:
        """The sample of the median beat that far after R."""
        return round((seconds + BEFORE) * self.rate)

    @cached_property
    def _qrs(self) -> tuple[int, int]:
        # Where the leads together stop moving: root mean square slope against an absolute limit.
        slope = np.sqrt((np.gradient(self.beat, 1 / self.rate, axis=1) ** 2).mean(0))
        limit, r = 2.5, self.at(0)
        moving = slope > limit
        inside = np.flatnonzero(moving[self.at(-0.13) : self.at(0.16)]) + self.at(-0.13)
        first = last = inside[np.argmin(abs(inside - r))]
        gap = round(0.026 * self.rate)  # between two waves of one complex the slope may vanish
        for k in inside[inside > last]:
            if k - last <= gap:
                last = k
        for k in inside[inside < first][::-1]:
            if first - k <= gap:
                first = k
        return int(first), int(last)

    @property
    def qrs_duration(self) -> float:
        return (self._qrs[1] - self._qrs[0]) / self.rate

    @property
    def baseline(self) -> Float[np.ndarray, " 12"]:
        first = self._qrs[0]
        return self.beat[:, first - round(0.010 * self.rate) : first - round(0.004 * self.rate)].mean(1)

    @property
    def qrs(self) -> Float[np.ndarray, "12 time"]:
        first, last = self._qrs
        return self.beat[:, first : last + 1] - self.baseline[:, None]

    @property
    def axis(self) -> float:
        area = self.qrs.sum(1)
        return float(np.degrees(np.arctan2(area[5] * 2 / np.sqrt(3), area[0])))

    @property
    def limb_voltage(self) -> float:
        return float(np.ptp(self.qrs[:6], axis=1).max())

    @property
    def sokolow_lyon(self) -> float:
        return float(-self.qrs[6].min() + self.qrs[10:].max())

    def st(self, name: str, after_j: float = 0.04) -> float:
        k = self._qrs[1] + round(after_j * self.rate)
        row = self.recording.channels.index(name)
        return float(self.beat[row, k] - self.baseline[row])

    @property
    def st_levels(self) -> dict[str, float]:
        return {name: self.st(name) for name in self.recording.channels}

    @property
    def t_window(self) -> tuple[int, int]:
        return self._qrs[1] + round(0.09 * self.rate), self.at(min(AFTER, max(0.36, 0.62 * float(np.median(self.rr)))))

    def t_peak(self, name: str) -> float:
        """The T wave's largest deviation, signed."""
        first, last = self.t_window
        part = self.lead(name)[first:last] - self.baseline[self.recording.channels.index(name)]
        return float(part[np.argmax(abs(part))])

    @property
    def qt(self) -> float:
        """To where the tangent at the steepest descent of T meets the baseline, in the lead with the largest T."""
        first, last = self.t_window
        row = int(np.argmax([abs(self.t_peak(name)) for name in self.recording.channels]))
        part = self.beat[row, first:last] - self.baseline[row]
        part = part * np.sign(part[np.argmax(abs(part))])
        peak = int(np.argmax(part))
        slope = np.gradient(part, 1 / self.rate)
        steepest = peak + int(np.argmin(slope[peak : peak + round(0.12 * self.rate)]))
        assert slope[steepest] < 0, "no descent of T"
        end = first / self.rate + steepest / self.rate - part[steepest] / slope[steepest]
        return float(end - self._qrs[0] / self.rate)

    @property
    def qtc(self) -> float:
        return float(self.qt / np.median(self.rr) ** (1 / 3))

    @cached_property
    def p(self) -> tuple[float, float] | None:
        """Onset and end of P in lead II, seconds after R (negative); None without a P wave."""
        # Backwards from the QRS to the first hump, then down both its sides.
        begin, stop = self.at(-0.40), self._qrs[0] - round(0.006 * self.rate)
        part = self.beat[:, begin:stop] - self.baseline[:, None]
        size = abs(part[1])
        peaks, _ = find_peaks(size, height=0.02, prominence=0.003)
        if not len(peaks):
            return None
        # The second hump of a notched P wave belongs to the first one.
        first = last = int(peaks[-1])
        for peak in peaks[:-1][::-1]:
            if first - peak < 0.075 * self.rate:
                first = int(peak)
        while first > 0 and size[first] > 0.135 * size[peaks[-1]] and not _valley(size, first, peaks):
            first -= 1
        while last < len(size) - 1 and size[last] > 0.135 * size[peaks[-1]]:
            last += 1
        return (begin + first) / self.rate - BEFORE, (begin + last) / self.rate - BEFORE

    @property
    def pr(self) -> float | None:
        return None if self.p is None else self._qrs[0] / self.rate - BEFORE - self.p[0]


def _valley(size: Float[np.ndarray, " time"], k: int, peaks: Float[np.ndarray, " peak"]) -> bool:
    """Whether the curve stops falling here, before the lowest peak: another wave comes into view."""
    return bool(k < peaks.min() and size[k - 1] > size[k])
