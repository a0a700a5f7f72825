"""The pictures of a card: calibration, concepts and groups with their intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from finetune.card.contents import Contents
from finetune.diagnosis.result import Estimate

_OURS, _OTHERS, _RULE, _INK = "#0b5c8a", "#d9822b", "#d8d8d8", "#222222"
_LONGEST = 44


def calibration(contents: Contents) -> Figure:
    """The share that had a finding against the probability that was said, and how many said it."""
    figure = Figure(figsize=(7.4, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1, 1.1))
    diagram = contents.diagram
    left.plot([0, 1], [0, 1], color=_INK, linewidth=0.9, linestyle=(0, (1, 2)), label="as it should be")
    left.plot(diagram.said, diagram.happened, color=_OURS, marker="o", markersize=4, linewidth=1.3, label="test side")
    left.set(xlabel="probability said", ylabel="share that had the finding", xlim=(0, 1), ylim=(0, 1))
    left.set_aspect("equal")
    left.legend(frameon=False, fontsize=7.5, loc="upper left")
    right.bar(diagram.said, diagram.count, width=0.045, color=_OURS)
    right.set(xlabel="probability said", ylabel="records times concepts", xlim=(0, 1), yscale="log")
    for axes in (left, right):
        _quiet(axes, "both")
    return figure


def concepts(contents: Contents) -> Figure:
    """The AUROC of each concept with its interval, best first."""
    order = sorted(contents.scores, key=lambda one: -1.0 if one.auroc.value is None else one.auroc.value)
    names = [f"{_short(one.term)}  ({one.test_records:,})" for one in order]
    return _forest(names, [(one.auroc, None) for one in order], "AUROC (test records with it)")


def subgroups(contents: Contents) -> Figure:
    """The macro AUROC of each group, and of everybody else on the same concepts."""
    order = list(reversed(contents.groups))
    names = [f"{one.attribute.value}: {_short(one.name)}  ({one.subjects:,})" for one in order]
    figure = _forest(names, [(one.auroc, one.others) for one in order], "macro AUROC (people)")
    handles, labels = figure.axes[0].get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    if once:
        figure.legend(list(once.values()), list(once), loc="outside upper left", ncols=2, frameon=False, fontsize=8.5)
    return figure


def _forest(names: Sequence[str], rows: Sequence[tuple[Estimate, Estimate | None]], label: str) -> Figure:
    figure = Figure(figsize=(7.4, 1.0 + 0.27 * max(len(names), 2)), layout="constrained")
    axes = figure.add_subplot()
    for height, (ours, others) in enumerate(rows):
        if height % 2:
            axes.axhspan(height - 0.5, height + 0.5, color="#f5f5f5", linewidth=0, zorder=0)
        apart = 0.0 if others is None else 0.16
        _bar(axes, height + apart, ours, others=False)
        if others is not None:
            _bar(axes, height - apart, others, others=True)
    axes.set_yticks(range(len(names)), names, parse_math=False)
    axes.set_ylim(-0.6, len(names) - 0.4)
    axes.set_xlim(right=1.005)
    axes.axvline(0.5, color=_INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1)
    axes.set_xlabel(label)
    _quiet(axes, "x")
    return figure


def _bar(axes: Axes, height: float, estimate: Estimate, *, others: bool) -> None:
    colour, marker = (_OTHERS, "s") if others else (_OURS, "o")
    label = "everybody else, same findings" if others else "the group"
    value, low, high = (math.nan if x is None else x for x in (estimate.value, estimate.low, estimate.high))
    if math.isnan(value):
        return
    axes.hlines(height, low, high, color=colour, linewidth=2.2, alpha=0.55, zorder=2)
    axes.plot([value], [height], color=colour, marker=marker, markersize=4.4, linewidth=0, label=label, zorder=3)


def _quiet(axes: Axes, grid: str) -> None:
    axes.grid(axis=grid, color=_RULE, linewidth=0.6, zorder=0)  # type: ignore[arg-type]  # one of three words
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=8.5)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
