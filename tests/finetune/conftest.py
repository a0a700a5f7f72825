"""A task that can be learned: labels that are linear in the features, people with several records."""

from __future__ import annotations

import numpy as np
import pytest

from finetune.protocols import Role, Task


def make_task(n_subjects: int = 200, n_concepts: int = 4, *, seed: int = 0, prevalence: float = 0.2) -> Task:
    """Every third person has two records; sides are 60, 15 and 25 % of the people."""
    generator = np.random.default_rng(seed)
    subject_of = np.concatenate([np.arange(n_subjects), np.arange(0, n_subjects, 3)])
    labels = generator.random((len(subject_of), n_concepts)) < prevalence
    share = subject_of / n_subjects
    return Task(
        concepts=tuple(f"concept-{k}" for k in range(n_concepts)),
        labels=labels,
        known=np.ones_like(labels),
        subjects=np.array([f"sim/p{i:04d}" for i in subject_of]),
        rows={
            Role.TRAIN: np.flatnonzero(share < 0.6),
            Role.VALIDATION: np.flatnonzero((share >= 0.6) & (share < 0.75)),
            Role.TEST: np.flatnonzero(share >= 0.75),
        },
        scored=np.ones(n_concepts, bool),
    )


@pytest.fixture
def task() -> Task:
    return make_task()


def features_of(task: Task, *, signal: float, dim: int = 24, seed: int = 0) -> np.ndarray:
    """Noise, plus each concept's label along a direction of its own."""
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(len(task.concepts), dim))
    noise = generator.normal(size=(len(task.labels), dim))
    return (signal * task.labels @ directions + noise).astype(np.float32)
