"""The step that changes what electrodes are measured against."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float32

from biosig.errors import BiosigError
from biosig.preprocess.electrodes import electrode_rows, patterns, places
from biosig.preprocess.step import BaseStep, name_of
from biosig.recording import Modality, Recording


class Reference(BaseStep):
    """Channels of one modality less their common reference.

    `average` is the mean of all of them; names are electrodes, whose mean it is, and which are kept; `rest` is the
    point at infinity, estimated from dipoles in a spherical head (REST). A bipolar derivation has no reference and is
    left as it is.

    REST is one matrix a montage, made by MNE once a process, which takes a second or so; the more electrodes, and the
    more of the head they cover, the better it is. Where an electrode has a gap, the others go on without it.

    Raises:
        BiosigError: On `apply`, if a named channel is not in the recording; REST: if there are fewer than two
            electrodes, or the place of one is not known.

    References:
        Yao, Physiological Measurement 22 (2001), for REST.
    """

    kind: Literal["reference"] = "reference"
    channels: tuple[str, ...] | Literal["average", "rest"] = "average"
    modality: Modality = Modality.EEG

    def apply(self, recording: Recording) -> Recording:
        rows = electrode_rows(recording, self.modality)
        if not rows:
            return recording
        x = recording.signal.copy()
        if self.channels == "rest":
            x[rows] = _rest(recording, rows)
        else:
            among = recording.signal[rows] if self.channels == "average" else recording.pick(self.channels).signal
            x[rows] -= _mean(among)
        return replace(recording, signal=x)


def _mean(among: Float32[np.ndarray, "channel time"]) -> Float32[np.ndarray, " time"]:
    known = np.isfinite(among)
    count = known.sum(axis=0)
    # A gap of one electrode must not make a gap of all; where no electrode is known, all are gaps anyway.
    common = np.where(known, among, 0).sum(axis=0) / np.maximum(count, 1)
    return np.where(count > 0, common, np.nan).astype(np.float32)


def _rest(recording: Recording, rows: list[int]) -> Float32[np.ndarray, "electrode time"]:
    from biosig.preprocess import spherical  # noqa: PLC0415 -- brings mne

    names = tuple(recording.channels[row] for row in rows)
    unknown = [name for name, place in zip(names, places(names), strict=True) if not np.isfinite(place).all()]
    if unknown:
        raise BiosigError(
            f"{name_of(recording)}: reference rest: expected electrodes of the 10-05 system, got {unknown[0]!r} "
            f"({len(unknown)} of {len(names)} of unknown place); choose some by a montage step before"
        )
    if len(names) < 2:
        raise BiosigError(f"{name_of(recording)}: reference rest: expected at least two electrodes, got {names}")
    x = recording.signal[rows]
    out = np.full_like(x, np.nan)
    for known, when in patterns(x):
        together = tuple(name for name, there in zip(names, known, strict=True) if there)
        if len(together) >= 2:
            block = spherical.rest(names, together) @ x[known][:, when].astype(np.float64)
            # Two steps: rows and samples are both chosen by masks.
            part = out[known]
            part[:, when] = block
            out[known] = part
    return out
