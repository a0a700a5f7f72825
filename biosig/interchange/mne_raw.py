"""Recordings to and from `mne.io.Raw`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64

from biosig.channels import positions
from biosig.errors import BiosigError
from biosig.preprocess.spherical import HEAD_RADIUS
from biosig.readers.base import microvolts
from biosig.readers.mne_recording import MNE_VOLT, Source, assemble, sources
from biosig.recording import Event, Modality, Recording

_NO_UNIT = -1  # FIFF_UNIT_NONE
_TYPES = {Modality.ECG: "ecg", Modality.EEG: "eeg", Modality.EOG: "eog", Modality.EMG: "emg"}
_TYPES |= {Modality.RESPIRATION: "resp", Modality.STIMULUS: "stim", Modality.OTHER: "misc"}
# `eeg` is what MNE takes a channel for of which it knows nothing; of the others somebody has said so.
_STATED = {kind: modality for modality, kind in _TYPES.items() if kind not in ("eeg", "stim")}
# MNE's filters leave out what has the first name; the second is of single channels, of which its filters know nothing.
_GAP, _CHANNEL_GAP = "BAD_ACQ_SKIP", "BAD_gap"

# Onset, duration, description, channels, extras.
_Row = tuple[float, float, str, tuple[str, ...], dict[str, str | int]]


def to_mne(recording: Recording) -> Any:
    """The recording as `mne.io.RawArray`.

    Microvolts become volts; channels that hold no voltage keep their numbers and have no unit. Types of channels follow
    `modality`; electrodes get their places on a spherical head of 95 mm. Events become annotations: the code is the
    description, and text, stimulus and trial are their extras.

    NaN would spread through every filter, so gaps are zero, and an annotation says where they are: `BAD_ACQ_SKIP` where
    no channel has samples, `BAD_gap` with the channel's name where one has none. A channel that is one gap, or is named
    in `meta["bad_channels"]`, is in `info["bads"]`.

    What MNE has no place for stays behind: record and subject, codes, concepts, report, `meta`. No date is set. Of an
    event that reaches beyond the recording MNE keeps the part inside, and says so in a warning.

    Args:
        recording: Of any modality.

    Example:
        >>> raw = to_mne(biosig.read("Subject00_1.edf"))
        >>> raw.filter(1, 40).plot()
    """
    import mne  # noqa: PLC0415  slow to import

    foreign = recording.meta.get("units", {})
    info = mne.create_info(
        list(recording.channels), recording.sampling_rate, [_TYPES[kind] for kind in recording.modality]
    )
    factors = np.full((len(recording.channels), 1), 1e-6)
    for row, (name, kind) in enumerate(zip(recording.channels, recording.modality, strict=True)):
        volts = name not in foreign and kind is not Modality.STIMULUS
        info["chs"][row]["unit"] = MNE_VOLT if volts else _NO_UNIT
        factors[row] = 1e-6 if volts else 1.0
    missing = ~np.isfinite(recording.signal)
    samples = np.where(missing, 0, recording.signal).astype(np.float64) * factors
    raw = mne.io.RawArray(samples, info, verbose="error")
    if places := _electrodes(recording):
        raw.set_montage(mne.channels.make_dig_montage(places, coord_frame="head"), on_missing="ignore", verbose="error")
    named = recording.meta.get("bad_channels", {})
    raw.info["bads"] = [
        name for name, gone in zip(recording.channels, missing, strict=True) if gone.all() or name in named
    ]
    rows: list[_Row] = [(e.onset, e.duration, e.code, (), _extras(e)) for e in recording.events if e.code != _GAP]
    rows += [(*span, code, where, {}) for span, code, where in _gaps(recording, missing)]
    if rows:
        onset, duration, code, where, extras = zip(*rows, strict=True)
        raw.set_annotations(mne.Annotations(onset, duration, list(code), ch_names=list(where), extras=list(extras)))
    return raw


def from_mne(raw: Any, *, record_id: str = "", subject_id: str = "", session: str = "") -> Recording:
    """A recording from `mne.io.Raw`, as the reader of its file would give it.

    Volts become microvolts; channels for which MNE states no voltage keep their numbers. Names become canonical. What
    a channel measures is what MNE says; but MNE takes every channel for `eeg` that it knows nothing of, and there the
    name may say otherwise. Annotations become events, and so does every new value of a trigger channel (`stim`), which
    is no signal; `BAD_ACQ_SKIP` and the gaps of `to_mne` become NaN; other annotations that begin with BAD stay events.
    `meta["bad_channels"]` names what is in `info["bads"]`, whose samples stay. Who it is and when it was is not taken
    from `raw`.

    Args:
        raw: Of any file, or made in memory; it is left as it is.
        record_id: Its name.
        subject_id: The person.
        session: Which sitting of the person.

    Raises:
        RecordError: If there is no channel besides triggers, or no sample.
        BiosigError: If it is no `Raw`.
    """
    import mne  # noqa: PLC0415 -- seconds to import

    if not isinstance(raw, mne.io.BaseRaw):
        raise BiosigError(
            f"from_mne: expected an mne.io.Raw, got {type(raw).__name__}; of Epochs, give the Raw that they are cut "
            "from, or `from_numpy(one, epochs.ch_names, epochs.info['sfreq'], unit=\"V\")` for one in epochs.get_data()"
        )
    channels = [_in_its_unit(raw, source) for source in sources(raw)]
    everything = list(_events(raw))
    kept = [event for event, _ in everything if event.code not in (_GAP, _CHANNEL_GAP)]
    recording = assemble(Path(record_id or "raw"), raw, channels, kind="mne", events=kept)
    kinds = [kind for kind, one in zip(raw.get_channel_types(), channels, strict=True) if not one.trigger]
    names = [one.name for one in channels if not one.trigger]
    signal = np.array(recording.signal)
    for event, where in everything:
        if event.code in (_GAP, _CHANNEL_GAP):
            first = round(event.onset * recording.sampling_rate)
            rows = [names.index(name) for name in where] if where else slice(None)
            signal[rows, max(first, 0) : first + round(event.duration * recording.sampling_rate)] = np.nan
    meta = {key: value for key, value in recording.meta.items() if key != "source"}
    if bads := {recording.channels[names.index(name)]: ["bads"] for name in raw.info["bads"] if name in names}:
        meta["bad_channels"] = bads
    return replace(
        recording,
        signal=signal,
        modality=tuple(_STATED.get(kind, found) for kind, found in zip(kinds, recording.modality, strict=True)),
        record_id=record_id,
        subject_id=subject_id,
        session=session,
        meta=meta,
    )


def _electrodes(recording: Recording) -> dict[str, Float64[np.ndarray, " 3"]]:
    """Metres in the frame of the head, of each electrode whose place is known; a derivation has none."""
    where = positions(recording.channels, recording.modality) * np.float64(HEAD_RADIUS)
    return {
        name: place
        for name, kind, place in zip(recording.channels, recording.modality, where, strict=True)
        if kind is Modality.EEG and "-" not in name and np.isfinite(place).all()
    }


def _in_its_unit(raw: Any, source: Source) -> Source:
    """A channel whose file names a unit that is no voltage: MNE calls it volts, and has left its numbers alone."""
    stated = getattr(raw, "_orig_units", {}).get(source.name)
    if source.unit is not None or stated is None or microvolts(stated) is not None or source.trigger:
        return source
    return replace(source, factor=1.0, unit=stated)


def _events(raw: Any) -> Iterator[tuple[Event, tuple[str, ...]]]:
    """Events in seconds from the first sample, and the channels that each is about; none means all."""
    # MNE counts from when the amplifier was started.
    start = float(raw.first_time)
    found = raw.annotations
    for onset, duration, code, where, extras in zip(
        found.onset, found.duration, found.description, found.ch_names, found.extras, strict=True
    ):
        if np.isfinite(onset):
            said = {name: extras[name] for name in ("text", "stimulus", "trial") if name in extras}
            said.setdefault("text", ", ".join(where))
            yield Event(float(onset) - start, float(duration), str(code), **said), tuple(where)


def _extras(event: Event) -> dict[str, str | int]:
    said = {"text": event.text, "stimulus": event.stimulus, "trial": event.trial}
    return {name: value for name, value in said.items() if value not in ("", None)}


def _gaps(
    recording: Recording, missing: Bool[np.ndarray, "channel time"]
) -> Iterator[tuple[tuple[float, float], str, tuple[str, ...]]]:
    """Onset and duration of each gap, what MNE calls it, and whose it is."""
    shared = missing.all(axis=0)
    for code, where, gone in (
        (_GAP, (), shared),
        *(
            (_CHANNEL_GAP, (name,), row & ~shared)
            for name, row in zip(recording.channels, missing, strict=True)
            if row.any()
        ),
    ):
        steps = np.flatnonzero(np.diff(gone, prepend=False, append=False))
        for first, last in zip(steps[::2].tolist(), steps[1::2].tolist(), strict=True):
            yield (first / recording.sampling_rate, (last - first) / recording.sampling_rate), code, where
