"""Recordings to and from numpy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Num

from biosig.channels import parse_all
from biosig.errors import BiosigError
from biosig.readers.base import microvolts, modality_of
from biosig.recording import Event, Modality, Recording


class Arrays(NamedTuple):
    """A recording as plain data.

    Attributes:
        signal: In microvolts (other quantities in the source's unit); NaN in gaps. A copy: it may be written to.
        channels: Names of the rows.
        sampling_rate: Hz.
    """

    signal: Float32[np.ndarray, "channel time"]
    channels: tuple[str, ...]
    sampling_rate: float


def to_numpy(recording: Recording) -> Arrays:
    """Signal, names and rate.

    Example:
        >>> signal, channels, sampling_rate = to_numpy(recording)
    """
    return Arrays(np.array(recording.signal), recording.channels, recording.sampling_rate)


def from_numpy(
    signal: Num[np.ndarray, "channel time"],
    channels: Sequence[str],
    sampling_rate: float,
    *,
    unit: str | Sequence[str],
    modality: Modality | Sequence[Modality] | None = None,
    events: Iterable[Event] = (),
    record_id: str = "",
    subject_id: str = "",
    session: str = "",
) -> Recording:
    """A recording from an array.

    Args:
        signal: NaN in gaps. It is copied.
        channels: Names of the rows, in any spelling; they become canonical.
        sampling_rate: Hz.
        unit: Of the numbers: `uV`, `mV` or `V`, one for all or one a channel. There is no default, because a wrong
            guess is wrong by a thousand. A channel with a unit of its own that is no voltage keeps its numbers, and
            `meta["units"]` says so.
        modality: What each channel measures, one for all or one a channel; without it the names tell, and of a name
            that tells nothing it is `Modality.OTHER`.
        events: In seconds after the first sample.
        record_id: Its name.
        subject_id: The person.
        session: Which sitting of the person.

    Raises:
        BiosigError: If the one unit of all is no voltage, or array, names and modalities do not fit together.

    Example:
        >>> from_numpy(array, ["I", "II"], 500, unit="mV")
    """
    name = record_id or "array"
    values = np.asarray(signal)
    if values.ndim != 2 or values.dtype.kind not in "iuf":
        raise BiosigError(f"{name}: signal: expected (channel, time) numbers, got {values.dtype} {values.shape}")
    units = [unit] * len(channels) if isinstance(unit, str) else list(unit)
    kinds = [modality] * len(channels) if isinstance(modality, Modality) else modality
    for what, given in (("name", channels), ("unit", units), ("modality", channels if kinds is None else kinds)):
        if len(given) != len(values):
            raise BiosigError(f"{name}: expected one {what} for each of {len(values)} rows, got {len(given)}")
    if isinstance(unit, str) and microvolts(unit) is None:
        raise BiosigError(f"{name}: unit: expected uV, mV or V, got {unit!r} (of other quantities, a unit a channel)")
    factors = np.array([microvolts(one) or 1.0 for one in units])
    known = parse_all(list(channels), kinds)
    foreign = {one.name: stated for one, stated in zip(known, units, strict=True) if microvolts(stated) is None}
    found = [modality_of(one, foreign.get(one.name)) for one in known]
    return Recording(
        signal=(values * factors[:, None]).astype(np.float32),
        channels=tuple(channel.name for channel in known),
        sampling_rate=float(sampling_rate),
        modality=tuple(found if kinds is None else kinds),
        record_id=record_id,
        subject_id=subject_id,
        session=session,
        events=tuple(sorted(events, key=lambda event: event.onset)),
        meta={"units": foreign} if foreign else {},
    )
