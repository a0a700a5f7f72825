"""One model, one store, one result: audit, scores, intervals, and what the report shows."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64

from biosig.store import Store
from finetune.diagnosis.audit import audit, enforce, supervision
from finetune.diagnosis.bench import Bench, Options
from finetune.diagnosis.result import Evaluation, Side, Threshold, Trust
from finetune.diagnosis.summary import bootstrap_run, differences, number, summarise
from finetune.diagnosis.task import MIN_POSITIVES, concept_counts, diagnosis
from finetune.metrics.bootstrap import LEVEL, subject_weights
from finetune.metrics.challenge import Weights, severity_weights
from finetune.metrics.graph_scores import graph_scores
from finetune.metrics.ranking import best_thresholds, decide
from finetune.probe import C_GRID
from finetune.protocols import Role, Task
from finetune.report.document import Example, Map
from finetune.report.illustrate import embedding_picture, typical_example
from finetune.report.wording import limits, protocol
from finetune.trust.summary import trust
from ontology import cardiac
from pretrain.models.foundation import FoundationModel
from pretrain.training.run import versions


@dataclass(frozen=True)
class Outcome:
    """The numbers, and the two pictures that need more than numbers."""

    evaluation: Evaluation
    example: Example | None
    map_: Map


def evaluate(
    folder: Path,
    store: Store,
    options: Options,
    *,
    min_positives: int = MIN_POSITIVES,
    allow_leakage: bool = False,
    challenge: Weights | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Score a model.

    Args:
        folder: The model, as `save_pretrained` writes it.
        store: What it is scored on.
        options: Which rows.
        min_positives: Test subjects with a concept, and without it, that scoring it takes.
        allow_leakage: Score although the audit refuses, and mark the report.
        challenge: Weights of the challenge score; `severity_weights` by default.
        say: Told what begins.

    Raises:
        LeakageError: If the audit refuses.
        BiosigError: If the store poses no task.
    """
    began = time.perf_counter()
    say("audit")
    model = FoundationModel.from_pretrained(folder)
    graph = model.graph or cardiac()
    task = diagnosis(store, graph, min_positives=min_positives)
    findings = audit(model, store, task)
    enforce(findings, allow=allow_leakage)

    bench = Bench(model, folder, store, task, graph=graph, options=options, say=say)
    runs = list(bench.runs())
    say("bootstrap over subjects")
    weights = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=options.draws)
    draws = [bootstrap_run(run, task, weights) for run in runs]
    challenge = severity_weights() if challenge is None else challenge
    structured = [graph_scores(run, task, graph, weights, challenge) for run in runs]
    say("figures")
    thresholds = np.full(len(task.concepts), np.nan)
    if bench.probe is not None:
        validation = task.rows[Role.VALIDATION]
        scores = bench.probe.probabilities(bench.features[validation])
        thresholds = best_thresholds(scores, task.labels[validation], task.known[validation])
    counts = concept_counts(task, graph, min_positives)
    prevalences = [count.prevalence for count in counts if count.scored and count.prevalence is not None]
    evaluation = Evaluation(
        model=_model_facts(model, folder),
        store=_store_facts(store),
        sides=tuple(_side(task, store, role) for role in Role),
        concepts=counts,
        prevalence=float(np.mean(prevalences)),
        findings=findings,
        rows=tuple(summarise(one, task, scores) for one, scores in zip(draws, structured, strict=True)),
        differences=tuple(differences(draws)),
        thresholds=_threshold_rows(bench, thresholds),
        trust=_trust(bench, weights),
        settings={
            "protocol": protocol(model, options, min_positives, challenge),
            "challenge_weights": challenge.source,
            "limits": limits(options),
            "draws": options.draws,
            "level": LEVEL,
            "bootstrap_seed": 0,
            "fractions": options.fractions,
            "seeds": list(range(options.seeds)),
            "min_positives": min_positives,
            "C": C_GRID,
            "from_scratch": vars(options.budget),
        },
        versions=versions(),
        seconds=round(time.perf_counter() - began, 1),
    )
    return Outcome(
        evaluation, typical_example(bench, graph, thresholds), embedding_picture(bench.features, store, task, graph)
    )


def _threshold_rows(bench: Bench, thresholds: Float[np.ndarray, " concept"]) -> tuple[Threshold, ...]:
    if bench.probe is None:
        return ()
    task, test = bench.task, bench.task.rows[Role.TEST]
    found = decide(bench.probe.probabilities(bench.features[test]), task.labels[test], task.known[test], thresholds)
    return tuple(
        Threshold(
            concept=task.concepts[column],
            threshold=number(thresholds[column]),
            sensitivity=number(found.sensitivity[column]),
            specificity=number(found.specificity[column]),
            f1=number(found.f1[column]),
        )
        for column in np.flatnonzero(task.scored)
    )


def _trust(bench: Bench, weights: Float64[np.ndarray, "row draw"]) -> Trust | None:
    if bench.probe is None:
        return None
    validation, test = (bench.features[bench.task.rows[role]] for role in (Role.VALIDATION, Role.TEST))
    return trust(bench.probe.probabilities(validation), bench.probe.probabilities(test), bench.task, weights)


def _side(task: Task, store: Store, role: Role) -> Side:
    rows = task.rows[role]
    folds = tuple(int(fold) for fold in sorted(store.records["fold"].iloc[rows].unique()))
    return Side(role=role.value, folds=folds, records=len(rows), subjects=task.n_subjects(rows))


def _model_facts(model: FoundationModel, folder: Path) -> dict[str, object]:
    provenance, intake = model.config.provenance, model.config.intake
    facts: dict[str, object] = {
        "name": str(provenance.recipe.get("name", folder.name)) if provenance else folder.name,
        "encoder": model.config.architecture.signal.encoder,
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "sampling_rate": intake.sampling_rate,
        "window_seconds": intake.window_seconds,
    }
    if provenance:
        facts |= {
            "steps": provenance.steps,
            "pretrained_with": ["signals", *supervision(model)],
            "training_set_sha256": provenance.training_set,
            "stores": [f"{store.corpus} (store.json sha256 {store.sha256})" for store in provenance.stores],
        }
    return facts


def _store_facts(store: Store) -> dict[str, object]:
    return {
        "title": store.info.corpus.title,
        "corpus": store.info.corpus.name,
        "licence": store.info.corpus.licence,
        "citation": store.info.corpus.citation,
        "sha256": store.fingerprint,
        "sampling_rate": store.sampling_rate,
        "records": len(store),
    }
