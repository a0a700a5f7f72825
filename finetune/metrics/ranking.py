"""Macro AUROC and AUPRC for many concepts, partial labels and many bootstrap draws at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64

# Draws taken through one concept together: the running sums of some thousand records then stay in the cache.
_BLOCK = 200


@dataclass(frozen=True)
class Scores:
    """Both metrics of every concept in every draw; column 0 of the draws is the sample itself.

    Attributes:
        auroc: `(concept, 1 + draw)`; NaN where a concept has one label value in a draw, or no score.
        auprc: `(concept, 1 + draw)`; its chance level is the prevalence.
    """

    auroc: Float64[np.ndarray, "concept draws"]
    auprc: Float64[np.ndarray, "concept draws"]


def rank_metrics(
    scores: Float[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"] | None = None,
    weights: Float64[np.ndarray, "row draw"] | None = None,
) -> Scores:
    r"""AUROC and average precision of every concept, for every column of record weights.

    With TP_g and FP_g the weighted true and false positives at or above the g-th distinct score,

        AUROC = sum_g (FP_g - FP_{g-1}) (TP_g + TP_{g-1}) / 2 / (P N)
        AUPRC = sum_g (TP_g - TP_{g-1}) / P * TP_g / (TP_g + FP_g),

    so that tied scores count half in the first and share one precision in the second, as in scikit-learn. A concept is
    sorted once, and all draws are cumulated together.

    Args:
        scores: Any monotone score; a concept with a NaN score is NaN: the model does not score it.
        labels: True where the record has the concept.
        known: False where the record's label is not known; such pairs are left out. All known by default.
        weights: How often each record counts, a column for each draw (see `subject_weights`). Ones by default.

    Raises:
        ValueError: If shapes differ.

    References:
        Fawcett, An introduction to ROC analysis, 2006; Su, Yuan, Zhu, A relationship between the average precision
        and the area under the ROC curve, 2015.
    """
    known = np.ones(labels.shape, bool) if known is None else known
    weights = np.ones((len(labels), 1)) if weights is None else weights
    if not (scores.shape == labels.shape == known.shape) or len(weights) != len(labels):
        raise ValueError(
            f"expected equal (row, concept) shapes, got scores {scores.shape}, labels {labels.shape}, "
            f"known {known.shape}, weights {weights.shape}"
        )
    auroc, auprc = np.full((2, labels.shape[1], weights.shape[1]), np.nan)
    for concept in range(labels.shape[1]):
        rows = np.flatnonzero(known[:, concept])
        score, label = scores[rows, concept], labels[rows, concept]
        if not np.isnan(score).any() and label.any() and not label.all():
            order = np.argsort(-score, kind="stable")
            for start in range(0, weights.shape[1], _BLOCK):
                draws = np.s_[start : start + _BLOCK]
                auroc[concept, draws], auprc[concept, draws] = _one_concept(
                    score[order], label[order], weights[rows[order], draws]
                )
    return Scores(auroc, auprc)


def _one_concept(
    score: Float[np.ndarray, " row"], label: Bool[np.ndarray, " row"], weights: Float64[np.ndarray, "row draw"]
) -> tuple[Float64[np.ndarray, " draw"], Float64[np.ndarray, " draw"]]:
    """Rows come by falling score. Both sums have terms only where positives are, so only those ties are kept."""
    new = np.append(True, score[1:] != score[:-1])
    ties, last_positive = np.unique((np.cumsum(new) - 1)[label][::-1], return_index=True)
    first = np.flatnonzero(new)[ties]
    last = np.append(np.flatnonzero(new)[1:], len(score))[ties] - 1

    flagged = np.cumsum(weights, axis=0)
    upto, before = flagged[last], flagged[first] - weights[first]
    true = np.cumsum(weights[label], axis=0)[label.sum() - 1 - last_positive]
    gained = np.diff(true, axis=0, prepend=0)
    positives, negatives = true[-1], flagged[-1] - true[-1]
    false_in_the_middle_of_the_tie = (upto - true + before - (true - gained)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        auroc = (gained * (negatives - false_in_the_middle_of_the_tie)).sum(0) / (positives * negatives)
        # Where nothing has been drawn yet there is no precision, and nothing gained either.
        auprc = (gained * np.divide(true, upto, out=np.zeros_like(upto), where=upto > 0)).sum(0) / positives
    auprc[negatives == 0] = np.nan  # prevalence 1: no ranking to judge
    return auroc, auprc


def macro(values: Float[np.ndarray, "concept draw"]) -> Float64[np.ndarray, " draw"]:
    """The mean over the concepts that have a value, in each draw; NaN where none has."""
    exists = ~np.isnan(values)
    count = exists.sum(0)
    total = np.where(exists, values, 0.0).sum(0)
    return np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)


def best_thresholds(
    scores: Float[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
) -> Float64[np.ndarray, " concept"]:
    """The score at or above which to name a concept: where F1 is largest; give it validation records only.

    Halfway to the next lower score, so that it does not sit on a record. NaN where validation has no positive.
    """
    thresholds = np.full(scores.shape[1], np.nan)
    for concept in range(scores.shape[1]):
        rows = known[:, concept]
        score, label = scores[rows, concept], labels[rows, concept]
        if not label.any() or np.isnan(score).any():
            continue
        order = np.argsort(-score, kind="stable")
        score, label = score[order], label[order]
        last_of_tie = np.flatnonzero(np.append(score[1:] != score[:-1], True))
        f1 = 2 * np.cumsum(label)[last_of_tie] / (last_of_tie + 1 + label.sum())
        at = last_of_tie[f1.argmax()]
        thresholds[concept] = score[at] if at + 1 == len(score) else (score[at] + score[at + 1]) / 2
    return thresholds


@dataclass(frozen=True)
class Decisions:
    """What a threshold does to the test records, for each concept; NaN where undefined."""

    sensitivity: Float64[np.ndarray, " concept"]
    specificity: Float64[np.ndarray, " concept"]
    f1: Float64[np.ndarray, " concept"]


def decide(
    scores: Float[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
    thresholds: Float64[np.ndarray, " concept"],
) -> Decisions:
    """Sensitivity, specificity and F1 at fixed thresholds (`best_thresholds` of the validation side)."""
    named = scores >= thresholds
    hit, missed = (named & labels & known).sum(0), (~named & labels & known).sum(0)
    alarm, rejected = (named & ~labels & known).sum(0), (~named & ~labels & known).sum(0)
    usable = ~np.isnan(thresholds)

    def ratio(part: Float[np.ndarray, " concept"], whole: Float[np.ndarray, " concept"]) -> np.ndarray:
        return np.divide(part, whole, out=np.full(len(usable), np.nan), where=usable & (whole > 0))

    return Decisions(
        sensitivity=ratio(hit, hit + missed),
        specificity=ratio(rejected, rejected + alarm),
        f1=ratio(2 * hit, 2 * hit + missed + alarm),
    )
