"""The linear probe: a frozen encoder's features, a logistic regression whose strength validation chooses."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int

from finetune.adaptation.criterion import Criterion
from finetune.heads.linear import LinearHead, fit_linear
from finetune.metrics.ranking import macro, rank_metrics
from finetune.protocols import Role, Task

# From heavy to light regularisation.
C_GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)


@dataclass(frozen=True)
class Probe:
    """A fitted probe.

    Attributes:
        head: Logits from features.
        c: The inverse regularisation that validation chose.
        validation_auroc: Macro AUROC on validation for each value of the grid.
        seconds: Wall time of the fits of the whole grid.
    """

    head: LinearHead
    c: float
    validation_auroc: dict[float, float]
    seconds: float

    def probabilities(self, features: Float[np.ndarray, "row dim"]) -> Float[np.ndarray, "row concept"]:
        """The sigmoid of the logits."""
        return _probabilities(self.head, features)


def fit_probe(
    features: Float[np.ndarray, "row dim"],
    task: Task,
    train_rows: Int[np.ndarray, " chosen"],
    grid: tuple[float, ...] = C_GRID,
    *,
    criterion: Criterion | None = None,
) -> Probe:
    """Fit all concepts for each C of the grid; keep the one with the best macro AUROC on validation.

    One C serves all concepts: choosing one for each would rest on a handful of positives. Features are standardised
    by the training rows. The test side is not looked at. At a tie the heavier regularisation wins.

    Args:
        features: Of every row of the store; those of rows not in train or validation are not used.
        task: Labels, roles.
        train_rows: The rows whose labels may be used.
        grid: Values of C, ascending.
        criterion: Weights of positives and shifts of logits, if rare findings are to have some.
    """
    began = time.perf_counter()
    x, labels, known = (torch.from_numpy(part[train_rows]) for part in (features, task.labels, task.known))
    weight = None if criterion is None else criterion.positive_weight
    heads = dict(zip(grid, fit_linear(x, labels, known, grid=grid, positive_weight=weight), strict=True))
    if criterion is not None:
        # With a free bias the best of shifted logits is the best of the others, less the shift.
        for head in heads.values():
            head.linear.bias.data -= criterion.shift
    aurocs = {c: _validation_auroc(head, features, task) for c, head in heads.items()}
    best = max(aurocs, key=aurocs.__getitem__)  # the first of equals
    return Probe(heads[best], best, aurocs, time.perf_counter() - began)


def _probabilities(head: LinearHead, features: Float[np.ndarray, "row dim"]) -> Float[np.ndarray, "row concept"]:
    with torch.inference_mode():
        scores: np.ndarray = head(torch.from_numpy(features).double()).sigmoid().numpy()
    return scores


def _validation_auroc(head: LinearHead, features: Float[np.ndarray, "row dim"], task: Task) -> float:
    rows = task.rows[Role.VALIDATION]
    scores = rank_metrics(_probabilities(head, features[rows]), task.labels[rows], task.known[rows])
    return float(macro(scores.auroc[task.scored])[0])
