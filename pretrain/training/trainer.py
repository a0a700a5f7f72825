"""The loop: steps, validation, checkpoints and a log, the same numbers whether or not it was interrupted."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass

import torch
from lightning_fabric import Fabric
from rich.console import Console
from torch import Tensor

from pretrain.data.parts import Parts
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import LossError, TrainingError
from pretrain.parallel.distributed import ALONE, Processes
from pretrain.parallel.launch import fabric_of
from pretrain.parallel.sharding import clip_gradients
from pretrain.probes import probes_of
from pretrain.specs.execution import Precision
from pretrain.specs.recipe import Recipe
from pretrain.training.allocator import keep_freed_memory
from pretrain.training.checkpoint import Checkpoints
from pretrain.training.diagnosis import culprits, listed
from pretrain.training.feed import Feed
from pretrain.training.gradcache import GradCache
from pretrain.training.history import Best, History, best_of
from pretrain.training.learner import Learner
from pretrain.training.optimiser import adamw
from pretrain.training.precision import resolve_precision
from pretrain.training.profiling import show_profile
from pretrain.training.progress import Display
from pretrain.training.reporter import Reporter
from pretrain.training.rng import draw_key
from pretrain.training.run import Run
from pretrain.training.tally import Tally
from pretrain.training.timing import Part, StepClock


@dataclass(frozen=True)
class Outcome:
    """What a loop did.

    Attributes:
        first_step: Where it began: 0, or the checkpoint it resumed from.
        steps: Where it ended.
        seconds: Wall time of this session.
        records: Records seen in this session.
        losses: The last in the log, by name: means over the steps since the line before that had them.
        validation: Of the last validation, by name; empty without validation records.
        best: The best validation; None without validation records.
    """

    first_step: int
    steps: int
    seconds: float
    records: int
    losses: Mapping[str, float]
    validation: Mapping[str, float]
    best: Best | None


class Trainer:
    """Trains a learner on data as a recipe says.

    Everything that a step does is a function of the weights, the moments, the step's number and the random state; all
    of it is in a checkpoint. So a run that is killed and resumed ends, on the same CPU, with the same bits.

    Several processes do the same steps on the same batches, each with its share of the records
    (`pretrain.parallel.distributed`), and all compute the same losses. Only the first one writes; the others must see
    its files. A checkpoint does not depend on how many they were.

    Args:
        recipe: What to do.
        learner: Model and objectives, initialised.
        data: Batches.
        run: Where log and checkpoints go.
        console: Where progress is shown.
        fabric: The processes that share the run; this one alone by default.

    Raises:
        TrainingError: If there are more processes than records in a batch.
    """

    def __init__(
        self,
        recipe: Recipe,
        learner: Learner,
        data: PretrainingData,
        run: Run,
        console: Console | None = None,
        *,
        fabric: Fabric | None = None,
    ) -> None:
        self.recipe, self.learner, self.data, self.run = recipe, learner, data, run
        self.console = console or Console(stderr=True)
        self.fabric = fabric or fabric_of(recipe.training, alone=True)
        self.processes = Processes(self.fabric.global_rank, self.fabric.world_size)
        if recipe.optimiser.batch_size < self.processes.count:
            raise TrainingError(
                f"optimiser.batch_size: expected at least a record for each of {self.processes.count} processes, "
                f"got {recipe.optimiser.batch_size}"
            )
        self.precision = resolve_precision(recipe.training.precision, recipe.training.device)
        learner.bf16 = self.precision is Precision.BF16
        learner.processes = self.processes
        if self.fabric.device.type == "cpu":
            keep_freed_memory()
        self.module = self.fabric.setup_module(learner)
        self.optimiser = adamw(learner, recipe.optimiser)
        self.wrapped = self.fabric.setup_optimizers(self.optimiser)
        self.cache = GradCache(learner, recipe.optimiser.micro_batch, fabric=self.fabric, module=self.module)
        # The first one removes what a killed writer has left.
        with self.fabric.rank_zero_first():
            self.checkpoints = Checkpoints(
                run.checkpoints, recipe.training.keep_checkpoints, writes=self.processes.leads
            )
        self.losses: dict[str, float] = {}
        self.tally = Tally()
        self.validation: dict[str, float] = {}
        self.best: Best | None = None
        self.probed: dict[str, float] = {}
        self.probes = probes_of(recipe, learner, data, self.processes, self.console) if recipe.training.probes else {}
        if recipe.training.profile:
            learner.clock = StepClock(self.fabric.device)
        self.feed = Feed(data, self.processes, self.fabric.device, learner.clock)

    def fit(self, *, resume: bool = False) -> Outcome:
        """Train to the last step.

        Args:
            resume: Go on from the newest checkpoint, if there is one.

        Raises:
            TrainingError: If a loss or gradient is not finite (naming the records of the batch), or a checkpoint cannot
                be loaded.
        """
        spec, training = self.recipe.optimiser, self.recipe.training
        first = self._restore() if resume else 0
        display = Display(self.console, total=spec.steps, done=first)
        batches = closing(self.feed.training(first, spec.steps))
        with (
            Reporter(self.run, first, training, writes=self.processes.leads) as self.reporter,
            batches as feed,
            display,
        ):
            if first == 0:
                self._probe(0)
            began = time.perf_counter()
            for step, batch in feed:
                rate = spec.learning_rate_at(step)
                norm = self._step(step, batch, rate)
                done = step + 1
                speed = (done - first) * spec.batch_size / (time.perf_counter() - began)
                display.advance(done, self.losses.get("loss"), self.validation.get("loss"), speed, self.probed)
                if done % training.log_every == 0 or done == spec.steps:
                    self.reporter.write(
                        {"step": done, "epoch": self.data.epoch(step), "train": self.tally.means()}
                        | {"learning_rate": rate, "gradient_norm": norm, "records_per_second": round(speed, 1)}
                    )
                    self.tally = Tally()
                if training.probes and (done % training.probes.every == 0 or done == spec.steps):
                    self._probe(done)
                if done % training.validate_every == 0 or done == spec.steps:
                    self._validate(done)
                    display.note(done, self.losses.get("loss"), self.validation.get("loss"), self.probed)
                if done % training.checkpoint_every == 0 or done == spec.steps or self._is_best(done):
                    self._save(done)
                self.learner.clock.end_step()
            self._profile(spec.steps)
        seconds = time.perf_counter() - began
        records = (spec.steps - first) * spec.batch_size
        return Outcome(first, spec.steps, seconds, records, self.losses, self.validation, self.best)

    def _step(self, step: int, batch: Parts, rate: float) -> float:
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.module.train()
        # From here the step draws what it needs; to find a fault it is done again.
        state = torch.get_rng_state()
        try:
            losses = self.cache.backward(batch)
        except LossError as error:
            raise TrainingError(f"step {step + 1}: {error}; {self._named(batch, state)}") from error
        with self.learner.clock.part(Part.OPTIMISER):
            found = {name: float(value) for name, value in losses.items()}
            # The sum is no use to who looks for the term that made it so.
            self._finite("loss", dict(sorted(found.items(), key=lambda one: one[0] == "loss")), step, batch, state)
            self.tally.add(found, self.data.group(step))
            self.losses |= self.tally.means()
            norm = clip_gradients(self.learner, self.recipe.optimiser.clip_norm)
            self._finite("gradient", {"norm": norm}, step, batch, state)
            self.wrapped.step()
            self.wrapped.zero_grad()
        return norm

    def _finite(self, what: str, values: Mapping[str, float], step: int, batch: Parts, state: Tensor) -> None:
        bad = next((name for name, value in values.items() if not math.isfinite(value)), None)
        if bad is not None:
            raise TrainingError(f"step {step + 1}: {what} {bad} is {values[bad]}; {self._named(batch, state)}")

    def _named(self, batch: Parts, state: Tensor) -> str:
        """Which records are at fault, and all records of the batch; all processes find the same fault, and ask."""
        torch.set_rng_state(state)
        names = self.data.names({"row": self.processes.gather(batch["row"]).cpu()})
        batch = Parts(batch.made, batch.count)
        found = culprits(self.learner, batch, draw_key())
        fault = "no record by itself is at fault"
        if found is not None:
            what, which = found
            fault = f"{what}: {listed([names[place] for place in which.nonzero().flatten().tolist()])}"
        return f"{fault}; records of the batch: {listed(names)}"

    def _probe(self, step: int) -> None:
        with self.learner.clock.part(Part.PROBES):
            self.module.eval()
            self.probed = {
                f"{name}/{what}": value for name, probe in self.probes.items() for what, value in probe().items()
            }
        if self.probed:
            self.reporter.write({"step": step, "probes": self.probed})

    def _profile(self, step: int) -> None:
        profile = self.learner.clock.profile()
        if profile is None:
            return
        own = torch.tensor([list(profile.seconds.values())], device=self.fabric.device, dtype=torch.float64)
        seconds = self.processes.gather(own).cpu()
        show_profile(profile, seconds.tolist(), self.console)
        mean = dict(zip(profile.seconds, seconds.mean(0).tolist(), strict=True))
        self.reporter.write({"step": step, "profile": mean, "profiled_steps": profile.steps})

    def _validate(self, step: int) -> None:
        """Mean losses over the validation batches of each group; of all groups, as training weighs them."""
        with self.learner.clock.part(Part.VALIDATION):
            tally, records = self._validated()
        if tally.sums:
            self.validation = tally.means()
            finite = {name: value if math.isfinite(value) else None for name, value in self.validation.items()}
            self.reporter.write({"step": step, "validation": finite, "records": records})
            self.best = best_of(self.best, step, self.validation, self.recipe.training.watch)

    def _validated(self) -> tuple[Tally, int]:
        self.module.eval()
        tally, records = Tally(), 0
        for group, sampler in self.data.validation.items():
            # A batch too small to be shared is everybody's.
            self.learner.processes = self.processes if sampler.size >= self.processes.count else ALONE
            batches = self.feed.validation(group, self.learner.processes)
            found = [self.cache.evaluate(batch) for batch in batches]
            records += sampler.size * len(found)
            for losses in found:
                values = {name: float(value) for name, value in losses.items()}
                tally.add(values, group, self.data.shares[group] / len(found))
        self.learner.processes = self.processes
        return tally, records

    def _is_best(self, step: int) -> bool:
        return self.best is not None and self.best.step == step

    def _save(self, done: int) -> None:
        with self.learner.clock.part(Part.CHECKPOINT):
            if self.processes.leads:
                # What it tells of these steps must be on the disk before the steps are: they are not done again.
                self.run.flush_log()
            history = History(self.losses, self.validation, self.best, self.tally.sums)
            self.checkpoints.save(done, self.learner, self.optimiser, self.data.position(done), history)

    def _restore(self) -> int:
        steps = self.checkpoints.steps()
        if self.processes.leads:
            # What was known before the first step is found out again.
            self.run.cut_log(steps[-1] if steps else -1)
        if not steps:
            return 0
        self.console.print(f"resumed after step {steps[-1]} of {self.recipe.optimiser.steps}", highlight=False)
        position, history = self.checkpoints.load(steps[-1], self.learner, self.optimiser)
        self.losses, self.validation, self.best = dict(history.losses), dict(history.validation), history.best
        self.tally = Tally(history.tally)
        # A writer may have been killed before it had dropped what need not stay.
        self.checkpoints.prune(history)
        expected = self.data.position(steps[-1])
        if position != expected:
            raise TrainingError(f"{self.run.folder}: the sampler was at {position}, these data would be at {expected}")
        return steps[-1]
