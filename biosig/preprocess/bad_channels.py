"""The step that finds bad electrodes and mends them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Any, Literal

import numpy as np
from jaxtyping import Float32
from pydantic import Field

from biosig.errors import BiosigError
from biosig.preprocess.electrodes import electrode_rows, patterns, places
from biosig.preprocess.prep import Limits, faults
from biosig.preprocess.step import BaseStep, name_of
from biosig.quality import QualityFlag
from biosig.recording import Recording

# Of an electrode interpolated from fewer, nothing is known.
_LEAST_SOURCES = 4


class Then(StrEnum):
    """What becomes of a bad electrode."""

    INTERPOLATE = "interpolate"
    """Its signal is made from the others by spherical splines."""
    MARK = "mark"
    """It is named, and left as it is."""


class TooMany(StrEnum):
    """What becomes of a recording most of which is bad."""

    REFUSE = "refuse"
    """An error, so that the recording is skipped and counted."""
    FLAG = "flag"
    """It is left as it is, with the quality flag `unmended`."""


class BadChannels(BaseStep):
    """Bad EEG electrodes are named, and made anew from the others.

    The criteria are those of PREP, without its RANSAC and its iterated reference: missing or flat, an amplitude that
    deviates, high-frequency noise, no correlation with any other electrode (formulas in `biosig.preprocess.prep`; the
    last three among six electrodes or more). Names and faults go to `meta["bad_channels"]`: `{"T7": ["flat"]}`, empty
    where none was found; where one was, the recording has the quality flag `bad-channels`. Interpolation is MNE's
    spherical splines from the electrodes that are good and known at the time. Derivations and other modalities are
    left alone.

    Statistics are over the whole recording: the step is not causal.

    Raises:
        BiosigError: On `apply`, if too many are bad, or the place of a bad one is not known and it should be
            interpolated.

    References:
        Bigdely-Shamlo et al., Frontiers in Neuroinformatics 9 (2015). Perrin et al., Electroencephalography and
        Clinical Neurophysiology 72 (1989).
    """

    kind: Literal["bad_channels"] = "bad_channels"
    flat: float = Field(default=0.1, ge=0)
    """Microvolts of (robust) standard deviation above 1 Hz."""
    deviation: float = Field(default=5.0, gt=0)
    """Robust z-score of the amplitude, in either direction."""
    factor: float = Field(default=2.0, ge=1)
    """And the amplitude must be off the median by this factor. With 19 electrodes that resemble each other, five robust
    deviations may be no more than the alpha of closed eyes at `O2`. 1 leaves it to the score alone, as PREP does."""
    noise: float = Field(default=5.0, gt=0)
    """Robust z-score of the part above 50 Hz over that below."""
    correlation: float = Field(default=0.4, ge=0, le=1)
    """With the electrode most like it (98th percentile), in windows of a second."""
    uncorrelated: float = Field(default=0.1, ge=0, le=1)
    """The part of the windows that may be below `correlation`. PREP has 0.01, which one window of a short trial is."""
    then: Then = Then.INTERPOLATE
    most: float = Field(default=0.25, gt=0, le=1)
    """The part of the electrodes that may be bad."""
    too_many: TooMany = TooMany.REFUSE

    @property
    def causal(self) -> bool:
        return False

    def apply(self, recording: Recording) -> Recording:
        rows = electrode_rows(recording)
        if not rows:
            return recording
        limits = Limits(self.flat, self.deviation, self.factor, self.noise, self.correlation, self.uncorrelated)
        wrong = faults(recording.signal[rows], recording.sampling_rate, limits)
        bad = {recording.channels[row]: [str(f) for f in each] for row, each in zip(rows, wrong, strict=True) if each}
        meta: dict[str, Any] = {**recording.meta, "bad_channels": bad}
        if bad:
            meta["flags"] = _flagged(meta, QualityFlag.BAD_CHANNELS)
        if len(bad) > self.most * len(rows):
            if self.too_many is TooMany.REFUSE:
                shown = ", ".join(f"{name} ({'+'.join(what)})" for name, what in list(bad.items())[:6])
                raise BiosigError(
                    f"{name_of(recording)}: bad channels: {len(bad)} of {len(rows)} electrodes, expected at most "
                    f"{self.most:.0%}: {shown}{' ...' if len(bad) > 6 else ''}"
                )
            meta["flags"] = _flagged(meta, QualityFlag.UNMENDED)
            return replace(recording, meta=meta)
        if not bad or self.then is Then.MARK:
            return replace(recording, meta=meta)
        return replace(recording, signal=_mended(recording, rows, list(bad)), meta=meta)


def _flagged(meta: Mapping[str, Any], flag: QualityFlag) -> tuple[str, ...]:
    return tuple(sorted({*meta.get("flags", ()), flag.value}))


def _mended(recording: Recording, rows: list[int], bad: list[str]) -> Float32[np.ndarray, "channel time"]:
    from biosig.preprocess import spherical  # noqa: PLC0415 -- brings mne

    names = [recording.channels[row] for row in rows]
    placed = dict(zip(names, np.isfinite(places(names)).all(axis=1), strict=True))
    if lost := [name for name in bad if not placed[name]]:
        raise BiosigError(
            f"{name_of(recording)}: bad channels: expected electrodes of the 10-05 system to interpolate, got "
            f"{lost[0]!r}; `then: mark` only names them"
        )
    sources = [name for name in names if name not in bad and placed[name]]
    row_of = dict(zip(names, rows, strict=True))
    x = recording.signal.copy()
    targets = [row_of[name] for name in bad]
    given = recording.signal[[row_of[name] for name in sources]]
    made = np.full((len(bad), recording.n_times), np.nan, dtype=np.float32)
    for known, when in patterns(given):
        good = tuple(name for name, there in zip(sources, known, strict=True) if there)
        if len(good) >= _LEAST_SOURCES:
            made[:, when] = spherical.interpolation(good, tuple(bad)) @ given[known][:, when]
    x[targets] = made
    return x
