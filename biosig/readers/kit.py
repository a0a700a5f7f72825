"""KIT (Yokogawa, Ricoh) magnetoencephalography through MNE."""

from __future__ import annotations

from pathlib import Path

from biosig.errors import RecordError
from biosig.readers.base import READERS, Reader
from biosig.readers.library import refusing
from biosig.readers.mne_recording import sources, to_recording
from biosig.recording import Recording


def read_kit(path: str | Path) -> Recording:
    """Read a KIT `.sqd` or `.con` file: sensors in tesla and auxiliary channels in volts, as `Modality.OTHER`.

    Raises:
        RecordError: If MNE cannot read it, or the file is shorter than it declares.
    """
    path = Path(path)
    with refusing(path):
        import mne  # noqa: PLC0415  slow to import

        raw = mne.io.read_raw_kit(path, preload=False, verbose="error")
        channels = sources(raw)
    # Every value takes two bytes at least.
    held = path.stat().st_size // 2
    n_values = sum(not channel.trigger for channel in channels) * int(raw.n_times)
    if n_values > held:
        raise RecordError(path, "number of samples", f"at most {held} values, as the file holds", n_values)
    return to_recording(path, raw, channels, kind="kit")


READERS.add("kit", Reader("KIT", (".sqd", ".con"), read_kit))
