"""Makes the scores of every row of the table: pretrained, random and from scratch, under each protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32
from torch import Tensor

from biosig.store import Store
from finetune.bootstrap import N_DRAWS
from finetune.embedding import mean_over_windows
from finetune.probe import Probe, fit_probe
from finetune.protocols import Role, Task, nested_fractions
from finetune.result import Encoder, Protocol
from finetune.rivals import Finished, Job, trainings
from finetune.scratch import Budget
from finetune.summary import Run
from finetune.zero_shot import by_concepts, by_sentences
from ontology.graph import ConceptGraph
from pretrain.model import FoundationModel, random_like


@dataclass(frozen=True)
class Options:
    """What is asked.

    Attributes:
        zero_shot: Whether to score without labels.
        probe: Whether to score with labels: probes, and training from scratch.
        fractions: Shares of the training labels.
        seeds: Repetitions: of the label draw, of the random encoder, of training from scratch.
        draws: Of the bootstrap.
        budget: Of training from scratch.
    """

    zero_shot: bool = True
    probe: bool = True
    fractions: tuple[float, ...] = (0.01, 0.1, 1.0)
    seeds: int = 3
    draws: int = N_DRAWS
    budget: Budget = field(default_factory=Budget)

    @property
    def stages(self) -> int:
        """How often an evaluation says what begins."""
        encoders = 1 + self.seeds
        with_labels = len(self.fractions) * (2 + self.seeds) if self.probe else 0
        return 3 + encoders + 2 * self.zero_shot + with_labels


class Bench:
    """One model, one store, one task.

    Every record goes through a frozen encoder once; probes and zero-shot scores share what comes out.

    Args:
        model: The pretrained model.
        folder: Where it was loaded from.
        store: What it is scored on.
        task: Labels and roles.
        graph: The words of the concepts.
        options: Which rows.
        say: Told what begins, for a progress display.

    Attributes:
        rows: The store rows on any side.
        features: Of the pretrained encoder once it has read, a row for each row of the store; zero on no side.
        probe: The pretrained encoder's probe with most labels, once it was fitted.
    """

    def __init__(
        self,
        model: FoundationModel,
        folder: Path,
        store: Store,
        task: Task,
        *,
        graph: ConceptGraph,
        options: Options,
        say: Callable[[str], None],
    ) -> None:
        self.model, self.folder, self.store, self.task = model, folder, store, task
        self.graph, self.options, self.say = graph, options, say
        self.rows = np.sort(np.concatenate([task.rows[role] for role in Role]))
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.chosen = [nested_fractions(task, options.fractions, seed=seed) for seed in range(options.seeds)]
        self.features = np.zeros((len(store), 0), np.float32)
        self.probe: Probe | None = None

    def runs(self) -> Iterator[Run]:
        """The scores of every row of the table; trainings from scratch go on beside everything else."""
        jobs = [
            Job(fraction, seed, self.chosen[seed][fraction])
            for fraction in sorted(self.options.fractions, reverse=True)
            for seed in range(self.options.seeds)
            if self.options.probe
        ]
        with trainings(self.folder, self.store.path, self.task, jobs, budget=self.options.budget) as begun:
            yield from self._frozen(Encoder.PRETRAINED, [self.model])
            yield from self._frozen(
                Encoder.RANDOM, [random_like(self.model, seed) for seed in range(self.options.seeds)]
            )
            for fraction in self.options.fractions if self.options.probe else ():
                yield self._scratch(
                    fraction, [(job, one) for job, one in zip(jobs, begun, strict=True) if job.fraction == fraction]
                )

    def _frozen(self, encoder: Encoder, models: Sequence[FoundationModel]) -> Iterator[Run]:
        features, spheres = [], []
        for number, model in enumerate(models, start=1):
            self.say(f"{encoder.value} encoder {number} of {len(models)} reads every record")
            both = self._embed(model)
            features.append(both[0])
            spheres.append(both[1])
        if encoder is Encoder.PRETRAINED:
            self.features = features[0]
        if self.options.zero_shot:
            self.say(f"zero-shot, {encoder.value}")
            if self.model.text is not None:
                yield self._zero_shot(Protocol.ZERO_SHOT_SENTENCES, encoder, models, spheres)
            if self.model.concept is not None:
                yield self._zero_shot(Protocol.ZERO_SHOT_CONCEPTS, encoder, models, spheres)
        if self.options.probe:
            for fraction in self.options.fractions:
                self.say(f"linear probe, {encoder.value}, {100 * fraction:g} % of labels")
                yield self._probes(encoder, features, fraction)

    def _zero_shot(
        self,
        protocol: Protocol,
        encoder: Encoder,
        models: Sequence[FoundationModel],
        spheres: Sequence[Float32[np.ndarray, "row dim"]],
    ) -> Run:
        run, test = Run(encoder, protocol), self.task.rows[Role.TEST]
        began = time.perf_counter()
        for seed, (model, sphere) in enumerate(zip(models, spheres, strict=True)):
            if protocol is Protocol.ZERO_SHOT_SENTENCES:
                scores = by_sentences(sphere[test], model.encode_text, self.graph, self.task.concepts)
            else:
                scores = by_concepts(sphere[test], model.encode_concepts(), model.concepts, self.task.concepts)
            run.seeds.append(seed)
            run.scores.append(scores)
        run.seconds = time.perf_counter() - began
        return run

    def _probes(self, encoder: Encoder, features: Sequence[Float32[np.ndarray, "row dim"]], fraction: float) -> Run:
        """One probe a seed; with all labels and one encoder nothing is left to chance, and one probe is enough."""
        run, test = Run(encoder, Protocol.PROBE, fraction), self.task.rows[Role.TEST]
        n_seeds = 1 if fraction == 1 and len(features) == 1 else self.options.seeds
        began = time.perf_counter()
        for seed in range(n_seeds):
            feature, chosen = features[seed % len(features)], self.chosen[seed][fraction]
            probe = fit_probe(feature, self.task, chosen)
            run.seeds.append(seed)
            run.train_rows.append(chosen)
            run.scores.append(probe.probabilities(feature[test]))
            run.details.setdefault("C", []).append(probe.c)
            run.details.setdefault("validation_auroc", []).append(round(probe.validation_auroc[probe.c], 4))
            if encoder is Encoder.PRETRAINED and seed == 0 and fraction == max(self.options.fractions):
                self.probe = probe
        run.seconds = time.perf_counter() - began
        return run

    def _scratch(self, fraction: float, begun: Sequence[tuple[Job, Future[Finished]]]) -> Run:
        run = Run(Encoder.SCRATCH, Protocol.SUPERVISED, fraction)
        for job, future in begun:
            self.say(f"from scratch, {100 * fraction:g} % of labels, seed {job.seed + 1} of {len(begun)}")
            finished = future.result()
            run.seeds.append(job.seed)
            run.train_rows.append(job.rows)
            run.scores.append(finished.scores)
            run.details.setdefault("steps", []).append(finished.steps)
            run.details.setdefault("best_step", []).append(finished.best_step)
            run.details.setdefault("validation_auroc", []).append(round(finished.validation_auroc, 4))
            run.seconds += finished.seconds
        return run

    def _embed(self, model: FoundationModel) -> tuple[Float32[np.ndarray, "row dim"], Float32[np.ndarray, "row dim"]]:
        """Features, and vectors on the sphere, of every row; the encoder runs once for both."""
        model.eval().to(self.device)

        def both(one: dict[str, Tensor]) -> Tensor:
            pooled = model.embed(one)
            return torch.cat([pooled, model.signal(pooled)], dim=1)

        found = mean_over_windows(both, model.config.intake.plan(self.store, self.rows), self.device)
        every = np.zeros((len(self.store), found.shape[1]), np.float32)
        every[self.rows] = found
        width = model.signal.encoder.dim
        return every[:, :width], every[:, width:]
