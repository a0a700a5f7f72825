"""An ECG on paper with its waves shaded and its intervals in words."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from biosig.plot import Shade, ecg_paper
from biosig.plot.output import MM_PER_INCH
from biosig.recording import Recording
from finetune.delineation.intervals import Intervals
from finetune.delineation.waves import Lead, Wave

# Of colours that the colour-blind tell apart.
COLOURS = {Wave.P: "#009e73", Wave.QRS: "#d55e00", Wave.T: "#0072b2"}
_WORDS = {"pr": "PR", "qrs": "QRS", "qt": "QT", "qtc": "QTc"}


def wave_figure(
    recording: Recording, leads: Mapping[str, Lead], measured: Intervals, *, layout: str = "auto"
) -> Figure:
    """The first ten seconds on ECG paper, each wave shaded from onset to offset in the lead that shows it.

    Args:
        recording: The signal.
        leads: Its waves.
        measured: Its intervals.
        layout: See `biosig.plot.ecg_paper`.
    """
    shades = [
        Shade(lead, 0.0 if np.isnan(onset) else onset, recording.duration if np.isnan(offset) else offset, colour)
        for lead, waves in leads.items()
        for wave, colour in COLOURS.items()
        for onset, peak, offset in waves[wave]
        if np.isfinite(peak)
    ]
    figure = ecg_paper(
        recording, layout=layout, concepts=[words(measured)], heart_rate=measured["heart_rate"], shades=shades
    )
    width, height = figure.get_size_inches() * MM_PER_INCH
    for place, (wave, colour) in enumerate(COLOURS.items()):
        box = {"facecolor": colour, "alpha": 0.30, "edgecolor": "none", "pad": 1.5}
        figure.text(0.5 + (14 * place - 14) / width, 2.2 / height, wave.value, fontsize=7.5, ha="center", bbox=box)
    return figure


def words(measured: Intervals) -> str:
    """The intervals in one line; what cannot be told is left out."""
    numbers = {name: measured[name] for name in ("pr", "qrs", "qt", "qtc")}
    return ", ".join(f"{_WORDS[name]} {value:.0f} ms" for name, value in numbers.items() if value is not None)
