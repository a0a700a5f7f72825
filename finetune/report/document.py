"""One self-contained page: what was asked, what came out, with what certainty, and what it does not say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from biosig.whole import write_text
from finetune.diagnosis.result import (
    ADAPTED,
    ConceptScore,
    Difference,
    Encoder,
    Estimate,
    Evaluation,
    Protocol,
    Row,
    Severity,
)
from finetune.report.figures import (
    COLOURS,
    NAMES,
    ZERO_SHOT,
    concept_intervals,
    label_protocol,
    learning_curves,
    shown,
    span,
)
from finetune.report.page import bracket, decimal, picture, render
from finetune.trust.figures import trust_figure

RIVALS = (Encoder.OTHER, Encoder.RANDOM, Encoder.SCRATCH)
GRAPH = {
    "f1": "hierarchical F1",
    "precision": "precision",
    "recall": "recall",
    "edges_per_error": "edges an error is off",
    "challenge": "challenge score",
}
"""The fields of `GraphScores` that are shown, and what they are called."""
_BARE = ("precision", "recall")
#: The encoders that come pretrained, and may be adapted.
TAUGHT = (Encoder.PRETRAINED, Encoder.OTHER)


@dataclass(frozen=True)
class Named:
    """A concept of the example record: its probability, the threshold validation chose, and the truth."""

    term: str
    probability: float
    threshold: float
    predicted: bool
    true: bool | None


@dataclass(frozen=True)
class Example:
    """A test record with what the pretrained probe says of it.

    Attributes:
        record: Its name.
        caption: Age, sex and how it was chosen.
        report: The clinical text, as it stands.
        named: Concepts that are predicted or true, the most probable first.
        figure: The record on ECG paper.
    """

    record: str
    caption: str
    report: str
    named: Sequence[Named]
    figure: Figure


@dataclass(frozen=True)
class Map:
    """A picture of the test side's features in two dimensions, and how it was made."""

    figure: Figure
    method: str


@dataclass(frozen=True)
class Line:
    """A row of the table as it is shown; `group` says what it shares with its rivals, `graph` goes with `GRAPH`."""

    group: str
    fraction: float | None
    encoder: str
    colour: str
    auroc: str
    auroc_subjects: str
    auroc_seeds: str
    auprc: str
    auprc_subjects: str
    gap: str
    gap_interval: str
    graph: tuple[tuple[str, str], ...]
    first_of_group: bool
    ours: bool


@dataclass(frozen=True)
class Pair:
    """Two rows, and what is between them in the same draws: what, value, interval."""

    what: str
    value: str
    interval: str


def write_report(
    evaluation: Evaluation, path: Path, *, example: Example | None = None, map_: Map | None = None
) -> None:
    """Write `report.html`: no other file, no script, no network; every text of the data is escaped.

    Args:
        evaluation: The numbers.
        path: Where to.
        example: A record on ECG paper, if the model could be probed.
        map_: The embedding map.
    """
    page = render(
        "report/report.html.jinja",
        e=evaluation,
        headline=headline(evaluation),
        lines=lines(evaluation),
        pairs=adapted_pairs(evaluation),
        drops=drop_lines(evaluation),
        graph_titles=list(GRAPH.values()),
        curves=picture(learning_curves(evaluation), "svg"),
        by_concept=picture(concept_intervals(evaluation), "svg"),
        example=example,
        ecg=picture(example.figure, "png") if example else "",
        map=map_,
        map_picture=picture(map_.figure, "png") if map_ else "",
        refusals=[finding.text for finding in evaluation.findings if finding.severity is Severity.REFUSAL],
        warnings=[finding.text for finding in evaluation.findings if finding.severity is Severity.WARNING],
        notes=[finding.text for finding in evaluation.findings if finding.severity is Severity.NOTE],
        terms={count.concept: count.term for count in evaluation.concepts},
        auprc={score.concept: score.auprc for score in _most_labels(evaluation)},
        trust_picture=picture(trust_figure(evaluation.trust), "svg") if evaluation.trust else "",
    )
    write_text(path, page)


def lines(evaluation: Evaluation) -> list[Line]:
    """The table: zero-shot first, then each label fraction with its rivals."""
    fractions = sorted({row.fraction for row in evaluation.rows if row.fraction is not None})
    groups: list[list[tuple[Encoder, Protocol, float | None]]] = []
    groups += [[(encoder, protocol, None) for encoder in NAMES] for protocol in ZERO_SHOT]
    groups += [
        [
            (encoder, protocol, fraction)
            for encoder in NAMES
            for protocol in (label_protocol(encoder), *(ADAPTED.values() if encoder in TAUGHT else ()))
        ]
        for fraction in fractions
    ]
    shown_lines = []
    for group in groups:
        rows = [row for name in group if (row := evaluation.row(*name)) is not None]
        shown_lines += [_line(evaluation, row, first=row is rows[0]) for row in rows]
    return shown_lines


def adapted_pairs(evaluation: Evaluation) -> list[Pair]:
    """What was adapted less what it may be compared with, most labels first."""
    chosen = [gap for gap in evaluation.differences if gap.protocol in ADAPTED.values()]
    return [
        Pair(
            f"{gap.protocol.value} less {_named(gap.rival, gap.rival_protocol)}{_share(gap.fraction)}",
            *_number(shown(gap.auroc), sign=True),
        )
        for gap in sorted(chosen, key=lambda gap: -(gap.fraction or 0))
    ]


def drop_lines(evaluation: Evaluation) -> list[tuple[str, str, str, str]]:
    """Of an external validation, each row: its name, and macro AUROC inside, outside, and what is between them."""
    return [
        (
            _named(one.encoder, one.protocol) + _share(one.fraction),
            " ".join(_number(shown(one.inside))),
            " ".join(_number(shown(one.outside))),
            " ".join(_number(shown(one.change), sign=True)),
        )
        for one in evaluation.drops
    ]


def headline(evaluation: Evaluation) -> list[tuple[str, str, str]]:
    """Up to three numbers that answer the question: title, number, interval or comment."""
    fractions = sorted({row.fraction for row in evaluation.rows if row.fraction is not None})
    tiles = []
    for protocol in ZERO_SHOT:
        if (row := evaluation.row(Encoder.PRETRAINED, protocol, None)) is not None:
            tiles.append((f"AUROC, {protocol.value}", *_number(shown(row.auroc))))
            break
    probes = [
        (fraction, evaluation.row(Encoder.PRETRAINED, Protocol.PROBE, fraction))
        for fraction in dict.fromkeys([*fractions[:1], *fractions[-1:]])
    ]
    tiles += [
        (f"AUROC, probe, {100 * fraction:g} % of labels", *_number(shown(row.auroc)))
        for fraction, row in probes
        if row is not None
    ]
    gaps = [(rival, _gap(evaluation, rival, Protocol.PROBE, fractions[-1])) for rival in RIVALS if fractions]
    tiles += [
        (f"gain over {NAMES[rival]}, {100 * fractions[-1]:g} %", *_number(shown(gap.auroc), sign=True))
        for rival, gap in gaps
        if gap is not None
    ]
    return tiles


def _line(evaluation: Evaluation, row: Row, *, first: bool) -> Line:
    gap = None
    if row.encoder is not Encoder.PRETRAINED:
        ours = Protocol.PROBE if row.protocol is Protocol.SUPERVISED else row.protocol
        gap = _gap(evaluation, row.encoder, ours, row.fraction)
    return Line(
        group=row.protocol.value if row.fraction is None else f"{100 * row.fraction:g} % of labels: {_used(row)}",
        fraction=row.fraction,
        encoder=_who(row),
        colour=COLOURS[row.encoder],
        auroc=decimal(row.auroc.subjects.value),
        auroc_subjects=bracket(row.auroc.subjects),
        auroc_seeds=bracket(row.auroc.subjects_and_seeds) if row.auroc.subjects_and_seeds else _runs(row),
        auprc=decimal(row.auprc.subjects.value),
        auprc_subjects=bracket(row.auprc.subjects),
        gap="" if gap is None else decimal(shown(gap.auroc).value, sign=True),
        gap_interval="" if gap is None else bracket(shown(gap.auroc), sign=True),
        graph=_graph(row),
        first_of_group=first,
        ours=row.encoder is Encoder.PRETRAINED,
    )


def _graph(row: Row) -> tuple[tuple[str, str], ...]:
    """Value and interval of each score in `GRAPH`; precision and recall leave theirs to their F1."""
    found = {name: getattr(row.graph, name) for name in GRAPH} if row.graph else {}
    return tuple(
        ("–", "") if one is None else (decimal(one.subjects.value), "" if name in _BARE else bracket(one.subjects))
        for name, one in found.items()
    )


def _gap(evaluation: Evaluation, rival: Encoder, protocol: Protocol, fraction: float | None) -> Difference | None:
    wanted = (rival, protocol, fraction)
    return next((gap for gap in evaluation.differences if (gap.rival, gap.protocol, gap.fraction) == wanted), None)


def _number(estimate: Estimate, *, sign: bool = False) -> tuple[str, str]:
    return decimal(estimate.value, sign=sign), bracket(estimate, sign=sign)


def _most_labels(evaluation: Evaluation) -> Sequence[ConceptScore]:
    """The concepts of the pretrained probe that the thresholds are of."""
    fractions = [row.fraction for row in evaluation.rows if row.fraction is not None]
    row = evaluation.row(Encoder.PRETRAINED, Protocol.PROBE, max(fractions)) if fractions else None
    return () if row is None else row.concepts


def _who(row: Row) -> str:
    return _named(row.encoder, row.protocol)


def _share(fraction: float | None) -> str:
    return "" if fraction is None else f", {100 * fraction:g} % of labels"


def _named(encoder: Encoder, protocol: Protocol) -> str:
    said = protocol is not Protocol.SUPERVISED and protocol not in ZERO_SHOT
    return f"{NAMES[encoder]}{f', {protocol.value}' if said else ''}"


def _runs(row: Row) -> str:
    return "one run" if len(row.seeds) == 1 else f"{len(row.seeds)} runs"


def _used(row: Row) -> str:
    records, subjects = (span(sorted(counts)) for counts in (row.train_records, row.train_subjects))
    return f"{records} records of {subjects} subjects"
