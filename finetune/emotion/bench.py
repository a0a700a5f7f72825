"""What every row is given: the store, its trials, one fold, and features that are made once."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np

from biosig.store import Store
from finetune.emotion.features import Smoothing, Windowed, covariances, electrodes, entropies
from finetune.emotion.protocols import Access, Fold, Plan
from finetune.emotion.targets import Target, Trials, find_trials


@dataclass(frozen=True)
class Budget:
    """What may be spent on one training.

    Attributes:
        pretrain_steps: Of a pretraining without labels inside a fold; None keeps what its recipe says.
        supervised_steps: At most, of the supervised network.
        adversarial_steps: At most, of the domain-adversarial network.
    """

    pretrain_steps: int | None = 120
    supervised_steps: int = 120
    adversarial_steps: int = 200


@dataclass(frozen=True)
class Experiment:
    """Everything that decides the numbers: two equal ones give the same.

    Attributes:
        store: The folder of the prepared recordings.
        target: What is to be told.
        plan: What is held out.
        smoothing: Of features over time.
        budget: Of the trainings.
    """

    store: Path
    target: Target
    plan: Plan = field(default_factory=Plan)
    smoothing: Smoothing = Smoothing.LDS
    budget: Budget = field(default_factory=Budget)


class Bench:
    """An experiment with its data opened. Features of all trials are made when a row first asks for them.

    Args:
        experiment: What is asked.
    """

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.store = Store(experiment.store)
        self.trials: Trials = find_trials(self.store, experiment.target)
        self._entropies: dict[Access, Windowed] = {}
        self._covariances: dict[Access, Windowed] = {}

    @cached_property
    def electrodes(self) -> tuple[str, ...]:
        """EEG channels that every trial has."""
        return electrodes(self.store, self.trials)

    @lru_cache(maxsize=8)  # noqa: B019 -- a bench lives as long as its process
    def folds(self, seed: int) -> tuple[Fold, ...]:
        """The folds of a seed."""
        return self.experiment.plan.folds(self.trials, seed)

    def entropies(self, access: Access) -> Windowed:
        """Differential entropies, smoothed within each trial."""
        if access not in self._entropies:
            found = entropies(self.store, self.trials, self.electrodes, access)
            self._entropies[access] = found.smoothed(self.experiment.smoothing, access)
        return self._entropies[access]

    def covariances(self, access: Access) -> Windowed:
        """Covariances of the channels; they are not smoothed, the mean of such matrices being no matter of features."""
        if access not in self._covariances:
            self._covariances[access] = covariances(self.store, self.trials, self.electrodes, access)
        return self._covariances[access]


@dataclass(frozen=True)
class Work:
    """One row, one fold, one seed.

    Attributes:
        bench: The data.
        fold: The sides.
        seed: Of everything random in the row.
        access: The variants that are asked for.
    """

    bench: Bench
    fold: Fold
    seed: int
    access: tuple[Access, ...]

    @property
    def trials(self) -> Trials:
        """Of the bench."""
        return self.bench.trials

    def smoothed(self, found: Windowed, access: Access) -> Windowed:
        """As the experiment says."""
        return found.smoothed(self.bench.experiment.smoothing, access)

    def tested(self, probabilities: np.ndarray) -> Windowed:
        """One window for each tested trial, of rows that do not look at signals."""
        return Windowed(probabilities, np.asarray(self.fold.test, dtype=np.int64))
