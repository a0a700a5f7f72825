"""The experiment: every row on every fold and seed, side by side, each written down as soon as it is done."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, as_completed
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from threadpoolctl import threadpool_limits

from biosig.errors import BiosigError
from finetune.diagnosis.rivals import processes
from finetune.emotion.bench import Bench, Experiment, Work
from finetune.emotion.leakage import audit
from finetune.emotion.linear import by_trial
from finetune.emotion.log import Finished, Log
from finetune.emotion.protocols import Access
from finetune.emotion.rivals import RIVALS

#: Digits of a probability in the log.
_DIGITS = 6


@dataclass(frozen=True)
class Wanted:
    """What is asked of an experiment.

    Attributes:
        rows: Names in `RIVALS`.
        seeds: Repetitions.
        access: Variants.
    """

    rows: tuple[str, ...]
    seeds: tuple[int, ...]
    access: tuple[Access, ...]


@dataclass(frozen=True)
class Job:
    """One row, one fold, one seed."""

    row: str
    fold: int
    seed: int


def jobs(bench: Bench, wanted: Wanted) -> Iterator[Job]:
    """All there is to do, the first seed of every row first: a run that is broken off has a whole table early."""
    for seed in wanted.seeds:
        for row in wanted.rows:
            for fold in range(len(bench.folds(seed))):
                yield Job(row, fold, seed)


def carry_out(experiment: Experiment, access: tuple[Access, ...], job: Job) -> Finished:
    """One job; in a process of its own, or here."""
    began = time.perf_counter()
    bench = _bench(experiment)
    rival = RIVALS[job.row]
    fold = bench.folds(job.seed)[job.fold]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            outcome = rival.run(Work(bench, fold, job.seed, rival.variants(access)))
    except BiosigError as error:
        raise BiosigError(f"row {job.row}, seed {job.seed}: {error}") from error
    finally:
        torch.set_num_threads(threads)
    probabilities, tested = {}, ()
    for one, windows in outcome.predictions.items():
        trials, found = by_trial(windows.values, windows.trial)
        tested = tuple(trials.tolist())
        probabilities[one.value] = [[round(float(value), _DIGITS) for value in row] for row in found]
    assert set(tested) == set(fold.test), f"{job}: not every trial was judged"
    seconds = round(time.perf_counter() - began, 3)
    return Finished(job.row, job.fold, job.seed, tested, probabilities, dict(outcome.details), seconds)


def run(
    bench: Bench,
    log: Log,
    wanted: Wanted,
    *,
    workers: int | None = None,
    done: Callable[[Finished], None] = lambda _: None,
) -> None:
    """Do what is not in the log yet.

    Args:
        bench: The experiment, opened.
        log: Where finished folds are, and go.
        wanted: Rows, seeds and variants.
        workers: Processes, one thread each; 0 works in this one.
        done: Told of every fold that is finished now.

    Raises:
        LeakageError: If a fold does not keep its sides apart.
    """
    experiment = bench.experiment
    for seed in wanted.seeds:
        audit(bench.folds(seed), bench.trials, experiment.plan.protocol, bench.store)
    left = [job for job in jobs(bench, wanted) if (job.row, job.fold, job.seed) not in log.finished]
    if not left:
        return
    with processes(workers) as pool:
        running: list[Future[Finished]] = []
        for job in left:
            future = pool.submit(carry_out, experiment, wanted.access, job)
            if future.done():  # a pool without processes works as it is told; what is done is written down at once
                log.add(future.result())
                done(future.result())
            else:
                running.append(future)
        for future in as_completed(running):
            found = future.result()
            log.add(found)
            done(found)


def describe(bench: Bench, access: tuple[Access, ...]) -> dict[str, Any]:
    """What decides the numbers, for the head of the log."""
    experiment = bench.experiment
    return {
        "store": bench.store.fingerprint,
        "target": experiment.target.text,
        **asdict(experiment.plan),
        "smoothing": experiment.smoothing.value,
        **asdict(experiment.budget),
        "access": [one.value for one in access],
    }


@lru_cache(maxsize=1)
def _bench(experiment: Experiment) -> Bench:
    return Bench(experiment)


def log_path(out: Path) -> Path:
    """Where finished folds are written."""
    return out / "folds.jsonl"
