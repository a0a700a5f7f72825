"""When to stay silent: the errors that are left if only the surest answers are given."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Float64
from sklearn.metrics import roc_auc_score


@dataclass(frozen=True)
class Selective:
    """Answers in the order of their confidence, those of equal confidence together.

    Attributes:
        coverage: Share of the questions that are answered.
        risk: Share of the answers given that are wrong.
        area: Mean risk over all coverages (AURC); the smaller the better, the error rate itself for random confidence.
        refinement: AUROC of confidence for right against wrong answers; NaN if all are right, or all wrong.
    """

    coverage: Float64[np.ndarray, " threshold"]
    risk: Float64[np.ndarray, " threshold"]
    area: float
    refinement: float


def selective(confidence: Float[np.ndarray, " answer"], wrong: Bool[np.ndarray, " answer"]) -> Selective:
    """The risk-coverage curve.

    Args:
        confidence: Of each answer, any monotone score: max(p, 1 - p) of a yes or no.
        wrong: Which answers are wrong.

    Raises:
        ValueError: If there is no answer.

    References:
        Geifman, El-Yaniv, Selective classification for deep neural networks, arXiv 1705.08500; Geifman et al.,
        Bias-reduced uncertainty estimation for deep neural classifiers (AURC), arXiv 1805.08206.
    """
    if not len(confidence):
        raise ValueError("expected at least one answer, got none")
    order = np.argsort(-confidence, kind="stable")
    given = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True)) + 1
    errors = np.cumsum(wrong[order])[given - 1]
    risk = errors / given
    # Within a tie every order is as likely: each of its answers has the risk at its end, on average over orders.
    before, errors_before = np.append(0, given[:-1]), np.append(0, errors[:-1])
    area = 0.0
    for start, end, low, high in zip(before, given, errors_before, errors, strict=True):
        answered = np.arange(start + 1, end + 1)
        area += ((low + (high - low) * (answered - start) / (end - start)) / answered).sum()
    refinement = roc_auc_score(~wrong, confidence) if wrong.any() and not wrong.all() else np.nan
    return Selective(given / len(confidence), risk, float(area / len(confidence)), float(refinement))
