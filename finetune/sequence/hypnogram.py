"""What a night amounts to: minutes of each stage, latencies, and the picture of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from biosig.plot.output import new_figure
from finetune.sequence.nights import EPOCH, STAGES, UNKNOWN

#: Told apart by the colour-blind: wake, light to deep sleep, REM.
COLOURS = {"W": "#e69f00", "N1": "#9ecae1", "N2": "#4292c6", "N3": "#084594", "R": "#b2182b"}
# From top to bottom, as hypnograms are drawn: REM beside wake.
_HEIGHTS = {"W": 4, "R": 3, "N1": 2, "N2": 1, "N3": 0}
_MINUTES = EPOCH / 60


@dataclass(frozen=True)
class Summary:
    """Numbers of a night, in minutes; None where it does not come to that.

    Attributes:
        minutes: Of each stage.
        asleep: Total sleep time.
        efficiency: Share of the recording that is sleep.
        sleep_latency: From the beginning to the first epoch of sleep.
        rem_latency: From there to the first epoch of REM.
    """

    minutes: dict[str, float]
    asleep: float
    efficiency: float
    sleep_latency: float | None
    rem_latency: float | None


def summary(stage: Int[np.ndarray, " epoch"]) -> Summary:
    """Of stages epoch by epoch; epochs of unknown stage are neither."""
    counts = np.bincount(stage[stage != UNKNOWN], minlength=len(STAGES))
    minutes = {name: float(count * _MINUTES) for name, count in zip(STAGES, counts, strict=True)}
    sleeping, rem = np.flatnonzero(stage > 0), np.flatnonzero(stage == STAGES.index("R"))
    asleep = len(sleeping) * _MINUTES
    first = float(sleeping[0] * _MINUTES) if len(sleeping) else None
    until_rem = None if first is None or not len(rem) else float(rem[0] * _MINUTES - first)
    return Summary(minutes, asleep, asleep / max(counts.sum() * _MINUTES, _MINUTES), first, until_rem)


def hypnogram(
    probabilities: Float[np.ndarray, "epoch stage"],
    *,
    title: str = "",
    scored: Int[np.ndarray, " epoch"] | None = None,
) -> Figure:
    """The most probable stage over time, the probabilities of all below it, and a scorer's stages above where known."""
    said = probabilities.argmax(1)
    hours = np.arange(len(said) + 1) * EPOCH / 3600
    known = scored is not None and (scored != UNKNOWN).any()
    figure = new_figure(220, 110 if known else 85)
    figure.set_layout_engine("constrained")
    axes = figure.subplots(3 if known else 2, 1, sharex=True, height_ratios=[1, 1, 0.8] if known else [1, 0.8])
    if known and scored is not None:
        _steps(axes[0], scored, hours, "scored")
    _steps(axes[-2], said, hours, "model")
    bottom = np.zeros(len(said))
    for name in ("N3", "N2", "N1", "R", "W"):
        part = probabilities[:, STAGES.index(name)]
        axes[-1].fill_between(
            hours, np.append(bottom, bottom[-1]), np.append(bottom + part, (bottom + part)[-1]),
            step="post", color=COLOURS[name], linewidth=0, label=name,
        )  # fmt: skip
        bottom = bottom + part
    axes[-1].set_ylim(0, 1)
    axes[-1].set_ylabel("probability", fontsize=8)
    axes[-1].set_xlabel("hours from the beginning of the recording", fontsize=8)
    axes[-1].set_xlim(0, hours[-1])
    handles, labels = axes[-1].get_legend_handles_labels()
    figure.legend(handles[::-1], labels[::-1], loc="outside right center", frameon=False, fontsize=8)
    for one in axes:
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    axes[0].set_title(title, fontsize=9, loc="left")
    return figure


def _steps(axes: Axes, stage: Int[np.ndarray, " epoch"], hours: Float[np.ndarray, " edge"], name: str) -> None:
    """A line of steps, with a coloured bar at each stage's height; gaps where the stage is not known."""
    height = np.array([_HEIGHTS[STAGES[one]] if one != UNKNOWN else np.nan for one in stage.tolist()])
    axes.step(hours, np.append(height, height[-1]), where="post", color="#555555", linewidth=0.7)
    for one, colour in COLOURS.items():
        here = np.flatnonzero(stage == STAGES.index(one))
        axes.hlines(np.full(len(here), _HEIGHTS[one]), hours[here], hours[here + 1], color=colour, linewidth=4)
    axes.set_yticks(list(_HEIGHTS.values()), list(_HEIGHTS))
    axes.set_ylim(-0.5, 4.5)
    axes.set_ylabel(name, fontsize=8)
