"""How well trials were told apart: every metric with draws over subjects, each of whom counts once."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from jaxtyping import Float64, Int64

from finetune.metrics.bootstrap import N_DRAWS, subject_weights
from finetune.metrics.ranking import rank_metrics


class Measure(StrEnum):
    """What is measured; where a subject has trials of one class only, each says what becomes of it.

    `accuracy`: the mean over subjects of the share of their trials that are right. Any subject has one.

    `balanced-accuracy`, `macro-f1`, `kappa`: of the table of true and predicted classes, in which the trials of a
    subject weigh 1 together. A subject of one class adds to that table; by itself it would have no kappa. So these are
    metrics of the pooled trials, not means over subjects.

    `auroc` (two classes): of the pooled trials, weighted alike. It asks for one threshold for everybody.

    `auroc-within` (two classes): the mean over subjects of the AUROC among their own trials; subjects of one class have
    none and are left out. It asks for the order within a person only.
    """

    ACCURACY = "accuracy"
    BALANCED_ACCURACY = "balanced-accuracy"
    MACRO_F1 = "macro-f1"
    KAPPA = "kappa"
    AUROC = "auroc"
    AUROC_WITHIN = "auroc-within"

    @property
    def lowest(self) -> float:
        """The least it can be."""
        return -1.0 if self is Measure.KAPPA else 0.0


TWO_CLASSES = (Measure.AUROC, Measure.AUROC_WITHIN)


def measures(n_classes: int) -> tuple[Measure, ...]:
    """Those that exist for so many classes."""
    return tuple(one for one in Measure if n_classes == 2 or one not in TWO_CLASSES)


def score(
    probabilities: Float64[np.ndarray, "trial class"],
    labels: Int64[np.ndarray, " trial"],
    subjects: np.ndarray,
    *,
    n_draws: int = N_DRAWS,
    seed: int = 0,
) -> dict[Measure, Float64[np.ndarray, " draws"]]:
    """Every measure in the sample (first) and in draws of as many subjects with replacement.

    Args:
        probabilities: Of each class; the largest is predicted, the first of equals.
        labels: Places of the true classes.
        subjects: Whose trial each is.
        n_draws: Of the bootstrap.
        seed: Equal seeds and subjects give equal draws: differences between rows are paired.
    """
    people, of = np.unique(subjects, return_inverse=True)
    drawn = subject_weights(people.tolist(), n_draws=n_draws, seed=seed)
    share = 1 / np.bincount(of)[of]
    n_classes = probabilities.shape[1]
    tables = np.zeros((len(people), n_classes, n_classes))
    np.add.at(tables, (of, labels, probabilities.argmax(1)), share)
    found: dict[Measure, Float64[np.ndarray, " draws"]] = dict(_of_tables(np.tensordot(drawn, tables, (0, 0))))
    if n_classes == 2:
        positive = labels == 1
        ranked = rank_metrics(probabilities[:, 1:], positive[:, None], weights=drawn[of] * share[:, None])
        found[Measure.AUROC] = ranked.auroc[0]
        found[Measure.AUROC_WITHIN] = _within(probabilities[:, 1:], positive, of, drawn)
    return found


def _of_tables(tables: Float64[np.ndarray, "draws true predicted"]) -> Mapping[Measure, Float64[np.ndarray, " draws"]]:
    """Of tables of shares: rows are true classes. A class that no drawn subject has is left out of the means."""
    total = tables.sum((1, 2))
    right, true, said = np.einsum("dkk->dk", tables), tables.sum(2), tables.sum(1)
    present = true > 0
    recall = np.divide(right, true, out=np.zeros_like(right), where=present)
    f1 = np.divide(2 * right, true + said, out=np.zeros_like(right), where=present)
    agreed, expected = right.sum(1) / total, (true * said).sum(1) / total**2
    kappa = np.full(len(tables), np.nan)
    # One class, always said: there is nothing beyond chance to agree on.
    np.divide(agreed - expected, 1 - expected, out=kappa, where=1 - expected > 1e-12)
    return {
        Measure.ACCURACY: agreed,
        Measure.BALANCED_ACCURACY: recall.sum(1) / present.sum(1),
        Measure.MACRO_F1: f1.sum(1) / present.sum(1),
        Measure.KAPPA: kappa,
    }


def _within(
    scores: Float64[np.ndarray, "trial 1"],
    positive: np.ndarray,
    of: Int64[np.ndarray, " trial"],
    drawn: Float64[np.ndarray, "subject draws"],
) -> Float64[np.ndarray, " draws"]:
    own = np.full(len(drawn), np.nan)
    for person in range(len(drawn)):
        trials = of == person
        own[person] = rank_metrics(scores[trials], positive[trials][:, None]).auroc[0, 0]
    exists = ~np.isnan(own)
    count = drawn[exists].sum(0)
    return np.divide(own[exists] @ drawn[exists], count, out=np.full(drawn.shape[1], np.nan), where=count > 0)
