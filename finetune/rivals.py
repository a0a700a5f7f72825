"""Trainings from scratch, side by side: one process a core, each with one thread.

Small convolutions gain little from threads, and lose much when one of them has to wait; independent trainings gain all
of another core. Each process has its own random state, so the numbers do not depend on how many there are.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int
from torch import Tensor, nn

from biosig.store import Store, batch
from finetune.embedding import mean_over_windows
from finetune.probe import fit_probe
from finetune.protocols import Role, Task
from finetune.scratch import Budget, Classifier, train
from pretrain.model import FoundationModel, random_like


@dataclass(frozen=True)
class Job:
    """One training: the rows whose labels it may use, and a seed for weights, order and windows."""

    fraction: float
    seed: int
    rows: Int[np.ndarray, " chosen"]


@dataclass(frozen=True)
class Finished:
    """What came of a job.

    Attributes:
        scores: Probabilities of the test records.
        steps: Optimiser steps that were taken.
        best_step: The step whose weights were kept.
        validation_auroc: Macro AUROC on validation there.
        seconds: Wall time.
    """

    scores: Float32[np.ndarray, "row concept"]
    steps: int
    best_step: int
    validation_auroc: float
    seconds: float


@contextmanager
def trainings(
    folder: Path, store: Path, task: Task, jobs: Sequence[Job], *, budget: Budget, workers: int | None = None
) -> Iterator[list[Future[Finished]]]:
    """Begin all jobs; their results come when asked for. What has not begun on leaving is cancelled.

    Args:
        folder: Of the model whose architecture is trained.
        store: Of the records.
        task: Labels and roles.
        jobs: What to train; those that take longest should come first.
        budget: Of each training.
        workers: Processes; as many as there are cores by default, and one where there is a GPU.
    """
    cores = os.cpu_count() or 1
    if workers is None:
        workers = 1 if torch.cuda.is_available() else cores
    workers = max(1, min(workers, len(jobs)))
    # Forked processes inherit locks of threads that they do not have.
    context = multiprocessing.get_context("spawn")
    threads = torch.get_num_threads()
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=torch.set_num_threads, initargs=(1,))
    try:
        torch.set_num_threads(max(1, cores - workers))
        yield [pool.submit(train_one, folder, store, task, budget, job) for job in jobs]
    finally:
        torch.set_num_threads(threads)
        pool.shutdown(cancel_futures=True)


def train_one(folder: Path, store: Path, task: Task, budget: Budget, job: Job) -> Finished:
    """Carry out a job."""
    began = time.perf_counter()
    model, opened = _model(folder), _store(store)
    intake = model.config.intake
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(job.seed)

    def batch_of(rows: Int[np.ndarray, " row"], generator: np.random.Generator) -> dict[str, Tensor]:
        room = np.maximum(opened.samples[rows] - intake.samples, 0)
        windows = batch(opened, rows, generator.integers(0, room, endpoint=True), intake.samples)
        return {name: value.to(device) for name, value in windows.items()}

    def predict(network: nn.Module, rows: Int[np.ndarray, " row"]) -> Float32[np.ndarray, "row concept"]:
        with torch.autocast(device.type, torch.bfloat16, enabled=budget.half):
            return mean_over_windows(partial(_probabilities, network), intake.plan(opened, rows), device)

    tower = random_like(model, job.seed).signal.to(device)
    rows = np.concatenate([job.rows, task.rows[Role.VALIDATION]])
    features = np.zeros((len(opened), tower.encoder.dim), np.float32)
    features[rows] = mean_over_windows(tower.pooled, intake.plan(opened, rows), device)
    network = Classifier(tower, tower.pooled, fit_probe(features, task, job.rows).head).to(device)
    trained = train(network, batch_of, predict, task, job.rows, seed=job.seed, budget=budget)
    return Finished(
        scores=predict(trained.network, task.rows[Role.TEST]),
        steps=trained.steps,
        best_step=trained.best_step,
        validation_auroc=trained.validation_auroc,
        seconds=time.perf_counter() - began,
    )


def _probabilities(network: nn.Module, windows: dict[str, Tensor]) -> Tensor:
    logits: Tensor = network(windows)
    return logits.float().sigmoid()


@lru_cache(maxsize=1)
def _model(folder: Path) -> FoundationModel:
    return FoundationModel.from_pretrained(folder)


@lru_cache(maxsize=1)
def _store(path: Path) -> Store:
    return Store(path)
