"""Neuroscan `.cnt` files through MNE, whole or a stretch of them."""

from __future__ import annotations

from pathlib import Path

from biosig.errors import RecordError
from biosig.readers.base import READERS, Reader
from biosig.readers.library import refusing
from biosig.readers.mne_recording import Source, to_recording
from biosig.recording import Modality, Recording

_HEADER, _CHANNEL = 900, 75
_LOOKS = b"Version"
# Eye electrodes by the names that Neuroscan gives them.
_EYES = frozenset({"VEO", "HEO", "VEOG", "HEOG", "VEOU", "VEOL", "HEOL", "HEOR"})


def read_cnt(path: str | Path, start: float = 0.0, stop: float | None = None) -> Recording:
    """Read a Neuroscan recording of 16 or 32 bits; events are those of its event table.

    The header does not say how wide a value is, and its count of samples overflows in long recordings. MNE judges by
    the two together; where they disagree, 32 bits are taken, as SynAmps2 writes them.

    Args:
        path: The `.cnt` file.
        start: Seconds after the first sample where to begin.
        stop: Seconds where to end; the end of the file if not given. Only this stretch is read.

    Raises:
        RecordError: If MNE cannot read it, or it ends before `stop`.
    """
    path = Path(path)
    with refusing(path):
        import mne  # noqa: PLC0415  slow to import

        with path.open("rb") as file:
            head = file.read(_HEADER)
        if len(head) < _HEADER or not head.startswith(_LOOKS):
            raise RecordError(path, "content", f"{_HEADER} bytes that begin with 'Version'", head[:12])
        _check_channels(path, int.from_bytes(head[370:372], "little"))
        try:
            raw = mne.io.read_raw_cnt(path, preload=False, verbose="error")
        except RuntimeError:
            raw = mne.io.read_raw_cnt(
                path, data_format="int32", recompute_n_samples=True, preload=False, verbose="error"
            )
        n_bytes = 2 * len(raw.ch_names) * int(raw.n_times)
        if n_bytes > path.stat().st_size:
            raise RecordError(path, "number of samples", f"at most {path.stat().st_size} bytes of them", n_bytes)
        length = raw.n_times / raw.info["sfreq"]
        if not 0 <= start < (length if stop is None else stop) <= length:
            raise RecordError(path, "length", f"at least {start if stop is None else stop:g} s", f"{length:g} s")
        if stop is None or stop >= length:
            raw.crop(start)
        else:
            raw.crop(start, stop, include_tmax=False)
        channels = [
            Source(name, default=Modality.EOG if name.upper() in _EYES else Modality.EEG) for name in raw.ch_names
        ]
    return to_recording(path, raw, channels, kind="neuroscan")


def _check_channels(path: Path, n_channels: int) -> None:
    held = (path.stat().st_size - _HEADER) // _CHANNEL
    if not 1 <= n_channels <= held:
        raise RecordError(path, "number of channels", f"1 to {held}, as the file has room for", n_channels)


READERS.add("neuroscan", Reader("Neuroscan", (".cnt",), read_cnt))
