"""Labelled beats on ECG paper, and a whole recording as RR intervals over time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from biosig.plot import Shade, ecg_paper
from biosig.plot.output import MM_PER_INCH, new_figure
from biosig.plot.paper import INK
from biosig.recording import Event, Modality, Recording
from finetune.beats.aami import BEATS, WORDS, Beat
from finetune.beats.labeller import Labelled

# Of colours that the colour-blind tell apart.
COLOURS = {Beat.N: "#6f7785", Beat.S: "#0072b2", Beat.V: "#d55e00", Beat.F: "#cc79a7", Beat.Q: "#009e73"}
_EPISODE = "#e69f00"
# Seconds about an R peak that are shaded.
_BEFORE, _AFTER, _GAP = 0.2, 0.35, 0.02
_LONGEST_RR = 2.5


def liveliest(labelled: Labelled, duration: float, seconds: float) -> float:
    """Where a strip begins that shows most kinds of beats, then most beats that are not N; the earliest."""
    best = (-1.0, 0.0)
    for start in np.arange(0, max(duration - seconds, 0) + 1e-9, seconds / 2):
        inside = (labelled.peaks >= start) & (labelled.peaks < start + seconds)
        shown = [labelled.classes[place] for place in np.flatnonzero(inside)]
        kinds = len(set(shown) - {Beat.N})
        best = max(best, (10.0 * kinds + sum(beat is not Beat.N for beat in shown), -float(start)))
    return -best[1]


def strip_figure(recording: Recording, labelled: Labelled, *, start: float = 0.0, seconds: float = 10.0) -> Figure:
    """Some seconds on ECG paper: beats that are not N are shaded by class, and their class stands below them."""
    leads = recording.pick(Modality.ECG).channels
    # A beat's shade ends where that of the next begins.
    after = np.minimum(labelled.peaks + _AFTER, np.append(labelled.peaks[1:] - _BEFORE - _GAP, np.inf))
    shades = [
        Shade(lead, float(peak) - _BEFORE, float(end), COLOURS[beat])
        for peak, end, beat in zip(labelled.peaks, after, labelled.classes, strict=True)
        if beat is not Beat.N and start - _AFTER <= peak <= start + seconds + _BEFORE
        for lead in leads
    ]
    said = tuple(
        Event(float(peak), 0.0, beat.value) for peak, beat in zip(labelled.peaks, labelled.classes, strict=True)
    )
    shown = {beat: count for beat, count in labelled.counts().items() if count}
    words = "whole recording: " + ", ".join(f"{count:,} {beat.value}" for beat, count in shown.items())
    figure = ecg_paper(replace(recording, events=said), start=start, seconds=seconds, concepts=[words], shades=shades)
    width, height = figure.get_size_inches() * MM_PER_INCH
    for place, beat in enumerate((Beat.S, Beat.V, Beat.F)):
        box = {"facecolor": COLOURS[beat], "alpha": 0.30, "edgecolor": "none", "pad": 1.5}
        figure.text(0.5 + (10 * place - 10) / width, 2.2 / height, beat.value, fontsize=7.5, ha="center", bbox=box)
    return figure


def rhythm_figure(labelled: Labelled, duration: float, title: str, annotated: list[tuple[float, float]]) -> Figure:
    """RR intervals over the recording, coloured by the class of the beat that ends them; episodes as bars above.

    Args:
        labelled: What is said of it.
        duration: Seconds.
        title: For the header.
        annotated: Stretches that annotators called fibrillation or flutter, seconds; empty where nobody did, or looked.
    """
    figure = new_figure(260, 95)
    axes = figure.add_axes((0.095, 0.13, 0.89, 0.64))
    minutes, rr = labelled.peaks[1:] / 60, np.diff(labelled.peaks)
    ends = np.array([BEATS.index(beat) for beat in labelled.classes[1:]], dtype=np.int64)
    for place, beat in enumerate(BEATS):
        own = ends == place
        if own.any():
            size = 5 if beat is Beat.N else 14
            axes.scatter(
                minutes[own], np.minimum(rr[own], _LONGEST_RR), s=size, color=COLOURS[beat], linewidths=0,
                label=f"{beat.value}  {WORDS[beat]}", zorder=2 + place,
            )  # fmt: skip
    bars = [("AF, flutter: said", [(one.begin, one.end) for one in labelled.episodes])]
    bars += [("annotated", annotated)] if annotated else []
    top = _LONGEST_RR * 1.02
    for row, (name, stretches) in enumerate(bars):
        y = top + 0.06 + 0.17 * row
        axes.broken_barh([(a / 60, (b - a) / 60) for a, b in stretches], (y, 0.12), color=_EPISODE, clip_on=False)
        axes.text(
            -0.006, y + 0.06, name, transform=axes.get_yaxis_transform(), fontsize=7.5, ha="right", va="center",
            color=INK,
        )  # fmt: skip
    axes.set(
        xlim=(0, duration / 60), ylim=(0, top + 0.17 * len(bars) + 0.08), xlabel="minutes", ylabel="RR interval, s"
    )
    axes.set_yticks(np.arange(0, _LONGEST_RR + 0.1, 0.5))
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#e6e8ec", linewidth=0.6, zorder=0)
    figure.text(0.012, 0.93, title, fontsize=12, fontweight="bold", color=INK, parse_math=False)
    figure.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0.085, 0.91), ncols=4,
                  fontsize=7.5, frameon=False, markerscale=1.5, handletextpad=0.2, columnspacing=1.4)  # fmt: skip
    return figure
