"""The figures of the report that are drawn from numbers alone: learning curves, and AUROC by concept."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from finetune.diagnosis.result import Encoder, Estimate, Evaluation, Metric, Protocol, Row

#: Told apart by colour, by shade on a grey printer, and by marker.
COLOURS = {
    Encoder.PRETRAINED: "#0b5c8a",
    Encoder.OTHER: "#4c9a6a",
    Encoder.RANDOM: "#8f8f8f",
    Encoder.SCRATCH: "#d9822b",
}
MARKERS = {Encoder.PRETRAINED: "o", Encoder.OTHER: "v", Encoder.RANDOM: "s", Encoder.SCRATCH: "^"}
NAMES = {
    Encoder.PRETRAINED: "pretrained",
    Encoder.OTHER: "other model",
    Encoder.RANDOM: "random encoder",
    Encoder.SCRATCH: "supervised from scratch",
}
#: Of what was adapted, which has the colour of its encoder and a broken line.
_ADAPTED_MARKERS: dict[Protocol | None, str] = {Protocol.LORA: "D", Protocol.LAST: "P", Protocol.FULL: "*"}
ZERO_SHOT = (Protocol.ZERO_SHOT_SENTENCES, Protocol.ZERO_SHOT_CONCEPTS)
_RULE, _INK = "#d8d8d8", "#222222"


def label_protocol(encoder: Encoder) -> Protocol:
    """How an encoder uses labels: from scratch all weights are trained, otherwise a probe is."""
    return Protocol.SUPERVISED if encoder is Encoder.SCRATCH else Protocol.PROBE


def learning_curves(evaluation: Evaluation) -> Figure:
    """Macro AUROC against the share of labels, with intervals; at the left zero-shot, which uses no label."""
    protocols = [protocol for protocol in ZERO_SHOT if any(row.protocol is protocol for row in evaluation.rows)]
    fractions = sorted({row.fraction for row in evaluation.rows if row.fraction is not None})
    figure = Figure(figsize=(7.4, 3.7), layout="constrained")
    axes = figure.add_subplot()
    names = dict.fromkeys((row.encoder, row.protocol) for row in evaluation.rows if row.fraction is not None)
    series: list[tuple[Encoder, Protocol | None]] = sorted(names, key=lambda name: list(NAMES).index(name[0])) or [
        (encoder, None) for encoder in dict.fromkeys(row.encoder for row in evaluation.rows)
    ]
    drawn = set[Encoder]()
    for place, (encoder, used) in enumerate(series):
        shift = 0.07 * (place - (len(series) - 1) / 2)
        if encoder not in drawn:
            for at, protocol in enumerate(protocols):
                _points(axes, encoder, used, [(at + shift, evaluation.row(encoder, protocol, None))])
        drawn.add(encoder)
        if used is not None:
            curve = [
                (len(protocols) + at + shift, evaluation.row(encoder, used, fraction))
                for at, fraction in enumerate(fractions)
            ]
            _points(axes, encoder, used, curve)

    ticks = [protocol.value.replace(", ", "\n") for protocol in protocols]
    for fraction in fractions:
        sizes = sorted({size for row in evaluation.rows if row.fraction == fraction for size in row.train_records})
        ticks.append(f"{100 * fraction:g} % of labels\n{span(sizes)} records")
    if protocols and fractions:
        axes.axvline(len(protocols) - 0.5, color=_RULE, linewidth=1)
    axes.set_xticks(range(len(ticks)), ticks)
    axes.set_xlim(-0.5, len(ticks) - 0.5)
    axes.set_ylabel("macro AUROC")
    _quiet(axes, "y")
    _chance(axes.axhline)
    _legend(figure, axes)
    return figure


def concept_intervals(evaluation: Evaluation) -> Figure:
    """AUROC of every scored concept with its interval, best first, for all rows with most labels (or zero-shot)."""
    rows = _headline_rows(evaluation)
    counts = {count.concept: count for count in evaluation.concepts}
    lead = next(iter(rows.values()))
    order = sorted(lead.concepts, key=lambda score: score.auroc.value if score.auroc.value is not None else -1)
    figure = Figure(figsize=(7.4, 1.1 + 0.26 * len(order)), layout="constrained")
    axes = figure.add_subplot()
    for place, (encoder, row) in enumerate(rows.items()):
        by_concept = {score.concept: score.auroc for score in row.concepts}
        for height, score in enumerate(order):
            _bar(axes, encoder, height + 0.22 * (1 - place), by_concept[score.concept])
    axes.set_yticks(range(len(order)), [_shorten(counts[score.concept].term) for score in order])
    axes.set_ylim(-0.6, len(order) - 0.4)
    axes.set_xlim(right=1.005)
    for height, score in enumerate(order):
        if height % 2:
            axes.axhspan(height - 0.5, height + 0.5, color="#f5f5f5", linewidth=0, zorder=0)
        axes.annotate(
            f"{counts[score.concept].test_records:,}",
            (1.0, height),
            xycoords=("axes fraction", "data"),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            fontsize=8,
            color=_INK,
        )
    axes.annotate(
        "test records",
        (1.0, len(order) - 0.4),
        xycoords=("axes fraction", "data"),
        xytext=(6, 3),
        textcoords="offset points",
        fontsize=7.5,
        ha="center",
        color=_INK,
    )
    axes.set_xlabel("AUROC")
    _quiet(axes, "x")
    _chance(axes.axvline)
    _legend(figure, axes)
    return figure


def shown(metric: Metric) -> Estimate:
    """The widest honest interval: over subjects and seeds where there are seeds, else over subjects."""
    return metric.subjects_and_seeds or metric.subjects


def span(numbers: Sequence[int]) -> str:
    """The ends of sorted numbers, once if they are one."""
    return f"{numbers[0]:,}" if numbers[0] == numbers[-1] else f"{numbers[0]:,} to {numbers[-1]:,}"


def _headline_rows(evaluation: Evaluation) -> dict[Encoder, Row]:
    fractions = [row.fraction for row in evaluation.rows if row.fraction is not None]
    wanted: list[tuple[Encoder, Protocol, float | None]]
    if fractions:
        wanted = [(encoder, label_protocol(encoder), max(fractions)) for encoder in NAMES]
    else:
        protocol = next(protocol for protocol in ZERO_SHOT if any(row.protocol is protocol for row in evaluation.rows))
        wanted = [(encoder, protocol, None) for encoder in NAMES]
    found = {name[0]: evaluation.row(*name) for name in wanted}
    return {encoder: row for encoder, row in found.items() if row is not None}


def _points(axes: Axes, encoder: Encoder, protocol: Protocol | None, points: list[tuple[float, Row | None]]) -> None:
    there = [(at, _three(shown(row.auroc))) for at, row in points if row is not None and row.n_concepts]
    if not there:
        return
    axes.plot(
        [at for at, _ in there],
        [value for _, (value, _, _) in there],
        color=COLOURS[encoder],
        marker=_ADAPTED_MARKERS.get(protocol, MARKERS[encoder]),
        markersize=5.5,
        linewidth=1.6,
        linestyle="--" if protocol in _ADAPTED_MARKERS else "-",
        label=f"{NAMES[encoder]}, {protocol.value}" if protocol and protocol in _ADAPTED_MARKERS else NAMES[encoder],
        zorder=3,
    )
    for at, (_, low, high) in there:
        axes.vlines(at, low, high, color=COLOURS[encoder], linewidth=1.6, zorder=2)


def _bar(axes: Axes, encoder: Encoder, height: float, estimate: Estimate) -> None:
    value, low, high = _three(estimate)
    axes.hlines(height, low, high, color=COLOURS[encoder], linewidth=2.2, alpha=0.55, zorder=2)
    axes.plot(
        [value],
        [height],
        color=COLOURS[encoder],
        marker=MARKERS[encoder],
        markersize=4.2,
        linewidth=0,
        label=NAMES[encoder],
        zorder=3,
    )


def _three(estimate: Estimate) -> tuple[float, float, float]:
    """Value and interval; matplotlib leaves NaN blank."""
    value, low, high = (math.nan if x is None else x for x in (estimate.value, estimate.low, estimate.high))
    return value, low, high


def _chance(line: Callable[..., Line2D]) -> None:
    line(0.5, color=_INK, linewidth=0.9, linestyle=(0, (1, 2)), zorder=1, label="chance")


def _quiet(axes: Axes, grid: Literal["x", "y"]) -> None:
    axes.grid(axis=grid, color=_RULE, linewidth=0.6, zorder=0)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left" if grid == "y" else "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=8.5)


def _legend(figure: Figure, axes: Axes) -> None:
    handles, labels = axes.get_legend_handles_labels()
    once = dict(zip(labels, handles, strict=True))
    figure.legend(list(once.values()), list(once), loc="outside upper left", ncols=4, frameon=False, fontsize=8.5)


def _shorten(text: str, length: int = 44) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
