"""How well stages are told, from one confusion matrix a subject: every metric in every draw of a bootstrap."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int

from finetune.diagnosis.result import Estimate
from finetune.diagnosis.summary import estimate
from finetune.metrics.bootstrap import interval, subject_weights
from finetune.sequence.nights import STAGES, UNKNOWN

METRICS = ("kappa", "macro_f1", "accuracy", *(f"f1_{name.lower()}" for name in STAGES))


def confusions(
    subjects: Sequence[str], true: Sequence[Int[np.ndarray, " epoch"]], said: Sequence[Int[np.ndarray, " epoch"]]
) -> tuple[list[str], Float64[np.ndarray, "subject stage stage"]]:
    """Epochs by true and predicted stage, of all nights of each subject; epochs of unknown stage are left out.

    Args:
        subjects: Of each night.
        true: Stages of each night.
        said: What was predicted.
    """
    names = sorted(set(subjects))
    counts = np.zeros((len(names), len(STAGES), len(STAGES)))
    for subject, y, p in zip(subjects, true, said, strict=True):
        known = y != UNKNOWN
        np.add.at(counts[names.index(subject)], (y[known], p[known]), 1)
    return names, counts


def scores(confusion: Float64[np.ndarray, "draws stage stage"]) -> dict[str, Float64[np.ndarray, " draws"]]:
    r"""Cohen's kappa, accuracy, F1 of each stage and their mean, of each confusion matrix.

        kappa = (p_o - p_e) / (1 - p_e),    F1 = 2 TP / (true + said)

    A stage that neither occurs nor is said has no F1, and does not count in the mean.

    References:
        Cohen, A coefficient of agreement for nominal scales, 1960.
    """
    total = confusion.sum((1, 2))
    agreed = np.diagonal(confusion, axis1=1, axis2=2)
    true, said = confusion.sum(2), confusion.sum(1)
    with np.errstate(invalid="ignore", divide="ignore"):
        observed = agreed.sum(1) / total
        expected = (true * said).sum(1) / total**2
        kappa = np.where(expected < 1, (observed - expected) / (1 - expected), np.nan)
        f1 = np.where(true + said > 0, 2 * agreed / (true + said), np.nan)
        there = ~np.isnan(f1)
        macro = np.where(there, f1, 0).sum(1) / there.sum(1)
    each = {f"f1_{name.lower()}": f1[:, place] for place, name in enumerate(STAGES)}
    return {"kappa": kappa, "macro_f1": macro, "accuracy": observed, **each}


def draws(
    names: Sequence[str], counts: Float64[np.ndarray, "subject stage stage"], *, n_draws: int
) -> dict[str, Float64[np.ndarray, " draws"]]:
    """Every metric of the sample, and of each draw of subjects."""
    weights = subject_weights(names, n_draws=n_draws)
    return scores(np.einsum("sd,sij->dij", weights, counts))


def estimates(values: dict[str, Float64[np.ndarray, " draws"]], *, lowest: float = -1.0) -> dict[str, Estimate]:
    """With 95 % intervals over subjects."""
    return {name: estimate(interval(one), lowest=lowest) for name, one in values.items()}
