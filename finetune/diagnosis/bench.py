"""Makes the scores of every row of the table: pretrained, random and from scratch, under each protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32

from biosig.store import Store
from finetune.diagnosis.result import Encoder, Protocol
from finetune.diagnosis.rivals import Finished, Job, processes, read_random, train_one
from finetune.diagnosis.scratch import Budget
from finetune.diagnosis.summary import Run
from finetune.embedding import Embedded, embed
from finetune.metrics.bootstrap import N_DRAWS
from finetune.probe import Probe, fit_probe
from finetune.protocols import Role, Task, nested_fractions
from ontology.graph import ConceptGraph
from pretrain.models.foundation import FoundationModel, random_like
from pretrain.zero_shot import by_concepts, by_sentences

_JUDGED = (Role.VALIDATION, Role.TEST)


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
        workers: Processes for the rivals; see `finetune.diagnosis.rivals.processes`.
    """

    zero_shot: bool = True
    probe: bool = True
    fractions: tuple[float, ...] = (0.01, 0.1, 1.0)
    seeds: int = 3
    draws: int = N_DRAWS
    budget: Budget = field(default_factory=Budget)
    workers: int | None = None

    @property
    def stages(self) -> int:
        """How often an evaluation says what begins."""
        with_labels = len(self.fractions) * (2 + self.seeds) if self.probe else 0
        return 5 + 2 * self.zero_shot + with_labels


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
        self.chosen = [nested_fractions(task, options.fractions, seed=seed) for seed in range(options.seeds)]
        self.features: Float32[np.ndarray, "row dim"] = np.zeros((len(store), 0), np.float32)
        self.probe: Probe | None = None

    def runs(self) -> Iterator[Run]:
        """The scores of every row of the table; the random encoders and the trainings are other processes' work."""
        seeds = range(self.options.seeds)
        with processes(self.options.workers) as pool:
            reading = [pool.submit(read_random, self.folder, self.store.path, self.rows, seed) for seed in seeds]
            self.say("the pretrained encoder reads every record")
            ours = embed(self.model, self.store, self.rows)
            self.features = ours.features
            yield from self._zero_shot(Encoder.PRETRAINED, [self.model], [ours])
            for fraction in self._fractions:
                probes = self._fit(Encoder.PRETRAINED, [ours], fraction)
                self.probe = self.probe or probes[0]
                yield self._probe_run(Encoder.PRETRAINED, [ours], fraction, probes)
            self.say("random encoders read every record")
            randoms = [future.result() for future in reading]
            begun: dict[float, list[Future[Finished]]] = {}
            for fraction in self._fractions:
                probes = self._fit(Encoder.RANDOM, randoms, fraction)
                begun[fraction] = [self._train(pool, fraction, seed, probes[seed]) for seed in seeds]
                yield self._probe_run(Encoder.RANDOM, randoms, fraction, probes)
            yield from self._zero_shot(Encoder.RANDOM, [random_like(self.model, seed) for seed in seeds], randoms)
            for fraction in self._fractions:
                yield self._scratch_run(fraction, begun[fraction])

    @property
    def _fractions(self) -> Sequence[float]:
        """With most labels first: their trainings take longest, and should begin first."""
        return sorted(self.options.fractions, reverse=True) if self.options.probe else ()

    def _zero_shot(
        self, encoder: Encoder, models: Sequence[FoundationModel], read: Sequence[Embedded]
    ) -> Iterator[Run]:
        if not self.options.zero_shot:
            return
        self.say(f"zero-shot, {encoder.value}")
        # Validation is scored too, for what a row would name.
        judged, began = np.concatenate([self.task.rows[role] for role in _JUDGED]), time.perf_counter()
        pairs = [(model, one.sphere[judged]) for model, one in zip(models, read, strict=True)]
        concepts = self.task.concepts
        if self.model.text is not None:
            scores = [by_sentences(sphere, model.encode_text, self.graph, concepts) for model, sphere in pairs]
            yield self._zero_shot_run(encoder, Protocol.ZERO_SHOT_SENTENCES, scores, time.perf_counter() - began)
        if self.model.concept is not None:
            scores = [by_concepts(sphere, one.encode_concepts(), one.concepts, concepts) for one, sphere in pairs]
            yield self._zero_shot_run(encoder, Protocol.ZERO_SHOT_CONCEPTS, scores, time.perf_counter() - began)

    def _zero_shot_run(
        self, encoder: Encoder, protocol: Protocol, scores: Sequence[Float[np.ndarray, "row concept"]], seconds: float
    ) -> Run:
        watched, tested = zip(*(np.split(one, [len(self.task.rows[Role.VALIDATION])]) for one in scores), strict=True)
        seeds = list(range(len(scores)))
        return Run(encoder, protocol, None, seeds, list(tested), list(watched), seconds=seconds)

    def _fit(self, encoder: Encoder, read: Sequence[Embedded], fraction: float) -> list[Probe]:
        """One probe a seed; with all labels and one encoder nothing is left to chance, and one probe is enough."""
        self.say(f"linear probe, {encoder.value}, {100 * fraction:g} % of labels")
        n_seeds = 1 if fraction == 1 and len(read) == 1 and encoder is Encoder.PRETRAINED else self.options.seeds
        return [
            fit_probe(read[seed % len(read)].features, self.task, self.chosen[seed][fraction])
            for seed in range(n_seeds)
        ]

    def _probe_run(self, encoder: Encoder, read: Sequence[Embedded], fraction: float, probes: Sequence[Probe]) -> Run:
        seeds = list(range(len(probes)))
        watched, tested = (
            [probes[seed].probabilities(read[seed % len(read)].features[self.task.rows[role]]) for seed in seeds]
            for role in _JUDGED
        )
        return Run(
            encoder,
            Protocol.PROBE,
            fraction,
            seeds,
            tested,
            watched,
            [self.chosen[seed][fraction] for seed in seeds],
            {
                "C": [probe.c for probe in probes],
                "validation_auroc": [round(probe.validation_auroc[probe.c], 4) for probe in probes],
            },
            sum(probe.seconds for probe in probes),
        )

    def _train(self, pool: Executor, fraction: float, seed: int, probe: Probe) -> Future[Finished]:
        job = Job(seed, self.chosen[seed][fraction], probe.head)
        return pool.submit(train_one, self.folder, self.store.path, self.task, self.options.budget, job)

    def _scratch_run(self, fraction: float, begun: Sequence[Future[Finished]]) -> Run:
        finished = []
        for seed, future in enumerate(begun, start=1):
            self.say(f"from scratch, {100 * fraction:g} % of labels, seed {seed} of {len(begun)}")
            finished.append(future.result())
        return Run(
            Encoder.SCRATCH,
            Protocol.SUPERVISED,
            fraction,
            list(range(len(begun))),
            [one.scores for one in finished],
            [one.validation for one in finished],
            [self.chosen[seed][fraction] for seed in range(len(begun))],
            {
                "steps": [one.steps for one in finished],
                "best_step": [one.best_step for one in finished],
                "validation_auroc": [round(one.validation_auroc, 4) for one in finished],
            },
            sum(one.seconds for one in finished),
        )
