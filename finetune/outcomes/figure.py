"""What was predicted and what came: a scatter of numbers, or survival by third of risk."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from matplotlib.transforms import blended_transform_factory

from biosig.plot.output import new_figure
from finetune.metrics.bootstrap import subject_weights
from finetune.metrics.survival import at_risk, kaplan_meier
from finetune.outcomes.fit import Outcome
from finetune.outcomes.summary import THIRDS, third
from finetune.outcomes.target import Kind
from finetune.protocols import Role

# Told apart by the colour-blind, and by shade on a grey printer.
COLOURS = ("#56b4e9", "#0072b2", "#d55e00")
_INK, _RULE = "#222222", "#9a9a9a"
_DRAWS = 400
_MARKS = 6


def figure(outcome: Outcome) -> Figure:
    """Of the test side, by the row that is handed on."""
    return _survival(outcome) if outcome.task.target.kind is Kind.SURVIVAL else _scatter(outcome)


def _scatter(outcome: Outcome) -> Figure:
    """Predicted against true, the line where they are equal, and how near 90 % of validation lies to it."""
    task, width = outcome.task, outcome.result.halfwidth
    true, said = task.target.values[task.rows[Role.TEST]], outcome.run.test[0]
    low, high = float(min(true.min(), said.min())), float(max(true.max(), said.max()))
    room = 0.05 * (high - low)
    ends = np.array([low - room, high + room])
    drawn = new_figure(105, 105)
    drawn.set_layout_engine("constrained")
    axes = drawn.add_subplot()
    axes.plot(ends, ends, color=_RULE, linewidth=1, zorder=1)
    if width is not None:
        label = "90 % of validation lies so near to what is predicted"
        axes.fill_betweenx(ends, ends - width, ends + width, color="#0072b2", alpha=0.10, linewidth=0, label=label)
        axes.legend(frameon=False, fontsize=7, loc="upper left")
    axes.scatter(true, said, s=14, color="#0072b2", alpha=0.6, linewidths=0, zorder=2)
    axes.set_xlim(*ends)
    axes.set_ylim(*ends)
    axes.set_aspect("equal")
    unit = f", {task.target.unit}" if task.target.unit else ""
    name = task.target.name.replace("_", " ")
    axes.set_xlabel(f"{name}{unit}")
    axes.set_ylabel(f"{name}, predicted{unit}")
    axes.set_title(f"{outcome.result.corpus}, {len(true):,} test records: {outcome.run.name}", fontsize=8, loc="left")
    _quiet(axes)
    return drawn


def _survival(outcome: Outcome) -> Figure:
    """Kaplan-Meier curves of the thirds of risk with 95 % bands over subjects, and who is still watched."""
    task, risk = outcome.task, outcome.predictor.config.risk
    assert risk is not None, "survival has a scale of risk"
    rows = task.rows[Role.TEST]
    time, event = task.target.values[rows], task.target.event[rows]
    which = third(outcome.run.test[0], risk.cuts)
    weights = subject_weights(task.subjects[rows], n_draws=_DRAWS)
    drawn = new_figure(150, 110)
    drawn.set_layout_engine("constrained")
    axes = drawn.add_subplot()
    end = float(time.max())
    marks = np.array([mark for mark in MaxNLocator(_MARKS).tick_values(0, end) if 0 <= mark <= end])
    counts = []
    for number in reversed(range(len(THIRDS))):
        part = which == number
        if not part.any():
            continue
        curve = kaplan_meier(time[part], event[part], weights[part])
        times = np.concatenate([[0.0], curve.times, [float(time[part].max())]])
        share = np.vstack(
            [
                np.ones(weights.shape[1]),
                curve.surviving,
                curve.surviving[-1:] if len(curve.times) else np.ones((1, weights.shape[1])),
            ]
        )
        low, high = np.quantile(share[:, 1:], (0.025, 0.975), axis=1)
        colour, label = COLOURS[number], f"{THIRDS[number]} third of risk"
        axes.fill_between(times, low, high, step="post", color=colour, alpha=0.15, linewidth=0)
        axes.step(times, share[:, 0], where="post", color=colour, linewidth=1.6, label=label)
        counts.append((colour, at_risk(time[part], marks)))
    axes.set_ylim(0, 1.02)
    axes.set_xlim(0, end)
    axes.set_ylabel(f"share without {task.target.name!r}", fontsize=8)
    axes.set_xticks(marks, [f"{mark:.3g}" for mark in marks])
    # Below the axis, under each time, how many are left.
    below = blended_transform_factory(axes.transData, axes.transAxes)
    axes.set_xlabel(f"{task.target.unit}, and how many are still watched", fontsize=8, labelpad=4 + 12 * len(counts))
    for line, (colour, row) in enumerate(counts):
        for mark, count in zip(marks, row, strict=True):
            height = -0.10 - 0.045 * line
            axes.text(mark, height, f"{count:,}", transform=below, ha="center", va="top", fontsize=7, color=colour)
    axes.legend(frameon=False, fontsize=8, loc="lower left")
    title = f"{outcome.result.corpus}, {len(time):,} test records: {outcome.run.name}; bands: 95 % over subjects"
    axes.set_title(title, fontsize=8, loc="left")
    _quiet(axes)
    return drawn


def _quiet(axes: Axes) -> None:
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(colors=_INK, labelsize=8)
