"""EEGLAB `.set` files, with samples inside or in a `.fdt` file, through MNE."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from biosig.errors import RecordError
from biosig.readers.base import READERS, Reader, check_size, inside
from biosig.readers.hdf5 import check_contained, is_hdf5
from biosig.readers.library import refusing
from biosig.readers.mat5 import check_mat5, is_mat5
from biosig.readers.mne_recording import sources, to_recording
from biosig.recording import Event, Recording


def read_eeglab(path: str | Path) -> Recording:
    """Read an EEGLAB file, continuous or cut into epochs.

    Epochs are put one after the other; each is an event `epoch` with its length and, as text, its condition, and
    the moment it is locked to is an event of that name. `meta["epochs"]` tells how many there are: the signal jumps
    where one ends.

    Args:
        path: The `.set` file.

    Raises:
        RecordError: If MNE cannot read it, its samples lie outside its folder, or there are fewer than declared.
    """
    path = Path(path)
    with refusing(path):
        import mne  # noqa: PLC0415  slow to import

        if is_hdf5(path):
            check_contained(path)
        elif is_mat5(path):
            check_mat5(path)
        else:
            raise RecordError(path, "content", "a MATLAB file (5 or 7.3)", "neither")
        try:
            raw = mne.io.read_raw_eeglab(path, preload=False, verbose="error")
        except TypeError as error:
            if "trials" not in str(error):
                raise
            return _epochs(path, mne)
        data = Path(raw.filenames[0])
        channels = sources(raw)
    n_channels, n_samples = len(channels), int(raw.n_times)
    check_size(path, n_channels, n_samples)
    expected = 4 * n_channels * n_samples
    if data.suffix == ".fdt" and data.stat().st_size != expected:
        raise RecordError(path, "data", f"{expected} bytes in {data.name}", data.stat().st_size)
    return to_recording(path, raw, channels, kind="eeglab")


def _epochs(path: Path, mne: Any) -> Recording:
    from pymatreader import read_mat  # noqa: PLC0415  slow to import

    # MNE reads the samples of epochs at once, so where they lie is looked up before.
    found = read_mat(str(path), variable_names=["EEG", "data"])
    data = found.get("EEG", found).get("data")
    if isinstance(data, str):
        inside(path, data, "data")
    epochs = mne.read_epochs_eeglab(path, verbose="error")
    n_epochs, n_channels, length = epochs.get_data(copy=False).shape
    rate = float(epochs.info["sfreq"])
    names = {number: name for name, number in epochs.event_id.items()}
    events = []
    for i, number in enumerate(epochs.events[:, 2].tolist()):
        start = i * length / rate
        events.append(Event(start, length / rate, "epoch", names[number]))
        if 0 <= -epochs.tmin < length / rate:
            events.append(Event(start - float(epochs.tmin), 0.0, names[number]))
    joined = epochs.get_data(copy=False).transpose(1, 0, 2).reshape(n_channels, n_epochs * length)
    raw = mne.io.RawArray(joined, epochs.info, verbose="error")
    return to_recording(path, raw, sources(raw), kind="eeglab", events=events, meta={"epochs": n_epochs})


READERS.add(
    "eeglab",
    Reader("EEGLAB", (".set",), read_eeglab, companions=(".fdt",)),
)
