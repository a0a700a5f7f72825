"""Who predicts: nothing, age and sex, random encoders, encoders trained from scratch, and the pretrained one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int

from biosig.store import Store
from finetune.adaptation.encoder import Block, adapt
from finetune.adaptation.lora import merge_low_rank
from finetune.diagnosis.choices import Adaptation
from finetune.diagnosis.rivals import processes, read_random
from finetune.embedding import embed
from finetune.heads.linear import LinearHead
from finetune.metrics.bootstrap import N_DRAWS
from finetune.outcomes.covariates import covariates, filled
from finetune.outcomes.linear import Scale, fit_head, predict
from finetune.outcomes.task import OutcomeTask
from finetune.outcomes.training import Budget, Regressor, Trained, reader, tune
from finetune.protocols import Role
from pretrain.models.foundation import FoundationModel, random_like

NO_SIGNAL, RANDOM, SCRATCH, PROBE = "no signal", "random encoder, probe", "from scratch", "pretrained, probe"


@dataclass(frozen=True)
class Options:
    """What is asked.

    Attributes:
        adaptation: What of the pretrained encoder moves.
        seeds: Random encoders, and trainings from scratch.
        draws: Of the bootstrap over test subjects.
        budget: Of each training.
        scratch: Whether to train from scratch as well.
        seed: Of the adaptation.
        workers: Processes for the rivals; see `finetune.diagnosis.rivals.processes`.
        beside: By name, a number of every store row that others predict with, as a clinical score; NaN is the mean.
    """

    adaptation: Adaptation = Adaptation.PROBE
    seeds: int = 3
    draws: int = N_DRAWS
    budget: Budget = field(default_factory=Budget)
    scratch: bool = True
    seed: int = 0
    workers: int | None = None
    beside: Mapping[str, Float64[np.ndarray, " row"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """What one row says of the records that judge, in the target's own unit (of survival: log hazard ratios).

    Attributes:
        name: Of the row.
        seeds: Of each repetition.
        test: Of each test record, for each seed.
        validation: The same of validation.
        details: What was chosen.
        seconds: Wall time.
    """

    name: str
    seeds: tuple[int, ...]
    test: list[Float64[np.ndarray, " row"]]
    validation: list[Float64[np.ndarray, " row"]]
    details: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Chosen:
    """The pretrained encoder as it is handed on: adapted, with its head.

    Attributes:
        model: Changed if the encoder was adapted.
        head: Of its features.
        blocks: Which parts of the encoder moved.
        facts: Of the training.
    """

    model: FoundationModel
    head: LinearHead
    blocks: tuple[Block, ...]
    facts: dict[str, Any]


class Bench:
    """One model, one store, one outcome.

    Args:
        model: The pretrained model; an adaptation changes it.
        folder: Where it was loaded from.
        store: What it is fitted to and scored on.
        task: Target and sides.
        options: Which rows.
        say: Told what begins, for a progress display.

    Attributes:
        chosen: What is handed on, once `runs` is through.
    """

    def __init__(
        self,
        model: FoundationModel,
        folder: Path,
        store: Store,
        task: OutcomeTask,
        *,
        options: Options,
        say: Callable[[str], None],
    ) -> None:
        self.model, self.folder, self.store, self.task = model, folder, store, task
        self.options, self.say = options, say
        self.scale = Scale.of(task)
        self.rows = np.sort(np.concatenate([task.rows[role] for role in Role]))
        self.chosen: Chosen | None = None

    def runs(self) -> Iterator[Run]:
        """The rows of the table, from those that know least; the last is what is handed on."""
        seeds = range(self.options.seeds)
        with processes(self.options.workers) as pool:
            reading = [pool.submit(read_random, self.folder, [self.store.path], self.rows, seed) for seed in seeds]
            self.say("without a signal")
            yield self._constant()
            yield from self._covariates()
            self.say("random encoders read every record")
            randoms = [future.result().features for future in reading]
            fitted = [fit_head(one, self.task, self.scale) for one in randoms]
            begun = self._scratch(pool, [one.head for one in fitted])
            said = [
                self._both(partial(_predict_rows, one.head, features))
                for features, one in zip(randoms, fitted, strict=True)
            ]
            yield self._run(RANDOM, said, {"penalty": [one.penalty for one in fitted]})
            if begun:
                yield self._scratch_run(begun)
            yield from self._pretrained()

    def _pretrained(self) -> Iterator[Run]:
        began = time.perf_counter()
        self.say("the pretrained encoder reads every record")
        features = embed(self.model, self.store, self.rows).features
        fitted = fit_head(features, self.task, self.scale)
        said = self._both(partial(_predict_rows, fitted.head, features))
        yield self._run(PROBE, [said], {"penalty": [fitted.penalty]}, time.perf_counter() - began)
        how, budget = self.options.adaptation, self.options.budget
        torch.manual_seed(self.options.seed)
        adapted = adapt(self.model.signal, how, learning_rate=budget.learning_rate)
        head, facts = fitted.head, {"penalty": fitted.penalty, "steps": 0, "best_step": 0}
        if adapted.groups:
            self.say(f"{how.value}: {sum(block.trained for block in adapted.blocks):,} weights of the encoder move")
            network = Regressor(self.model.signal, head)
            intake = self.model.config.intake
            trained = tune(
                network, intake, self.store, self.task, self.scale,
                seed=self.options.seed, budget=budget, groups=adapted.groups,
            )  # fmt: skip
            merge_low_rank(self.model.signal)
            head = network.head.double().cpu()
            self.say("the adapted encoder reads every record")
            features = embed(self.model, self.store, self.rows).features
            said = self._both(partial(_predict_rows, head, features))
            facts |= _facts(trained)
            yield self._run(f"pretrained, {how.value}", [said], _details([trained]), trained.seconds)
        self.model.signal.requires_grad_(True)
        self.chosen = Chosen(self.model, head, adapted.blocks, facts)

    def _constant(self) -> Run:
        """The mean of training; of survival, the same risk for everybody."""
        return self._run(NO_SIGNAL, [self._both(lambda rows: np.zeros(len(rows)))])

    def _covariates(self) -> Iterator[Run]:
        values, names = covariates(self.store, self.task)
        rivals = {" and ".join(names): values} if names else {}
        for name, column in self.options.beside.items():
            rivals[name] = filled(column, self.task)[0][:, None]
        for name, values in rivals.items():
            fitted = fit_head(values, self.task, self.scale)
            said = self._both(partial(_predict_rows, fitted.head, values))
            yield self._run(f"{name}, no signal", [said], {"penalty": [fitted.penalty]})

    def _scratch(self, pool: Executor, heads: list[LinearHead]) -> list[Future[Scratch]]:
        if not self.options.scratch:
            return []
        jobs = [Job(self.task, self.scale, self.options.budget, head, seed) for seed, head in enumerate(heads)]
        return [pool.submit(train_from_scratch, self.folder, self.store.path, job) for job in jobs]

    def _scratch_run(self, begun: list[Future[Scratch]]) -> Run:
        finished = []
        for seed, future in enumerate(begun, start=1):
            self.say(f"from scratch, seed {seed} of {len(begun)}")
            finished.append(future.result())
        trained = [one.trained for one in finished]
        said = [(one.test, one.validation) for one in finished]
        return self._run(SCRATCH, said, _details(trained), sum(one.seconds for one in trained))

    def _both(self, read: Callable[[np.ndarray], Float[np.ndarray, " row"]]) -> tuple[np.ndarray, np.ndarray]:
        """Of the test side, and of validation."""
        return read(self.task.rows[Role.TEST]), read(self.task.rows[Role.VALIDATION])

    def _run(
        self,
        name: str,
        said: list[tuple[np.ndarray, np.ndarray]],
        details: dict[str, Any] | None = None,
        seconds: float = 0.0,
    ) -> Run:
        tested, watched = ([self.scale.centre + self.scale.scale * part[k] for part in said] for k in (0, 1))
        return Run(name, tuple(range(len(said))), tested, watched, details or {}, round(seconds, 2))


@dataclass(frozen=True)
class Job:
    """One training from scratch.

    Attributes:
        task: Target and sides.
        scale: Unit of the network's output.
        budget: What it may spend.
        head: The probe of the random encoder of that seed.
        seed: Of the weights, the order and the windows.
    """

    task: OutcomeTask
    scale: Scale
    budget: Budget
    head: LinearHead
    seed: int

    def __post_init__(self) -> None:
        # As in `finetune.diagnosis.rivals.Job`: a pool moves the tensors it sends.
        object.__setattr__(self, "head", deepcopy(self.head))


@dataclass(frozen=True)
class Scratch:
    """What came of a training from scratch, in the unit of the network."""

    test: Float[np.ndarray, " row"]
    validation: Float[np.ndarray, " row"]
    trained: Trained


def train_from_scratch(folder: Path, store: Path, job: Job) -> Scratch:
    """Train all weights of the model's architecture, from the probe of its random encoder on."""
    model, opened = _model(folder), Store(store)
    torch.manual_seed(job.seed)
    network, intake = Regressor(random_like(model, job.seed).signal, job.head), model.config.intake
    trained = tune(network, intake, opened, job.task, job.scale, seed=job.seed, budget=job.budget)
    read = reader(network, intake, opened, half=job.budget.half)
    return Scratch(read(job.task.rows[Role.TEST]), read(job.task.rows[Role.VALIDATION]), trained)


def _predict_rows(
    head: LinearHead, features: Float[np.ndarray, "row dim"], rows: Int[np.ndarray, " side"]
) -> Float64[np.ndarray, " side"]:
    return predict(head, features[rows])


@lru_cache(maxsize=1)
def _model(folder: Path) -> FoundationModel:
    return FoundationModel.from_pretrained(folder)


def _facts(trained: Trained) -> dict[str, Any]:
    return {"steps": trained.stopped.steps, "best_step": trained.stopped.best_step}


def _details(trained: list[Trained]) -> dict[str, Any]:
    return {name: [_facts(one)[name] for one in trained] for name in ("steps", "best_step")}
