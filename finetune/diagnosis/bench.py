"""Makes the scores of every row of the table: pretrained, adapted, random and from scratch, under each protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int

from finetune.diagnosis.choices import Adaptation
from finetune.diagnosis.result import ADAPTED, Encoder, Protocol
from finetune.diagnosis.rivals import Finished, Job, processes, read_random, train_one
from finetune.diagnosis.scratch import Budget
from finetune.diagnosis.summary import Run
from finetune.diagnosis.task import Posed
from finetune.embedding import Embedded
from finetune.metrics.bootstrap import N_DRAWS
from finetune.probe import Probe, fit_probe
from finetune.protocols import Role, nested_fractions
from ontology.graph import ConceptGraph
from pretrain.models.foundation import FoundationModel, random_like
from pretrain.zero_shot import by_concepts, by_sentences

#: Of what moves in a pretrained encoder; lower than from scratch.
ADAPTING_RATE = 3e-4


@dataclass(frozen=True)
class Options:
    """What is asked.

    Attributes:
        zero_shot: Whether to score without labels.
        probe: Whether to score with labels: probes, and training from scratch.
        adapt: How to adapt the pretrained encoder besides, with labels.
        fractions: Shares of the training labels.
        seeds: Repetitions: of the label draw, of the random encoder, of training from scratch and of adapting.
        draws: Of the bootstrap.
        budget: Of training from scratch; of adapting too, at a rate of `ADAPTING_RATE`.
        workers: Processes for the rivals; see `finetune.diagnosis.rivals.processes`.
    """

    zero_shot: bool = True
    probe: bool = True
    adapt: tuple[Adaptation, ...] = ()
    fractions: tuple[float, ...] = (0.01, 0.1, 1.0)
    seeds: int = 3
    draws: int = N_DRAWS
    budget: Budget = field(default_factory=Budget)
    workers: int | None = None

    def stages(self, models: int = 1) -> int:
        """How often an evaluation of a model, and of another beside it, says what begins."""
        runs = self.seeds * (1 + len(self.adapt) * models)
        with_labels = len(self.fractions) * (1 + models + runs) if self.probe else 0
        return 4 + models + (1 + models) * self.zero_shot + with_labels


@dataclass(frozen=True)
class Contender:
    """A pretrained model: as a row of the table has it.

    Attributes:
        encoder: Which row.
        model: As loaded.
        folder: Where from.
    """

    encoder: Encoder
    model: FoundationModel
    folder: Path


class Bench:
    """A model, or one and another beside it, and one task.

    Every record goes through a frozen encoder once; probes and zero-shot scores share what comes out.

    Args:
        contenders: The model, whose architecture the rivals have, and perhaps another beside it.
        posed: Records, labels and roles.
        graph: The words of the concepts.
        options: Which rows.
        say: Told what begins, for a progress display.

    Attributes:
        rows: The records on any side.
        judged: Those that every row scores: the test side, and in an external validation the training store's own.
        features: Of the pretrained encoder once it has read, a row for each record; zero on no side.
        probe: The pretrained encoder's probe with most labels, once it was fitted.
    """

    def __init__(
        self,
        contenders: Sequence[Contender],
        posed: Posed,
        *,
        graph: ConceptGraph,
        options: Options,
        say: Callable[[str], None],
    ) -> None:
        self.contenders, self.records, self.task, self.inside = contenders, posed.records, posed.task, posed.inside
        self.graph, self.options, self.say = graph, options, say
        inner = [] if self.inside is None else [self.inside.rows[Role.TEST]]
        self.judged: Int[np.ndarray, " judged"] = np.concatenate([self.task.rows[Role.TEST], *inner])
        self.rows = np.unique(np.concatenate([*(self.task.rows[role] for role in Role), self.judged]))
        self.chosen = [nested_fractions(self.task, options.fractions, seed=seed) for seed in range(options.seeds)]
        self.features: Float32[np.ndarray, "row dim"] = np.zeros((len(self.records), 0), np.float32)
        self.probe: Probe | None = None

    def runs(self) -> Iterator[Run]:
        """The scores of every row of the table; the random encoders and the trainings are other processes' work."""
        seeds, first = range(self.options.seeds), self.contenders[0]
        with processes(self.options.workers) as pool:
            reading = [
                pool.submit(read_random, first.folder, self.records.paths, self.rows, seed)
                for seed in (seeds if self.options.probe or self.options.zero_shot else ())
            ]
            adapting: list[tuple[Contender, Adaptation, float, list[Future[Finished]]]] = []
            for one in self.contenders:
                self.say(f"the {one.encoder.value} encoder reads every record")
                read = self.records.embed(one.model, self.rows)
                if one is first:
                    self.features = read.features
                yield from self._zero_shot(one.encoder, [one.model], [read])
                for fraction in self._fractions:
                    probes = self._fit(one.encoder, [read], fraction)
                    if one is first:
                        self.probe = self.probe or probes[0]
                    adapting += [
                        (one, how, fraction, self._adapt(pool, one, how, fraction, probes)) for how in self._how
                    ]
                    yield self._probe_run(one.encoder, [read], fraction, probes)
            self.say("random encoders read every record")
            randoms = [future.result() for future in reading]
            begun: dict[float, list[Future[Finished]]] = {}
            for fraction in self._fractions:
                probes = self._fit(Encoder.RANDOM, randoms, fraction)
                begun[fraction] = [self._train(pool, fraction, seed, probes[seed]) for seed in seeds]
                yield self._probe_run(Encoder.RANDOM, randoms, fraction, probes)
            yield from self._zero_shot(Encoder.RANDOM, [random_like(first.model, seed) for seed in seeds], randoms)
            for one, how, fraction, futures in adapting:
                yield self._trained_run(one.encoder, ADAPTED[how], fraction, futures)
            for fraction in self._fractions:
                yield self._trained_run(Encoder.SCRATCH, Protocol.SUPERVISED, fraction, begun[fraction])

    @property
    def _fractions(self) -> Sequence[float]:
        """With most labels first: their trainings take longest, and should begin first."""
        return sorted(self.options.fractions, reverse=True) if self.options.probe else ()

    @property
    def _how(self) -> Sequence[Adaptation]:
        return [how for how in self.options.adapt if how is not Adaptation.PROBE]

    def _zero_shot(
        self, encoder: Encoder, models: Sequence[FoundationModel], read: Sequence[Embedded]
    ) -> Iterator[Run]:
        if not self.options.zero_shot:
            return
        self.say(f"zero-shot, {encoder.value}")
        # Validation is scored too, for what a row would name.
        judged, began = np.concatenate([self.task.rows[Role.VALIDATION], self.judged]), time.perf_counter()
        pairs = [(model, one.sphere[judged]) for model, one in zip(models, read, strict=True)]
        concepts = self.task.concepts
        if models[0].text is not None:
            scores = [by_sentences(sphere, model.encode_text, self.graph, concepts) for model, sphere in pairs]
            yield self._zero_shot_run(encoder, Protocol.ZERO_SHOT_SENTENCES, scores, time.perf_counter() - began)
        if models[0].concept is not None:
            scores = [by_concepts(sphere, one.encode_concepts(), one.concepts, concepts) for one, sphere in pairs]
            yield self._zero_shot_run(encoder, Protocol.ZERO_SHOT_CONCEPTS, scores, time.perf_counter() - began)

    def _zero_shot_run(
        self, encoder: Encoder, protocol: Protocol, scores: Sequence[Float[np.ndarray, "row concept"]], seconds: float
    ) -> Run:
        watched, judged = zip(*(np.split(one, [len(self.task.rows[Role.VALIDATION])]) for one in scores), strict=True)
        run = Run(encoder, protocol, None, list(range(len(scores))), validation=list(watched), seconds=seconds)
        return self._scored(run, judged)

    def _fit(self, encoder: Encoder, read: Sequence[Embedded], fraction: float) -> list[Probe]:
        """One probe a seed; with all labels and one encoder nothing is left to chance, and one probe is enough."""
        self.say(f"linear probe, {encoder.value}, {100 * fraction:g} % of labels")
        n_seeds = 1 if fraction == 1 and len(read) == 1 and encoder is not Encoder.RANDOM else self.options.seeds
        return [
            fit_probe(read[seed % len(read)].features, self.task, self.chosen[seed][fraction])
            for seed in range(n_seeds)
        ]

    def _probe_run(self, encoder: Encoder, read: Sequence[Embedded], fraction: float, probes: Sequence[Probe]) -> Run:
        seeds = list(range(len(probes)))
        watched, judged = (
            [probes[seed].probabilities(read[seed % len(read)].features[rows]) for seed in seeds]
            for rows in (self.task.rows[Role.VALIDATION], self.judged)
        )
        run = Run(
            encoder,
            Protocol.PROBE,
            fraction,
            seeds,
            validation=watched,
            train_rows=[self.chosen[seed][fraction] for seed in seeds],
            details={
                "C": [probe.c for probe in probes],
                "validation_auroc": [round(probe.validation_auroc[probe.c], 4) for probe in probes],
            },
            seconds=sum(probe.seconds for probe in probes),
        )
        return self._scored(run, judged)

    def _train(self, pool: Executor, fraction: float, seed: int, probe: Probe) -> Future[Finished]:
        job = Job(seed, self.chosen[seed][fraction], probe.head, judged=self.judged)
        folder = self.contenders[0].folder
        return pool.submit(train_one, folder, self.records.paths, self.task, self.options.budget, job)

    def _adapt(
        self, pool: Executor, one: Contender, how: Adaptation, fraction: float, probes: Sequence[Probe]
    ) -> list[Future[Finished]]:
        budget = replace(self.options.budget, learning_rate=ADAPTING_RATE)
        jobs = [
            Job(seed, self.chosen[seed][fraction], probes[seed % len(probes)].head, how, self.judged)
            for seed in range(self.options.seeds)
        ]
        return [pool.submit(train_one, one.folder, self.records.paths, self.task, budget, job) for job in jobs]

    def _trained_run(
        self, encoder: Encoder, protocol: Protocol, fraction: float, begun: Sequence[Future[Finished]]
    ) -> Run:
        finished = []
        for seed, future in enumerate(begun, start=1):
            self.say(f"{encoder.value}, {protocol.value}, {100 * fraction:g} % of labels, seed {seed} of {len(begun)}")
            finished.append(future.result())
        run = Run(
            encoder,
            protocol,
            fraction,
            list(range(len(begun))),
            validation=[one.validation for one in finished],
            train_rows=[self.chosen[seed][fraction] for seed in range(len(begun))],
            details={
                "steps": [one.steps for one in finished],
                "best_step": [one.best_step for one in finished],
                "validation_auroc": [round(one.validation_auroc, 4) for one in finished],
            },
            seconds=sum(one.seconds for one in finished),
        )
        return self._scored(run, [one.scores for one in finished])

    def _scored(self, run: Run, judged: Sequence[Float[np.ndarray, "row concept"]]) -> Run:
        """The run with its scores: first those of the test side, then those of the training store's own."""
        outer = len(self.task.rows[Role.TEST])
        run.scores = [one[:outer] for one in judged]
        run.inside = [one[outer:] for one in judged]
        return run
