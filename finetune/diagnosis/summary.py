"""From scores of test records to rows with intervals, and to paired differences between rows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Float64

from finetune.diagnosis.result import (
    ConceptScore,
    Difference,
    Drop,
    Encoder,
    Estimate,
    GraphScores,
    Metric,
    Protocol,
    Row,
)
from finetune.metrics.bootstrap import Interval, Kind, interval, seed_interval
from finetune.metrics.ranking import macro, rank_metrics
from finetune.protocols import Role, Task


@dataclass
class Run:
    """The scores of one row of the table before they are summarised.

    Attributes:
        encoder: Whose features.
        protocol: How scored.
        fraction: Of the training labels.
        seeds: One a repetition.
        scores: `(test record, concept)` for each seed, over all concepts of the task.
        validation: The same of validation records, which choose thresholds.
        train_rows: The labelled rows that were used, for each seed.
        details: What was chosen, for the result.
        seconds: Wall time.
        inside: As `scores`, in an external validation, of the training store's own test records.
    """

    encoder: Encoder
    protocol: Protocol
    fraction: float | None = None
    seeds: list[int] = field(default_factory=list)
    scores: list[Float[np.ndarray, "row concept"]] = field(default_factory=list)
    validation: list[Float[np.ndarray, "row concept"]] = field(default_factory=list)
    train_rows: list[np.ndarray] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0
    inside: list[Float[np.ndarray, "row concept"]] = field(default_factory=list)


@dataclass(frozen=True)
class Draws:
    """Every draw of a run's metrics: `(seed, concept, draws)`; the first draw is the sample itself."""

    run: Run
    auroc: Float64[np.ndarray, "seed concept draws"]
    auprc: Float64[np.ndarray, "seed concept draws"]

    def macro_auroc(self) -> Float64[np.ndarray, "seed draws"]:
        """Macro AUROC of each seed."""
        return np.stack([macro(values) for values in self.auroc])

    def macro_auprc(self) -> Float64[np.ndarray, "seed draws"]:
        """Macro AUPRC of each seed."""
        return np.stack([macro(values) for values in self.auprc])


def bootstrap_run(run: Run, task: Task, weights: Float64[np.ndarray, "row draws"]) -> Draws:
    """The metrics of the scored concepts in every draw; `weights` are of the test rows (`subject_weights`)."""
    test = task.rows[Role.TEST]
    labels, known = task.labels[test][:, task.scored], task.known[test][:, task.scored]
    found = [rank_metrics(scores[:, task.scored], labels, known, weights) for scores in run.scores]
    return Draws(run, np.stack([scores.auroc for scores in found]), np.stack([scores.auprc for scores in found]))


def summarise(draws: Draws, task: Task, graph: GraphScores | None = None) -> Row:
    """One line of the table; `graph` are its scores that know the ontology."""
    run = draws.run
    concepts = [concept for concept, scored in zip(task.concepts, task.scored, strict=True) if scored]
    defined = ~np.isnan(draws.auroc[:, :, 0]).any(0)
    return Row(
        encoder=run.encoder,
        protocol=run.protocol,
        fraction=run.fraction,
        seeds=tuple(run.seeds),
        train_records=tuple(len(rows) for rows in run.train_rows),
        train_subjects=tuple(task.n_subjects(rows) for rows in run.train_rows),
        auroc=metric(draws.macro_auroc()),
        auprc=metric(draws.macro_auprc(), Kind.REVERSED),
        n_concepts=int(defined.sum()),
        n_undefined=int((~defined).sum()),
        concepts=tuple(
            ConceptScore(
                concept=concept,
                auroc=estimate(interval(draws.auroc[:, column].mean(0))),
                auprc=estimate(interval(draws.auprc[:, column].mean(0), Kind.REVERSED)),
            )
            for column, concept in enumerate(concepts)
        ),
        graph=graph,
        details=run.details,
        seconds=round(run.seconds, 2),
    )


def differences(all_draws: Sequence[Draws]) -> list[Difference]:
    """The pretrained encoder less each rival at the same fraction, draw by draw and seed by seed.

    A probe is compared with the random encoder's probe, with training from scratch and with the other model's probe;
    what was adapted with those and with the pretrained probe, and with the other model adapted alike; zero-shot with
    the random encoder and the other model. A row of one seed (the probe with all labels, which has no chance in it) is
    set against every seed of the other. Only concepts that both rows score are compared.
    """
    return [
        Difference(
            protocol=ours.run.protocol,
            rival=other.run.encoder,
            rival_protocol=other.run.protocol,
            fraction=ours.run.fraction,
            auroc=metric(_macro_difference(ours.auroc, other.auroc), lowest=-1.0),
            auprc=metric(_macro_difference(ours.auprc, other.auprc), Kind.REVERSED, lowest=-1.0),
        )
        for ours in all_draws
        for other in all_draws
        if ours.run.encoder is Encoder.PRETRAINED and other is not ours and _comparable(ours.run, other.run)
    ]


def _comparable(ours: Run, other: Run) -> bool:
    if other.fraction != ours.fraction:
        return False
    if other.encoder is Encoder.OTHER:
        return other.protocol is ours.protocol
    if ours.fraction is None:
        return other.protocol is ours.protocol
    rivals = {(Encoder.RANDOM, Protocol.PROBE), (Encoder.SCRATCH, Protocol.SUPERVISED)}
    if ours.protocol is not Protocol.PROBE:
        rivals.add((Encoder.PRETRAINED, Protocol.PROBE))
    return (other.encoder, other.protocol) in rivals


def drop(outside: Draws, inside: Draws) -> Drop:
    """A row on the other store less the same row on the training store's own test side.

    The two sides are different people, so their draws are independent; both are over the same concepts.
    """
    return Drop(
        encoder=outside.run.encoder,
        protocol=outside.run.protocol,
        fraction=outside.run.fraction,
        n_concepts=int((~np.isnan(inside.auroc[:, :, 0]).any(0)).sum()),
        inside=metric(inside.macro_auroc()),
        outside=metric(outside.macro_auroc()),
        change=metric(outside.macro_auroc() - inside.macro_auroc(), lowest=-1.0),
    )


def metric(
    values: Float64[np.ndarray, "seed draws"],
    kind: Kind = Kind.PERCENTILE,
    *,
    lowest: float = 0.0,
    highest: float = 1.0,
) -> Metric:
    """Point, interval over subjects, and interval over subjects and seeds.

    Args:
        values: The metric of each seed in each draw, the sample first.
        kind: How draws become an interval.
        lowest: The least that the metric can be.
        highest: The most.
    """
    seeds = seed_interval(values, kind)
    return Metric(
        subjects=estimate(interval(values.mean(0), kind), lowest=lowest, highest=highest),
        subjects_and_seeds=None if seeds is None else estimate(seeds, lowest=lowest, highest=highest),
        by_seed=tuple(number(value) for value in values[:, 0]),
    )


def estimate(found: Interval, *, lowest: float = 0.0, highest: float = 1.0) -> Estimate:
    """An interval for the result file, which has null for NaN, kept within what a metric or a difference can be."""
    value, low, high = (number(float(np.clip(x, lowest, highest))) for x in (found.value, found.low, found.high))
    return Estimate(value=value, low=low, high=high, sample=number(found.sample))


def number(value: float) -> float | None:
    """A finite number, or null."""
    return float(value) if math.isfinite(value) else None


def _macro_difference(
    ours: Float64[np.ndarray, "seed concept draws"], other: Float64[np.ndarray, "seed concept draws"]
) -> Float64[np.ndarray, "seed draws"]:
    n_seeds = max(len(ours), len(other))
    if {len(ours), len(other)} - {1, n_seeds}:
        raise ValueError(f"expected the same seeds or one, got {len(ours)} and {len(other)}")
    gaps = np.broadcast_to(ours, (n_seeds, *ours.shape[1:])) - np.broadcast_to(other, (n_seeds, *other.shape[1:]))
    return np.stack([macro(gap) for gap in gaps])
