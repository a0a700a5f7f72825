"""EDF, EDF+, BDF and BDF+ through MNE, after a check of our own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float64

from biosig.errors import RecordError
from biosig.readers.base import READERS, Reader, check_size, microvolts
from biosig.readers.edf_annotations import read_edf_annotations
from biosig.readers.edf_header import EdfHeader, EdfSignal, read_edf_header
from biosig.readers.library import refusing
from biosig.readers.mne_recording import Source, to_recording
from biosig.recording import Event, Modality, Recording

# What MNE makes volts of; it leaves every other unit as it is.
_MNE_VOLTS = {"\u00b5V": 1e-6, "\u03bcV": 1e-6, "\x83\xcaV": 1e-6, "uV": 1e-6, "mV": 1e-3}
_BDF_TRIGGER = 0xFFFF  # the bits above tell of the amplifier


def read_edf(
    path: str | Path, *, annotations: Sequence[str | Path] = (), modality: Modality | None = None
) -> Recording:
    """Read an EDF(+) or BDF(+) file.

    Channels of a lower rate are interpolated to the highest one (Fourier, over the whole recording);
    `meta["interpolated_from"]` tells their own. Gaps between the data records of an interrupted recording (EDF+D) are
    NaN. A channel whose header gives no scale is NaN, with `"uncalibrated"` in `meta["flags"]`. Names, birth dates and
    other personal fields are not kept.

    Args:
        path: The file.
        annotations: EDF+ files of annotations alone (a hypnogram) that belong to the recording and begin with it.
        modality: What a channel with an unknown name measures.

    Raises:
        RecordError: If the header is not sound, the file is shorter than it declares, or it has annotations only.
    """
    path = Path(path)
    header = read_edf_header(path)
    kind = "bdf" if header.sample_bytes == 3 else "edf"
    if not header.channels:
        mend = "annotations only (give the file as `annotations=` of the recording it belongs to)"
        raise RecordError(path, "signals", "at least one channel", mend)
    with refusing(path, "annotations"):
        onsets, events = read_edf_annotations(path, header)
        for other in map(Path, annotations):
            events += read_edf_annotations(other, read_edf_header(other))[1]
    with ExitStack() as stack:
        with refusing(path):
            raw = _opened(path, kind, stack)
            channels = [
                _source(channel, stim == "stim", header, modality)
                for channel, stim in zip(header.channels, raw.get_channel_types(), strict=True)
            ]
        # Triggers alone for now: annotations tell true time, triggers count samples.
        mask = _BDF_TRIGGER if kind == "bdf" else -1
        recording = to_recording(path, raw, channels, kind=kind, events=(), trigger_mask=mask)
    per_record = round(header.seconds * recording.sampling_rate)
    if 0 < header.n_records * per_record < recording.n_times:  # something follows the last data record
        recording = replace(recording, signal=recording.signal[:, : header.n_records * per_record])
    if header.interrupted:
        recording = _spread(path, recording, onsets, per_record)
    if not all(channel.calibrated for channel in header.channels):
        recording = replace(recording, meta={**recording.meta, "flags": ("uncalibrated",)})
    found = sorted([*recording.events, *events], key=lambda event: event.onset)
    return replace(recording, events=tuple(found))


def _opened(path: Path, kind: str, stack: ExitStack) -> Any:
    import mne  # noqa: PLC0415  slow to import

    read = mne.io.read_raw_edf if kind == "edf" else mne.io.read_raw_bdf
    # MNE takes a path by its extension only, but an open file as it is.
    named = path.suffix.lower() == f".{kind}"
    file = path if named else stack.enter_context(path.open("rb"))
    # Any byte is a letter in Latin-1; the texts themselves are read by `edf_annotations`.
    return read(file, preload=not named, encoding="latin1", verbose="error")


def _source(channel: EdfSignal, trigger: bool, header: EdfHeader, modality: Modality | None) -> Source:
    volts = microvolts(channel.unit)
    factor = (volts or 1.0) / _MNE_VOLTS.get(channel.unit, 1.0)
    fastest = max(other.samples for other in header.channels)
    return Source(
        name=channel.label,
        factor=factor if channel.calibrated or trigger else np.nan,
        unit=channel.unit if volts is None else None,
        default=modality if volts else None,
        trigger=trigger,
        rate=None if channel.samples == fastest else channel.samples / header.seconds,
    )


def _spread(path: Path, recording: Recording, onsets: Float64[np.ndarray, " record"], per_record: int) -> Recording:
    """Put each data record at its own time; NaN between them."""
    rate, n_records = recording.sampling_rate, recording.n_times // per_record
    starts = np.round(onsets[:n_records] * rate).astype(np.int64)
    if (np.diff(starts) < per_record).any():
        raise RecordError(path, "onsets of the data records", f"{per_record / rate:g} s or more apart", "less")
    n_samples = int(starts[-1]) + per_record
    if n_samples == recording.n_times:
        return recording
    check_size(path, len(recording.channels), n_samples)
    signal = np.full((len(recording.channels), n_samples), np.nan, dtype=np.float32)
    for record, start in enumerate(starts):
        signal[:, start : start + per_record] = recording.signal[:, record * per_record : (record + 1) * per_record]
    events = []
    for event in recording.events:
        sample = round(event.onset * rate)
        shifted = (sample % per_record + int(starts[sample // per_record])) / rate
        events.append(Event(shifted, event.duration, event.code, event.text))
    return replace(recording, signal=signal, events=tuple(events))


READERS.add("edf", Reader("EDF, EDF+, BDF, BDF+", (".edf", ".bdf"), read_edf, magic=re.compile(rb"0 {7}|\xffBIOSEMI")))
