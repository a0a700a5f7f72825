"""Logistic regression on windows, its strength chosen by the trials of validation subjects."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64, Int64

from finetune.emotion.features import Windowed
from finetune.emotion.protocols import Fold
from finetune.emotion.targets import Trials

# From heavy to light regularisation.
C_GRID = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
#: How often a calibration trial counts: it is of the very person under test, and there are few.
CALIBRATION_WEIGHT = 10.0
# Above this many weights the Hessian costs more than the steps it saves.
_NEWTON = 1200
_TINY = 1e-6


@dataclass(frozen=True)
class Fitted:
    """A classifier and what chose it.

    Attributes:
        model: Of scikit-learn.
        classes: How many there are in the task.
        c: The inverse regularisation that validation chose.
        validation_loss: Mean over the validation trials of -log p(class), for each value of the grid.
    """

    model: Any
    classes: int
    c: float
    validation_loss: dict[float, float]

    def probabilities(self, values: Float64[np.ndarray, "window feature"]) -> Float64[np.ndarray, "window class"]:
        """Of each class of the task."""
        found = np.zeros((len(values), self.classes))
        if len(values):
            found[:, self.model.classes_] = self.model.predict_proba(values)
        return found


def fit(windows: Windowed, trials: Trials, fold: Fold, grid: Sequence[float] = C_GRID) -> Fitted:
    """Fit on the windows of the learnt trials for each C; keep the one whose trial probabilities validate best.

    Every trial weighs the same however long it is, a calibration trial ten times that, and classes are balanced: the
    majority of the others is often not that of the person left out. The test side is not looked at. At a tie the
    heavier regularisation wins.

    Args:
        windows: Normalised features of all trials.
        trials: Their classes.
        fold: The sides.
        grid: Values of C, ascending.
    """
    from sklearn.exceptions import ConvergenceWarning  # noqa: PLC0415 -- slow to import
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 -- as above

    train, judged = windows.of(fold.learnt), windows.of(fold.validation)
    weights = trial_weights(train.trial, trials, fold)
    labels, classes = trials.label[train.trial], len(trials.classes)
    size = (train.values.shape[1] + 1) * (1 if classes == 2 else classes)
    solver = "newton-cholesky" if size <= _NEWTON else "lbfgs"
    losses: dict[float, float] = {}
    best: Fitted | None = None
    for c in grid:
        model = LogisticRegression(C=c, solver=solver, max_iter=300)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # hundreds of nearly equal steps change no decision
            model.fit(train.values, labels, weights)
        found = Fitted(model, classes, c, losses)
        losses[c] = trial_loss(found.probabilities(judged.values), judged.trial, trials)
        if best is None or losses[c] < losses[best.c]:
            best = found
    assert best is not None, "an empty grid"
    return best


def trial_weights(of: Int64[np.ndarray, " window"], trials: Trials, fold: Fold) -> Float64[np.ndarray, " window"]:
    """The weight of each window: equal for trials, balanced over classes, mean 1 a trial."""
    present, place, counts = np.unique(of, return_inverse=True, return_counts=True)
    weight = np.where(np.isin(present, np.asarray(fold.calibration, dtype=np.int64)), CALIBRATION_WEIGHT, 1.0)
    labels = trials.label[present]
    totals = np.bincount(labels, weights=weight, minlength=len(trials.classes))
    weight = weight / totals[labels] * len(present) / max((totals > 0).sum(), 1)
    return (weight / counts)[place]


def by_trial(
    probabilities: Float64[np.ndarray, "window class"], of: Int64[np.ndarray, " window"]
) -> tuple[Int64[np.ndarray, " trial"], Float64[np.ndarray, "trial class"]]:
    """The trials that have windows, ascending, and the mean over those windows."""
    present, place, counts = np.unique(of, return_inverse=True, return_counts=True)
    sums = np.zeros((len(present), probabilities.shape[1]))
    np.add.at(sums, place, probabilities)
    return present, sums / counts[:, None]


def trial_loss(
    probabilities: Float64[np.ndarray, "window class"], of: Int64[np.ndarray, " window"], trials: Trials
) -> float:
    """The mean of -log p(class) over trials, each the mean probability of its windows."""
    present, found = by_trial(probabilities, of)
    return float(-np.log(np.maximum(found[np.arange(len(present)), trials.label[present]], _TINY)).mean())
