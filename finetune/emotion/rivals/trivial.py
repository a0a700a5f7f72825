"""Rows that do not look at the signal: what every other row must beat."""

from __future__ import annotations

import numpy as np

from finetune.emotion.bench import Work
from finetune.emotion.protocols import Access
from finetune.emotion.rivals.base import RIVALS, Outcome, Rival


def _chance(work: Work) -> Outcome:
    # Every fold of a seed draws numbers of its own.
    key = [work.seed, 11, *work.fold.test]
    drawn = np.random.default_rng(key).dirichlet(np.ones(len(work.trials.classes)), size=len(work.fold.test))
    return Outcome({Access.CAUSAL: work.tested(drawn)})


def _majority(work: Work) -> Outcome:
    counts = np.bincount(work.trials.label[list(work.fold.learnt)], minlength=len(work.trials.classes))
    sure = np.zeros((len(work.fold.test), len(counts)))
    sure[:, counts.argmax()] = 1.0
    return Outcome({Access.CAUSAL: work.tested(sure)}, {"class": work.trials.classes[counts.argmax()]})


RIVALS.add(
    "chance",
    Rival(
        "chance", _chance, (Access.CAUSAL,), "A random number for each trial and class.", trained=False, baseline=True
    ),
)
RIVALS.add(
    "majority",
    Rival(
        "majority class",
        _majority,
        (Access.CAUSAL,),
        "The class that most training trials of the fold have. With balanced classes it is wrong more often than not: "
        "whoever is left out with many trials of a class leaves fewer of it behind.",
        baseline=True,
    ),
)
