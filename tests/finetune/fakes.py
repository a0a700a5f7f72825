"""A task that can be learned, features that hold its labels, and a whole result made from known scores."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from finetune.diagnosis.result import ConceptCount, Encoder, Evaluation, Finding, Protocol, Side, Threshold
from finetune.diagnosis.summary import Run, bootstrap_run, differences, summarise
from finetune.metrics.bootstrap import subject_weights
from finetune.metrics.challenge import severity_weights
from finetune.metrics.graph_scores import graph_scores
from finetune.protocols import Role, Task, nested_fractions
from finetune.trust.summary import trust
from ontology.graph import Concept, ConceptGraph
from ontology.kernels import SEVERITY


def make_task(n_subjects: int = 200, n_concepts: int = 4, *, seed: int = 0, prevalence: float = 0.2) -> Task:
    """Every third person has two records; sides are 60, 15 and 25 % of the people."""
    generator = np.random.default_rng(seed)
    subject_of = np.concatenate([np.arange(n_subjects), np.arange(0, n_subjects, 3)])
    labels = generator.random((len(subject_of), n_concepts)) < prevalence
    share = subject_of / n_subjects
    return Task(
        concepts=tuple(SEVERITY)[:n_concepts],
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


def features_of(task: Task, *, signal: float, dim: int = 24, seed: int = 0) -> np.ndarray:
    """Noise, plus each concept's label along a direction of its own."""
    generator = np.random.default_rng(seed)
    directions = generator.normal(size=(len(task.concepts), dim))
    noise = generator.normal(size=(len(task.labels), dim))
    return (signal * task.labels @ directions + noise).astype(np.float32)


def make_graph(task: Task) -> ConceptGraph:
    """Two of a kind, two of another, ...: what the first concepts are is of the challenge's classes."""
    concepts = [Concept(id_, id_) for id_ in task.concepts]
    groups = [Concept(f"test:group-{k // 2}", f"group {k // 2}", organiser=True) for k in range(0, len(concepts), 2)]
    edges = [(one.id, groups[place // 2].id) for place, one in enumerate(concepts)]
    return ConceptGraph([*concepts, *groups], edges)


def _said(task: Task, role: Role) -> np.ndarray:
    """Probabilities that are surer than they should be."""
    labels = task.labels[task.rows[role]]
    return expit(3 * (labels - 0.5) + 3 * np.random.default_rng(3).normal(size=labels.shape))


def make_evaluation(task: Task, *, findings: tuple[Finding, ...] = (), term: str = "finding") -> Evaluation:
    """A result made by the real summary from scores of known quality: pretrained above scratch above random."""
    generator = np.random.default_rng(1)
    test = task.rows[Role.TEST]
    weights = subject_weights(task.subjects[test], n_draws=100)
    graph, runs = make_graph(task), []
    for encoder, skill in ((Encoder.PRETRAINED, 1.5), (Encoder.RANDOM, 0.5), (Encoder.SCRATCH, 1.0)):
        wanted: list[tuple[Protocol, float | None]] = [
            (Protocol.SUPERVISED if encoder is Encoder.SCRATCH else Protocol.PROBE, fraction)
            for fraction in (0.01, 0.1, 1.0)
        ]
        if encoder is not Encoder.SCRATCH:
            wanted += [(Protocol.ZERO_SHOT_SENTENCES, None), (Protocol.ZERO_SHOT_CONCEPTS, None)]
        for protocol, fraction in wanted:
            level = skill * (0.5 if fraction is None else 1 + 0.3 * np.log10(fraction))
            seeds = [0] if encoder is Encoder.PRETRAINED and fraction in (1.0, None) else [0, 1, 2]
            scores = [level * task.labels[test] + generator.normal(size=(len(test), len(task.concepts))) for _ in seeds]
            watched = [level * task.labels[task.rows[Role.VALIDATION]] for _ in seeds]
            rows = [] if fraction is None else [nested_fractions(task, [fraction], seed=s)[fraction] for s in seeds]
            runs.append(Run(encoder, protocol, fraction, seeds, scores, watched, rows, {}, 1.0))
    draws = [bootstrap_run(run, task, weights) for run in runs]
    counts = tuple(
        ConceptCount(
            concept=concept,
            term=f"{term} {place}",
            abbreviation=f"F{place}",
            train_records=int(task.labels[task.rows[Role.TRAIN], place].sum()),
            validation_records=int(task.labels[task.rows[Role.VALIDATION], place].sum()),
            test_records=int(task.labels[test, place].sum()),
            test_subjects=int(task.subjects_with(Role.TEST, value=True)[place]),
            test_known=len(test),
            prevalence=float(task.labels[test, place].mean()),
            scored=bool(task.scored[place]),
            reason="" if task.scored[place] else "2 positive test subjects",
        )
        for place, concept in enumerate(task.concepts)
    )
    return Evaluation(
        model={"name": "a model", "encoder": "resnet1d18", "parameters": 123_456},
        store={"title": "A corpus of simulated hearts", "corpus": "simulated", "licence": "CC0"},
        sides=tuple(
            Side(role=role.value, folds=(1,), records=len(task.rows[role]), subjects=task.n_subjects(task.rows[role]))
            for role in Role
        ),
        concepts=counts,
        prevalence=0.2,
        findings=findings,
        rows=tuple(
            summarise(one, task, graph_scores(one.run, task, graph, weights, severity_weights())) for one in draws
        ),
        differences=tuple(differences(draws)),
        thresholds=tuple(
            Threshold(concept=concept, threshold=0.5, sensitivity=0.9, specificity=0.8, f1=None)
            for concept, scored in zip(task.concepts, task.scored, strict=True)
            if scored
        ),
        trust=trust(*(_said(task, role) for role in (Role.VALIDATION, Role.TEST)), task, weights),
        settings={
            "draws": 100,
            "challenge_weights": "near enough",
            "protocol": ["A sentence."],
            "limits": ["Another."],
        },
        versions={"numpy": np.__version__},
        seconds=1.0,
    )
