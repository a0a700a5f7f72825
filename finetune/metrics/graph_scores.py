"""What a row of the table is worth to somebody who knows the ontology: near misses count for something."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64

from finetune.diagnosis.result import GraphScores, Metric
from finetune.diagnosis.summary import Run, metric
from finetune.metrics.challenge import Weights, challenge_score
from finetune.metrics.decided import Decided
from finetune.metrics.hierarchical import error_distance, hierarchical_scores
from finetune.metrics.ranking import best_thresholds
from finetune.protocols import Role, Task
from ontology.graph import ConceptGraph


def graph_scores(
    run: Run, task: Task, graph: ConceptGraph, draws: Float64[np.ndarray, "row draws"], weights: Weights
) -> GraphScores:
    """Hierarchical scores, the distance of errors and the challenge score of a row, from scores to named concepts.

    Each seed has thresholds of its own, those of largest F1 on validation (`metrics.best_thresholds`). A concept that
    validation has no positive of is never named. All concepts of the task are judged, also those too rare to be ranked
    on their own: a rare finding that is missed is missed.

    Args:
        run: Scores of validation and test records.
        task: Labels, which hold the is-a ancestors of what is stated, and what is known of them.
        graph: Where ancestors and distances are.
        draws: Of the test records (`bootstrap.subject_weights`).
        weights: Of the challenge score.
    """
    validation, test = task.rows[Role.VALIDATION], task.rows[Role.TEST]
    decided = [
        Decided.of(
            scores >= best_thresholds(watched, task.labels[validation], task.known[validation]),
            task.labels[test],
            task.concepts,
            known=task.known[test],
            draws=draws,
        )
        for watched, scores in zip(run.validation, run.scores, strict=True)
    ]
    hierarchical = [hierarchical_scores(one, graph) for one in decided]
    distances = [error_distance(one, graph) for one in decided]
    challenge = None
    if any(weights.index(concept) is not None for concept in task.concepts):
        challenge = _metric([challenge_score(one, weights) for one in decided], lowest=-math.inf)
    return GraphScores(
        precision=_metric([one.precision for one in hierarchical]),
        recall=_metric([one.recall for one in hierarchical]),
        f1=_metric([one.f1 for one in hierarchical]),
        edges_per_error=_metric([one.per_error for one in distances], highest=math.inf),
        edges_per_record=_metric([one.per_record for one in distances], highest=math.inf),
        challenge=challenge,
    )


def _metric(values: Sequence[Float64[np.ndarray, " draws"]], *, lowest: float = 0.0, highest: float = 1.0) -> Metric:
    return metric(np.stack(values), lowest=lowest, highest=highest)
