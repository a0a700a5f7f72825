"""From probabilities to classes: how much more a class must be likely, chosen on people who were not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64, Int8, Int64
from scipy.special import logsumexp

from finetune.beats.aami import SAID, Beat

_GRID = np.arange(-3.0, 6.01, 0.25)
_ROUNDS = 4
_LEAST = 1e-9


def choose(
    log_p: Float[np.ndarray, "beat klass"], labels: Int8[np.ndarray, " beat"], people: Sequence[str]
) -> tuple[float, float, float, float]:
    """What is taken off the log probabilities of N, S, V and F (N: nothing): where macro F1 is largest.

    One class after the other over a grid, four rounds. F1 of S, V and F is the mean of that of all beats together and
    that of beats in which every person counts alike: one person with very many of a kind should not choose alone.

    Args:
        log_p: As a network says them.
        labels: Place in `BEATS`; beats without a label, and Q, are left out.
        people: Of each beat.
    """
    kept = (labels >= 0) & (labels < len(SAID))
    log_p, truth = log_p[kept].astype(np.float64), labels[kept].astype(np.int64)
    _, person, count = np.unique(np.asarray(people)[kept], return_inverse=True, return_counts=True)
    alike = len(truth) / (len(count) * count[person])
    offsets = np.zeros(len(SAID))
    for _ in range(_ROUNDS):
        for k in range(1, len(SAID)):
            scores = []
            for value in _GRID:
                tried = offsets.copy()
                tried[k] = value
                said = (log_p - tried).argmax(1)
                scores.append(_macro_f1(truth, said, np.ones(len(truth))) + _macro_f1(truth, said, alike))
            best = np.flatnonzero(np.array(scores) >= max(scores) - 1e-12)
            # The middle of equally good ones.
            offsets[k] = _GRID[best[len(best) // 2]]
    n, s, v, f = offsets.tolist()
    return n, s, v, f


def without_fibrillation(
    log_p: Float[np.ndarray, "beat klass"], fibrillation: Float64[np.ndarray, " beat"]
) -> Float[np.ndarray, "beat klass"]:
    """Log probabilities where that of S is multiplied by that of another rhythm than fibrillation or flutter.

    Where no two intervals are alike, no beat is premature. Beats about which the rhythm is not known stay as they are.
    """
    factor = np.ones(log_p.shape)
    factor[:, SAID.index(Beat.S)] -= np.nan_to_num(fibrillation)
    found = log_p + np.log(np.maximum(factor, _LEAST))
    return np.asarray(found - logsumexp(found, axis=1, keepdims=True))


def said(log_p: Float[np.ndarray, "beat klass"], offsets: Sequence[float]) -> Int64[np.ndarray, " beat"]:
    """Place in `BEATS` of what is said of each beat."""
    return np.asarray((log_p - np.asarray(offsets)).argmax(1))


def _macro_f1(truth: Int64[np.ndarray, " beat"], found: Int64[np.ndarray, " beat"], weight: np.ndarray) -> float:
    table = np.bincount(truth * len(SAID) + found, weight, len(SAID) ** 2).reshape(len(SAID), -1)
    there = table.sum(1) > 0
    f1 = 2 * np.diag(table) / np.maximum(table.sum(0) + table.sum(1), 1e-12)
    return float(f1[there].mean())
