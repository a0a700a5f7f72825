"""The figures of the report: every line with its interval, every subject, and what the encoders listen to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from finetune.emotion.metrics import Measure
from finetune.emotion.protocols import Access
from finetune.emotion.result import Line, Result

#: Told apart by colour, and by a filled or an open marker.
COLOURS = {Access.CAUSAL: "#0b5c8a", Access.TRANSDUCTIVE: "#d9822b"}
_RULE, _INK, _SOFT = "#d8d8d8", "#222222", "#8f8f8f"
WORDS = {
    Measure.ACCURACY: "accuracy",
    Measure.BALANCED_ACCURACY: "balanced accuracy",
    Measure.MACRO_F1: "macro F1",
    Measure.KAPPA: "Cohen's kappa",
    Measure.AUROC: "AUROC",
    Measure.AUROC_WITHIN: "AUROC within subjects",
}


def main_measure(result: Result) -> Measure:
    """The measure that figures and headline show: AUROC for two classes, else balanced accuracy."""
    return Measure.AUROC if len(result.classes) == 2 else Measure.BALANCED_ACCURACY


def chance_of(measure: Measure, n_classes: int) -> float | None:
    """What a model that knows nothing scores; None where it depends on the classes' shares."""
    match measure:
        case Measure.AUROC | Measure.AUROC_WITHIN:
            return 0.5
        case Measure.BALANCED_ACCURACY:
            return 1 / n_classes
        case Measure.KAPPA:
            return 0.0
        case _:
            return None


def intervals(result: Result) -> Figure:
    """Balanced accuracy and, for two classes, AUROC of every line, with intervals over subjects."""
    shown = [Measure.BALANCED_ACCURACY, *([Measure.AUROC] if len(result.classes) == 2 else [])]
    count = len(result.lines)
    figure = Figure(figsize=(9.2, 1.2 + 0.3 * count), layout="constrained")
    panels = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, measure in zip(panels, shown, strict=True):
        for place, line in enumerate(result.lines):
            _interval(axes, count - 1 - place, line, measure)
        chance = chance_of(measure, len(result.classes))
        if chance is not None:
            axes.axvline(chance, color=_SOFT, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
        axes.set_xlabel(f"{WORDS[measure]} (dashed: chance)", fontsize=9)
        _quiet(axes)
    panels[0].set_yticks(range(count), [line.title for line in reversed(result.lines)], fontsize=8.5)
    panels[0].set_ylim(-0.6, count - 0.4)
    handles = [
        Line2D([], [], color=COLOURS[one], marker="o", markerfacecolor=_face(one), linewidth=1.6, label=one.value)
        for one in Access
        if any(line.access is one for line in result.lines)
    ]
    figure.legend(handles=handles, loc="outside upper right", ncols=2, frameon=False, fontsize=9)
    return figure


def by_subject(result: Result) -> Figure:
    """The accuracy of every subject in every line: whether a mean is carried by a few."""
    people = sorted(result.lines[0].subjects, key=lambda one: _mean_accuracy(result.lines, one))
    figure = Figure(figsize=(9.2, 1.4 + 0.25 * len(result.lines)), layout="constrained")
    axes = figure.add_subplot()
    table = np.array([[line.subjects.get(one, np.nan) for one in people] for line in result.lines])
    image = axes.imshow(table, vmin=0, vmax=1, cmap="RdYlBu", aspect="auto", interpolation="nearest")
    labels = [f"{line.title}{' ◦' if line.access is Access.TRANSDUCTIVE else ''}" for line in result.lines]
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    crowded = len(people) > 30
    axes.set_xticks([] if crowded else range(len(people)), [] if crowded else people, rotation=90, fontsize=7)
    axes.set_xlabel("subjects, the hardest first (◦ transductive)", fontsize=9)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    figure.colorbar(image, ax=axes, label="accuracy", shrink=0.9, pad=0.01)
    return figure


def _interval(axes: Axes, height: int, line: Line, measure: Measure) -> None:
    estimate = line.metrics[measure].subjects
    if estimate.value is None:
        return
    colour = COLOURS[line.access] if line.trained else _SOFT
    if estimate.low is not None and estimate.high is not None:
        axes.plot([estimate.low, estimate.high], [height, height], color=colour, linewidth=1.6, solid_capstyle="butt")
    axes.plot(
        [estimate.value],
        [height],
        "o",
        markersize=5,
        color=colour,
        markerfacecolor=_face(line.access) if line.trained else _SOFT,
    )


def _face(access: Access) -> str:
    return COLOURS[access] if access is Access.CAUSAL else "white"


def _mean_accuracy(lines: Sequence[Line], person: str) -> float:
    return float(np.mean([line.subjects[person] for line in lines if line.trained and person in line.subjects] or [0]))


def _quiet(axes: Axes) -> None:
    axes.grid(axis="x", color=_RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color(_RULE)
    axes.tick_params(length=0, colors=_INK, labelsize=8.5)
