"""Labellers of the folds of the training people: each person is looked at once by one that never saw them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from jaxtyping import Float, Int64

from finetune.beats.decide import choose, said, without_fibrillation
from finetune.beats.intake import Strip
from finetune.beats.network import BeatNet
from finetune.beats.peers import Labeller
from finetune.beats.rhythm import RhythmModel
from finetune.beats.training import Budget, fit, log_probabilities

Fit = Callable[[Sequence[Strip], Sequence[Strip]], tuple[Labeller, dict[str, Any]]]
"""From the beats of training people and of others to a labeller, and what is worth telling of its training."""


@dataclass(frozen=True)
class Crossfitted:
    """Labellers that answer together, and what they need to say a class.

    Attributes:
        members: One a fold.
        rhythm: Of fibrillation and flutter; see `decide.without_fibrillation`.
        offsets: See `decide.choose`; from what each said of the people it was not trained on.
        validated: What was said of each training record so, in order.
        facts: Of each training.
    """

    members: list[Labeller]
    rhythm: RhythmModel
    offsets: tuple[float, float, float, float]
    validated: list[Int64[np.ndarray, " beat"]]
    facts: list[dict[str, Any]]

    def label(self, strip: Strip) -> Int64[np.ndarray, " beat"]:
        """Place in `BEATS` of what all say together."""
        return said(together(self.members, strip, self.rhythm), self.offsets)


def crossfit(strips: Sequence[Strip], folds: Sequence[Sequence[str]], fit_one: Fit, rhythm: RhythmModel) -> Crossfitted:
    """Fit one labeller for each fold, to everybody else.

    Args:
        strips: Of the training people alone.
        folds: Their names.
        fit_one: How.
        rhythm: Of fibrillation and flutter, fitted to the same people: those left out of a fold are in it.
    """
    members, facts = [], []
    validated: dict[int, Float[np.ndarray, "beat klass"]] = {}
    for fold in folds:
        inside = [strip.subject_id in fold for strip in strips]
        training = [strip for strip, held in zip(strips, inside, strict=True) if not held]
        member, fact = fit_one(training, [strip for strip, held in zip(strips, inside, strict=True) if held])
        validated |= {row: together([member], strips[row], rhythm) for row, held in enumerate(inside) if held}
        members.append(member)
        facts.append({"validation_people": list(fold), **fact})
    order = range(len(strips))
    labels = np.concatenate([strip.labels for strip in strips])
    people = np.repeat([strip.subject_id for strip in strips], [len(strip) for strip in strips])
    offsets = choose(np.concatenate([validated[row] for row in order]), labels, people.tolist())
    return Crossfitted(members, rhythm, offsets, [said(validated[row], offsets) for row in order], facts)


def together(members: Sequence[Labeller], strip: Strip, rhythm: RhythmModel) -> Float[np.ndarray, "beat klass"]:
    """The logarithm of the mean probability, without S in fibrillation."""
    return without_fibrillation(mean_of(members, strip), rhythm.probability(strip.irregularity))


def mean_of(members: Sequence[Labeller], strip: Strip) -> Float[np.ndarray, "beat klass"]:
    """The logarithm of the mean probability."""
    return np.asarray(np.log(np.mean([np.exp(member(strip)) for member in members], axis=0)))


def network_fit(seed: int, budget: Budget, networks: list[BeatNet] | None = None) -> Fit:
    """Fits the networks of a fold, which answer together; they are added to `networks` too."""

    def fit_one(training: Sequence[Strip], validation: Sequence[Strip]) -> tuple[Labeller, dict[str, Any]]:
        seeds = [budget.networks * seed + number for number in range(budget.networks)]
        fitted = [fit(training, validation, seed=one, budget=budget) for one in seeds]
        if networks is not None:
            networks.extend(one.network for one in fitted)
        facts = {
            "steps": [one.stopped.steps for one in fitted],
            "best_step": [one.stopped.best_step for one in fitted],
            "validation_loss": [one.stopped.validation_loss for one in fitted],
        }
        return partial(mean_of, [partial(log_probabilities, one.network) for one in fitted]), facts

    return fit_one
