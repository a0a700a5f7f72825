"""The step that chooses electrodes by name and derives bipolar channels."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import numpy as np
from jaxtyping import Float32
from pydantic import Field, field_validator

from biosig.channels import parse
from biosig.errors import BiosigError
from biosig.preprocess.electrodes import derivation
from biosig.preprocess.step import BaseStep, Unfit, name_of
from biosig.recording import Modality, Recording

_MOST_NAMED = 8


class Montage(BaseStep):
    """Electrodes by their names, in that order; all other EEG channels are left out.

    Names are canonical 10-05 ones whatever their spelling (`T3` is `T7`); one that is in no system (`E12`) must be that
    of a channel. A derivation such as `Fp1-F7` is taken as it is where the recording has it, else it is the difference
    of the two electrodes.

    Raises:
        BiosigError: On `apply`, if the montage does not fit: it names what is missing.
    """

    kind: Literal["montage"] = "montage"
    channels: tuple[str, ...] = Field(min_length=1)
    keep: tuple[Modality, ...] = ()
    """Other modalities that stay, after the electrodes, as they are: `["ecg"]` keeps ECG leads."""
    missing: Unfit = Unfit.REFUSE
    """`skip`: what the recording does not have stays out, as long as something is left."""

    @field_validator("channels")
    @classmethod
    def _canonical(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        found = tuple(parse(name, Modality.EEG).name for name in names)
        if twice := [name for name in found if found.count(name) > 1]:
            raise ValueError(f"expected each channel once, got {twice[0]!r} {found.count(twice[0])} times")
        return found

    @field_validator("keep")
    @classmethod
    def _others(cls, keep: tuple[Modality, ...]) -> tuple[Modality, ...]:
        if Modality.EEG in keep:
            raise ValueError("EEG channels are chosen by name")
        return keep

    def apply(self, recording: Recording) -> Recording:
        rows = {
            parse(name, Modality.EEG).name: row
            for row, (name, kind) in enumerate(zip(recording.channels, recording.modality, strict=True))
            if kind is Modality.EEG
        }
        made = {name: _made(recording.signal, rows, name) for name in self.channels}
        found = {name: x for name, x in made.items() if x is not None}
        if not found or (len(found) < len(made) and self.missing is Unfit.REFUSE):
            raise BiosigError(_unfit(recording, [name for name in made if name not in found], tuple(rows)))
        others = [row for row, kind in enumerate(recording.modality) if kind in self.keep]
        return replace(
            recording,
            signal=np.concatenate([np.stack(list(found.values())), recording.signal[others]]),
            channels=(*found, *(recording.channels[row] for row in others)),
            modality=(*[Modality.EEG] * len(found), *(recording.modality[row] for row in others)),
        )


def _made(
    signal: Float32[np.ndarray, "channel time"], rows: dict[str, int], name: str
) -> Float32[np.ndarray, " time"] | None:
    if name in rows:
        return signal[rows[name]]
    pair = derivation(name)
    if pair and pair[0] in rows and pair[1] in rows:
        return signal[rows[pair[0]]] - signal[rows[pair[1]]]
    return None


def _unfit(recording: Recording, missing: list[str], there: tuple[str, ...]) -> str:
    def some(names: list[str] | tuple[str, ...]) -> str:
        return ", ".join(names[:_MOST_NAMED]) + (" ..." if len(names) > _MOST_NAMED else "")

    return (
        f"{name_of(recording)}: montage: {len(missing)} of its channels missing: {some(missing)}; "
        f"the recording has {len(there)} of EEG: {some(there) or 'none'}"
    )
