"""The reliability diagram, and the errors that are left if only the surest answers are given."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finetune.diagnosis.result import Silence, Trust

_STYLES = {"none": ("#8f8f8f", "s"), "temperature": ("#d9822b", "^"), "vector": ("#0b5c8a", "o")}
#: The scalings in words.
SCALINGS = {"none": "as the probe says", "temperature": "one temperature", "vector": "a scale for each concept"}
_RULE, _INK = "#d8d8d8", "#222222"


def trust_figure(trust: Trust) -> Figure:
    """Left: share of positives against the probability that was said. Right: errors against questions answered."""
    figure = Figure(figsize=(7.4, 3.5), layout="constrained")
    left, right = figure.subplots(1, 2)
    _reliability(left, trust)
    _silence(right, trust.silence)
    return figure


def _reliability(axes: Axes, trust: Trust) -> None:
    axes.plot([0, 1], [0, 1], color=_INK, linewidth=0.9, linestyle=(0, (1, 2)), label="as it should be")
    for one in trust.calibrated:
        colour, marker = _STYLES[one.scaling]
        axes.plot(
            one.diagram.said,
            one.diagram.happened,
            color=colour,
            marker=marker,
            markersize=4,
            linewidth=1.3,
            label=SCALINGS[one.scaling],
        )
    axes.set(xlabel="probability said", ylabel="share that had the finding", xlim=(0, 1), ylim=(0, 1))
    axes.set_aspect("equal")
    _legend(axes)
    _quiet(axes)


def _silence(axes: Axes, silence: Silence) -> None:
    axes.plot(silence.coverage, silence.risk, color=_STYLES["vector"][0], linewidth=1.6, label="surest answers first")
    axes.axhline(silence.error, color=_INK, linewidth=0.9, linestyle=(0, (1, 2)), label="in random order")
    axes.set(xlabel="share of the questions answered", ylabel="share of the answers wrong", xlim=(0, 1))
    axes.set_ylim(bottom=0)
    _legend(axes)
    _quiet(axes)


def _legend(axes: Axes) -> None:
    """Above the panel: within it a curve may go anywhere."""
    axes.legend(frameon=False, fontsize=7.5, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.3)


def _quiet(axes: Axes) -> None:
    axes.grid(color=_RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=8)
