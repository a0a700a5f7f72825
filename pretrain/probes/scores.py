"""Macro AUROC: one number of many concepts, over those that can be scored."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from pretrain.data.labels import Labels
from pretrain.errors import TrainingError


def macro_auroc(scores: Float[np.ndarray, "record concept"], labels: Labels) -> dict[str, float]:
    """Mean AUROC of the concepts that some records carry and others do not, among those whose label is known.

    Args:
        scores: Any monotone score; a concept with a score that is NaN is left out.
        labels: Of the same records and concepts.

    Returns:
        `auroc`, and over how many `concepts`.
    """
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 -- slow to import, and of no use without probes

    found = [
        roc_auc_score(labels.stated[labels.known[:, column], column], scores[labels.known[:, column], column])
        for column in scorable(labels)
        if np.isfinite(scores[:, column]).all()
    ]
    return {"auroc": float(np.mean(found)), "concepts": float(len(found))} if found else {}


def scorable(labels: Labels) -> list[int]:
    """The concepts that some records are known to carry, and others not to.

    Raises:
        TrainingError: If there is none.
    """
    carried = (labels.stated & labels.known).any(0)
    absent = (~labels.stated & labels.known).any(0)
    found = np.flatnonzero(carried & absent).tolist()
    if not found:
        raise TrainingError("no concept is carried by some of the validation records and not by others")
    return found
