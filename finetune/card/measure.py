"""From a fitted diagnoser and its test side to the contents of its card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64, Int

from finetune.card.contents import Contents, Score
from finetune.card.groups import groups
from finetune.card.strange import strange
from finetune.diagnosis.diagnoser import Diagnoser
from finetune.diagnosis.facts import model_facts, side_facts, store_facts
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.result import Diagram, Estimate, Finding, SetCoverage
from finetune.diagnosis.selection import Selection
from finetune.diagnosis.shown import UNLIKE
from finetune.diagnosis.summary import estimate, number
from finetune.metrics.bootstrap import LEVEL, Kind, interval, subject_weights
from finetune.metrics.ranking import Scores, macro, rank_metrics
from finetune.protocols import Role, Task
from finetune.trust.conformal import coverage
from finetune.trust.reliability import brier, calibration_error, reliability
from pretrain.training.run import versions


@dataclass(frozen=True)
class Made:
    """A diagnoser and what it was made from.

    Attributes:
        diagnoser: Fitted and calibrated.
        folder: Of the model that it stands on.
        chosen: What it was fitted on.
        task: Its labels, of the diagnoser's concepts.
        logits: Of the head, a row for each row of the store.
        rows: That were trained on.
        findings: Of the audit.
    """

    diagnoser: Diagnoser
    folder: Path
    chosen: Selection
    task: Task
    logits: Float[np.ndarray, "row concept"]
    rows: Int[np.ndarray, " row"]
    findings: Sequence[Finding]


@dataclass(frozen=True)
class _Judged:
    """The test side: what was said, what is true, and the draws of its people."""

    said: Float64[np.ndarray, "row concept"]
    labels: Bool[np.ndarray, "row concept"]
    known: Bool[np.ndarray, "row concept"]
    weights: Float64[np.ndarray, "row draw"]


def measure(made: Made, *, least: int, draws: int) -> Contents:
    """What a diagnoser is worth on the test side, and to whom.

    Args:
        made: The diagnoser.
        least: People with and without a concept that a group needs.
        draws: Of the bootstrap over subjects.
    """
    diagnoser, store, task, logits = made.diagnoser, made.chosen.store, made.task, made.logits
    test = task.rows[Role.TEST]
    judged = _Judged(
        diagnoser.calibrated(logits[test]),
        task.labels[test],
        task.known[test],
        subject_weights(task.subjects[test], n_draws=draws),
    )
    ranks = rank_metrics(judged.said, judged.labels, judged.known, judged.weights)
    ece = calibration_error(judged.said, judged.labels, judged.known, judged.weights)
    positives = (judged.labels & judged.known).sum(0)
    curve = reliability(judged.said[judged.known], judged.labels[judged.known])
    facts = model_facts(diagnoser.model, made.folder)
    return Contents(
        name=f"{facts['name']} on {store.info.corpus.name}",
        modalities=tuple(kind.value for kind in diagnoser.model.config.intake.modalities),
        training=diagnoser.config.training | {"head": diagnoser.config.head},
        model=facts,
        store=store_facts(made.chosen) | {"url": store.info.corpus.url},
        sides=tuple(side_facts(task, Joined((store,)), role) for role in Role),
        findings=tuple(made.findings),
        auroc=estimate(interval(macro(ranks.auroc))),
        auprc=estimate(interval(macro(ranks.auprc), Kind.REVERSED)),
        prevalence=float(np.mean(positives / judged.known.sum(0))),
        brier=estimate(interval(macro(brier(judged.said, judged.labels, judged.known, judged.weights)))),
        ece=estimate(interval(macro(ece), Kind.REVERSED)),
        scores=_scores(made, judged, ranks, ece),
        groups=groups(_people(made), judged.said, judged.labels, judged.known, judged.weights, least=least),
        diagram=Diagram(
            said=tuple(curve.said.tolist()),
            happened=tuple(curve.happened.tolist()),
            count=tuple(curve.count.astype(int).tolist()),
        ),
        miscoverage=diagnoser.config.miscoverage,
        unlike=UNLIKE,
        strange=strange(diagnoser, store, test, unlike=UNLIKE),
        remembered=0 if diagnoser.neighbours is None else len(diagnoser.neighbours),
        settings={"draws": draws, "level": LEVEL, "least_subjects": least},
        versions=versions(),
    )


def _people(made: Made) -> pd.DataFrame:
    """Of each test record; a part of a corpus counts as one of its own."""
    test = made.task.rows[Role.TEST]
    people = made.chosen.store.frame("age", "sex", "sub_corpus", "corpus").iloc[test].reset_index(drop=True)
    is_part = people["sub_corpus"].map(lambda one: isinstance(one, str) and bool(one))
    corpus = people["sub_corpus"].where(is_part, people["corpus"]).astype(str)
    return people.assign(corpus=corpus, sex=people["sex"].astype(object), subject=made.task.subjects[test])


def _scores(made: Made, judged: _Judged, ranks: Scores, ece: Float64[np.ndarray, "concept draw"]) -> tuple[Score, ...]:
    diagnoser, task, rows = made.diagnoser, made.task, made.rows
    have = task.labels & task.known
    subjects = task.subjects_with(Role.TEST, value=True)
    held = coverage(diagnoser.sets(judged.said), judged.labels, judged.known)
    thresholds = np.array([one.threshold for one in diagnoser.config.concepts])
    named = judged.said >= thresholds
    sensitivity = _share(named, judged.known & judged.labels, judged.weights)
    specificity = _share(~named, judged.known & ~judged.labels, judged.weights)
    return tuple(
        Score(
            concept=one.concept,
            term=one.term,
            abbreviation=one.abbreviation,
            train_records=int(have[rows, column].sum()),
            validation_records=one.positives,
            test_records=int((judged.labels & judged.known)[:, column].sum()),
            test_subjects=int(subjects[column]),
            test_known=int(judged.known[:, column].sum()),
            threshold=one.threshold,
            auroc=estimate(interval(ranks.auroc[column])),
            auprc=estimate(interval(ranks.auprc[column], Kind.REVERSED)),
            sensitivity=sensitivity[column],
            specificity=specificity[column],
            ece=estimate(interval(ece[column], Kind.REVERSED)),
            sets=SetCoverage(
                concept=one.concept,
                calibration_positives=one.positives,
                **{
                    name: number(getattr(held, name)[column]) for name in ("positive", "negative", "undecided", "empty")
                },
            ),
        )
        for column, one in enumerate(diagnoser.config.concepts)
    )


def _share(
    what: Bool[np.ndarray, "row concept"],
    among: Bool[np.ndarray, "row concept"],
    weights: Float64[np.ndarray, "row draw"],
) -> list[Estimate]:
    """How much of `among` is `what`, for each concept, with an interval over subjects."""
    total = among.T.astype(np.float64) @ weights
    part = (what & among).T.astype(np.float64) @ weights
    shares = np.divide(part, total, out=np.full(total.shape, np.nan), where=total > 0)
    return [estimate(interval(row)) for row in shares]
