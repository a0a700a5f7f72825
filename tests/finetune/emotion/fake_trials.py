"""Trials and windows of trials without a store."""

from __future__ import annotations

import numpy as np

from finetune.emotion.features import Windowed
from finetune.emotion.targets import Trials


def make_trials(
    subjects: int = 6,
    stimuli: int = 6,
    *,
    classes: int = 2,
    seed: int = 0,
    samples: int = 100,
    continuous: bool = False,
) -> Trials:
    """Everybody meets every stimulus once, in an order of their own; the stimulus is the class, modulo their number.

    `continuous`: the trials of a subject follow each other in one record.
    """
    rng = np.random.default_rng(seed)
    n = subjects * stimuli
    subject = np.repeat([f"p{one:02d}" for one in range(subjects)], stimuli)
    stimulus = np.concatenate([rng.permutation(stimuli) for _ in range(subjects)])
    place = np.tile(np.arange(stimuli), subjects)
    row = np.repeat(np.arange(subjects), stimuli) if continuous else np.arange(n)
    return Trials(
        target="mood",
        classes=tuple(f"class-{one}" for one in range(classes)),
        label=stimulus % classes,
        row=row,
        start=place * samples if continuous else np.zeros(n, np.int64),
        samples=np.full(n, samples),
        subject=subject,
        session=np.full(n, ""),
        stimulus=np.array([f"film {one:02d}" for one in stimulus]),
        name=np.array([f"t{one:03d}" for one in range(n)]),
        order=place,
        left_out={},
    )


def make_windows(
    trials: Trials, *, features: int = 4, windows: int = 5, effect: float = 0.0, offset: float = 0.0, seed: int = 0
) -> Windowed:
    """Noise; class k moves feature 0 by k times the effect, each subject all features by an offset of its own."""
    rng = np.random.default_rng(seed)
    trial = np.repeat(np.arange(len(trials)), windows)
    values = rng.normal(size=(len(trial), features))
    values[:, 0] += effect * trials.label[trial]
    shifts = {one: offset * rng.normal(size=features) for one in trials.subjects}
    values += np.stack([shifts[one] for one in trials.subject[trial]])
    return Windowed(values, trial)
