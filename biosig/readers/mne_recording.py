"""From a file that MNE has opened to a Recording: units, channel kinds, annotations and triggers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from biosig.channels import parse_all
from biosig.errors import RecordError
from biosig.readers.base import check_rate, check_size, is_within, modality_of
from biosig.readers.library import refusing
from biosig.recording import Event, Modality, Recording

MNE_VOLT = 107  # FIFF_UNIT_V
# Trigger channels that sum up all others.
_COMPOSITE = ("STI101", "STI 014", "STI014")
_KINDS = {"eeg": Modality.EEG, "ecog": Modality.EEG, "seeg": Modality.EEG, "dbs": Modality.EEG}
_KINDS |= {"ecg": Modality.ECG, "eog": Modality.EOG, "emg": Modality.EMG, "resp": Modality.RESPIRATION}
_SKIPPED = "BAD_ACQ_SKIP"  # MNE's word for a stretch that was not recorded


@dataclass(frozen=True, slots=True)
class Source:
    """One channel as the file has it.

    Attributes:
        name: As the file has it.
        factor: From what MNE gives to microvolts, or to the file's own unit.
        unit: That unit, if it is no voltage.
        default: What the channel measures if its name does not tell.
        trigger: Whether it becomes events, not signal.
        rate: Its own sampling rate, if MNE had to interpolate it.
    """

    name: str
    factor: float = 1e6
    unit: str | None = None
    default: Modality | None = None
    trigger: bool = False
    rate: float | None = None


def sources(raw: Any) -> list[Source]:
    """The channels by what MNE says of them."""
    kinds = raw.get_channel_types()
    found = []
    for name, kind, channel in zip(raw.ch_names, kinds, raw.info["chs"], strict=True):
        volts = int(channel["unit"]) == MNE_VOLT
        unit = None if volts else str(channel["unit"]).rpartition("FIFF_UNIT_")[2].rstrip(")") or "none"
        found.append(Source(name, 1e6 if volts else 1.0, unit, _KINDS.get(kind), trigger=kind == "stim"))
    return found


def to_recording(
    path: Path,
    raw: Any,
    channels: Sequence[Source],
    *,
    kind: str,
    events: Sequence[Event] | None = None,
    trigger_mask: int = -1,
    meta: Mapping[str, object] | None = None,
) -> Recording:
    """Read the samples and put the recording together.

    Args:
        path: The file, for errors and the record's name.
        raw: What MNE opened, its samples not yet read.
        channels: One a channel of `raw`.
        kind: The format's name.
        events: If given, instead of MNE's annotations.
        trigger_mask: The bits of a trigger that count.
        meta: More to say of the recording.

    Raises:
        RecordError: If nothing but triggers was recorded, or MNE trips over the samples, or they would not fit.
    """
    for name in filter(None, raw.filenames):
        if not is_within(Path(name), path):
            raise RecordError(path, "data file", "a file in the header's own folder", str(name))
    return assemble(path, raw, channels, kind=kind, events=events, trigger_mask=trigger_mask, meta=meta)


def assemble(
    path: Path,
    raw: Any,
    channels: Sequence[Source],
    *,
    kind: str,
    events: Sequence[Event] | None = None,
    trigger_mask: int = -1,
    meta: Mapping[str, object] | None = None,
) -> Recording:
    """See `to_recording`; wherever the samples come from."""
    check_size(path, len(raw.ch_names), int(raw.n_times))
    rate = check_rate(path, float(raw.info["sfreq"]))
    rows = [row for row, channel in enumerate(channels) if not channel.trigger]
    if not rows:
        raise RecordError(path, "signals", "at least one channel besides triggers", [c.name for c in channels])
    with refusing(path, "samples"):
        signal = _scaled(raw.get_data(picks=rows, verbose="error"), [channels[row].factor for row in rows])
        found = list(annotated(raw) if events is None else events)
        known = {event.code for event in found}
        for row in _triggers(channels):
            if channels[row].name not in known:
                found += _changes(raw.get_data(picks=[row], verbose="error")[0], rate, channels[row].name, trigger_mask)
    for event in found:
        if event.code == _SKIPPED:
            signal[:, round(event.onset * rate) : round((event.onset + event.duration) * rate)] = np.nan
    kept = [channels[row] for row in rows]
    named = parse_all([channel.name for channel in kept], [channel.default for channel in kept])
    details: dict[str, object] = {"source": path.name, "format": kind, "flags": (), **(meta or {})}
    if units := {new.name: old.unit for new, old in zip(named, kept, strict=True) if old.unit is not None}:
        details["units"] = units
    if rates := {new.name: old.rate for new, old in zip(named, kept, strict=True) if old.rate is not None}:
        details["interpolated_from"] = rates
    return Recording(
        signal=signal,
        channels=tuple(channel.name for channel in named),
        sampling_rate=rate,
        modality=tuple(modality_of(new, old.unit) for new, old in zip(named, kept, strict=True)),
        record_id=path.name.partition(".fif")[0] if kind == "fif" else path.stem,
        events=tuple(sorted(found, key=lambda event: event.onset)),
        meta=details,
    )


def annotated(raw: Any) -> list[Event]:
    """MNE's annotations, in seconds after the first sample; the description is the code."""
    # MNE counts from when the amplifier was started.
    start = float(raw.first_time)
    return [
        Event(onset=float(onset) - start, duration=float(duration), code=str(description))
        for onset, duration, description in zip(
            raw.annotations.onset, raw.annotations.duration, raw.annotations.description, strict=True
        )
        if np.isfinite(onset)
    ]


def _scaled(data: Float64[np.ndarray, "channel time"], factors: list[float]) -> Float32[np.ndarray, "channel time"]:
    data *= np.array(factors)[:, None]
    return data.astype(np.float32)


def _triggers(channels: Sequence[Source]) -> list[int]:
    rows = [row for row, channel in enumerate(channels) if channel.trigger]
    return [row for row in rows if channels[row].name in _COMPOSITE] or rows


def _changes(values: Float64[np.ndarray, " time"], rate: float, name: str, mask: int) -> list[Event]:
    """An event wherever a trigger channel takes a new value that is not zero."""
    levels = np.nan_to_num(values).round().astype(np.int64) & mask
    at = np.flatnonzero((levels[1:] != levels[:-1]) & (levels[1:] != 0)) + 1
    return [Event(onset=int(i) / rate, duration=0.0, code=str(int(levels[i])), text=name) for i in at]
