"""The rivals' work, side by side: one process a core, each with one thread.

Small convolutions gain little from threads, and lose much when one of them has to wait; independent trainings gain all
of another core. Each process has its own random state, so the numbers do not depend on how many there are.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int

from finetune.adaptation.encoder import adapt
from finetune.diagnosis.choices import Adaptation
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.reading import classifier_of, reader_of
from finetune.diagnosis.scratch import Budget, train
from finetune.embedding import Embedded
from finetune.heads.linear import LinearHead
from finetune.protocols import Role, Task
from pretrain.models.foundation import FoundationModel, random_like


@dataclass(frozen=True)
class Job:
    """One training.

    Attributes:
        seed: Of the weights, the order and the windows.
        rows: Whose labels may be used.
        head: The linear probe on those rows of the encoder that the training starts with.
        adaptation: What moves of the pretrained encoder; None starts with random weights, which all move alike.
        judged: Who is scored afterwards; the test side by default.
    """

    seed: int
    rows: Int[np.ndarray, " chosen"]
    head: LinearHead
    adaptation: Adaptation | None = None
    judged: Int[np.ndarray, " judged"] | None = None

    def __post_init__(self) -> None:
        # A pool sends tensors by moving them to shared memory, from a thread of its own: whoever computes with the
        # same weights meanwhile may read what was there before.
        object.__setattr__(self, "head", deepcopy(self.head))


@dataclass(frozen=True)
class Finished:
    """What came of a job.

    Attributes:
        scores: Probabilities of the records that are judged.
        validation: Of the validation records.
        steps: Optimiser steps that were taken.
        best_step: The step whose weights were kept.
        validation_auroc: Macro AUROC on validation there.
        seconds: Wall time.
    """

    scores: Float32[np.ndarray, "row concept"]
    validation: Float32[np.ndarray, "row concept"]
    steps: int
    best_step: int
    validation_auroc: float
    seconds: float


@contextmanager
def processes(workers: int | None = None) -> Iterator[Executor]:
    """A pool for `read_random` and `train_one`. What has not begun on leaving is cancelled.

    Args:
        workers: Processes; 0 works in this one. As many as there are cores by default, and 0 where there is a GPU,
            which processes would only share.
    """
    cores = os.cpu_count() or 1
    if workers is None:
        workers = 0 if torch.cuda.is_available() else cores
    if workers == 0:
        yield _Here()
        return
    threads = torch.get_num_threads()
    # Forked processes inherit locks of threads that they do not have.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=torch.set_num_threads, initargs=(1,))
    try:
        torch.set_num_threads(max(1, cores - workers))
        yield pool
    finally:
        torch.set_num_threads(threads)
        pool.shutdown(cancel_futures=True)


class _Here(Executor):
    """Does what it is given at once."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def read_random(folder: Path, stores: Sequence[Path], rows: Int[np.ndarray, " side"], seed: int) -> Embedded:
    """What a random encoder of the model's architecture says of the rows."""
    return _records(tuple(stores)).embed(random_like(_model(folder), seed), rows)


def train_one(folder: Path, stores: Sequence[Path], task: Task, budget: Budget, job: Job) -> Finished:
    """Carry out a job."""
    began = time.perf_counter()
    model, records = _model(folder), _records(tuple(stores))
    torch.manual_seed(job.seed)
    groups = None
    if job.adaptation is None:
        tower = random_like(model, job.seed).signal
    else:
        tower = deepcopy(model.signal)
        groups = adapt(tower, job.adaptation, learning_rate=budget.learning_rate).groups
    network = classifier_of(tower, job.head)
    batch_of, predict = reader_of(model.config.intake, records, half=budget.half)
    trained = train(network, batch_of, predict, task, job.rows, seed=job.seed, budget=budget, groups=groups)
    return Finished(
        scores=predict(trained.network, task.rows[Role.TEST] if job.judged is None else job.judged),
        validation=trained.validation,
        steps=trained.steps,
        best_step=trained.best_step,
        validation_auroc=trained.validation_auroc,
        seconds=time.perf_counter() - began,
    )


@lru_cache(maxsize=2)
def _model(folder: Path) -> FoundationModel:
    return FoundationModel.from_pretrained(folder)


@lru_cache(maxsize=1)
def _records(paths: tuple[Path, ...]) -> Joined:
    return Joined.opened(paths)
