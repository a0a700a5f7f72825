"""Three ways to take away what differs between people, by what they must know."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, Float64

from finetune.emotion.features import Windowed
from finetune.emotion.targets import Trials

#: How many windows the statistics of the training subjects count for, when a new stream begins.
PRIOR = 60.0
_LEAST = 1e-6


def by_training(windows: Windowed, learnt: Sequence[int]) -> Windowed:
    """Mean 0 and deviation 1 over the trials that are learnt from: causal, since no test window has a say.

    Every trial weighs the same. A feature that never moves becomes 0, and so does an unknown value.
    """
    mean, std = _of_training(windows, learnt)
    return windows.with_values(_standardised(windows.values, mean, std))


def by_subject(windows: Windowed, trials: Trials) -> Windowed:
    """Mean 0 and deviation 1 over all trials of each subject: transductive, since it needs the whole stream.

    Every trial weighs the same. By windows, the zero of a subject would be the state of the longest trial.
    """
    out = np.empty(windows.values.shape)
    person, weights = trials.subject[windows.trial], windows.trial_weights()
    for one in np.unique(person):
        of = person == one
        out[of] = _standardised(windows.values[of], *_moments(windows.values[of], weights[of]))
    return windows.with_values(out)


def running(windows: Windowed, trials: Trials, learnt: Sequence[int], prior: float = PRIOR) -> Windowed:
    r"""Mean 0 and deviation 1 by what the subject's own stream has shown so far, this window included: causal.

    With mu, m2 the mean and mean square over the training trials, which count as n_0 windows of any new stream,

        mean_t = (n_0 mu + sum_{s <= t} x_s) / (n_0 + t),

    and likewise the mean square. The streams of training subjects go through the same, so that the classifier learns on
    what it will meet. Trials of a subject follow each other as `Trials.order` says.

    Args:
        windows: Of all trials.
        trials: Whose they are, and in which order.
        learnt: Trials of the training side.
        prior: n_0.

    References:
        Shen et al., Contrastive learning of subject-invariant EEG representations, arXiv 2109.09559: the same with an
        exponential memory.
    """
    mean, std = _of_training(windows, learnt)
    square = std**2 + mean**2
    out = np.empty(windows.values.shape)
    person = trials.subject[windows.trial]
    for one in np.unique(person):
        of = np.flatnonzero(person == one)
        stream = of[np.argsort(trials.order[windows.trial[of]], kind="stable")]
        values = np.where(np.isfinite(windows.values[stream]), windows.values[stream], mean)
        count = prior + np.arange(1, len(stream) + 1)[:, None]
        so_far = (prior * mean + np.cumsum(values, axis=0)) / count
        spread = (prior * square + np.cumsum(values**2, axis=0)) / count - so_far**2
        out[stream] = _standardised(values, so_far, np.sqrt(np.maximum(spread, _LEAST)))
    return windows.with_values(out)


def _of_training(windows: Windowed, learnt: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    met = windows.of(learnt)
    return _moments(met.values, met.trial_weights())


def _moments(
    values: Float[np.ndarray, "window feature"], weights: Float64[np.ndarray, " window"]
) -> tuple[Float64[np.ndarray, " feature"], Float64[np.ndarray, " feature"]]:
    """Mean and deviation over what is known."""
    known = np.isfinite(values)
    weight = known * weights[:, None]
    total = np.maximum(weight.sum(0), np.finfo(float).tiny)
    filled = np.where(known, values, 0.0).astype(np.float64)
    mean = (weight * filled).sum(0) / total
    return mean, np.sqrt((weight * (filled - mean) ** 2).sum(0) / total)


def _standardised(
    values: Float[np.ndarray, "window feature"],
    mean: Float64[np.ndarray, "*any"],
    std: Float64[np.ndarray, "*any"],
) -> Float64[np.ndarray, "window feature"]:
    moving = std > _LEAST
    return np.nan_to_num(np.where(moving, (values - mean) / np.where(moving, std, 1.0), 0.0), nan=0.0)
