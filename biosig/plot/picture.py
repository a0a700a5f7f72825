"""The picture that suits a recording: ECG paper, traces, or maps of the scalp, by one word."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from biosig.plot.band_power import band_power_maps
from biosig.plot.ecg import ecg_paper
from biosig.plot.montages import MONTAGES
from biosig.plot.traces import traces
from biosig.recording import Modality, Recording

TRACES, TOPOMAP = "traces", "topomap"


def picture(
    recording: Recording,
    *,
    layout: str = "auto",
    start: float = 0.0,
    seconds: float = 10.0,
    concepts: Sequence[str] = (),
    heart_rate: float | None = None,
) -> Figure:
    """A stretch of a recording as a picture.

    Args:
        recording: Any.
        layout: `traces` for any channels; EEG in a montage (`longitudinal`, `transverse`, `average`); `topomap` for the
            power of its bands over the scalp; or a layout of ECG paper (`biosig.plot.layout.lay_out`: `3x4+1`, `6x2`,
            `12x1`, ...). `auto` is paper where every channel is ECG, else traces.
        start: First second shown.
        seconds: How many are shown.
        concepts: Diagnoses in words, for the header of ECG paper.
        heart_rate: Beats a minute, for the same.

    Raises:
        BiosigError: See `ecg_paper`, `traces` and `band_power_maps`.
    """
    if layout == TOPOMAP:
        return band_power_maps(recording, start=start, seconds=seconds)
    if layout in MONTAGES:
        return traces(MONTAGES[layout](recording), start=start, seconds=seconds)
    if layout == TRACES or (layout == "auto" and any(kind is not Modality.ECG for kind in recording.modality)):
        return traces(recording, start=start, seconds=seconds)
    return ecg_paper(
        recording, layout=layout, start=start, seconds=seconds, concepts=concepts, heart_rate=heart_rate
    )  # fmt: skip
