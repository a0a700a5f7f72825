"""One model, one store, one result: audit, scores, intervals, and what the report shows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64

from biosig.store import Store
from finetune.diagnosis.audit import audit, audit_sides, enforce
from finetune.diagnosis.bench import Bench, Contender, Options
from finetune.diagnosis.facts import model_facts, side_facts, store_facts
from finetune.diagnosis.questions import DIAGNOSIS, QUESTIONS
from finetune.diagnosis.result import Drop, Encoder, Evaluation, Finding, Severity, Threshold, Trust
from finetune.diagnosis.selection import Selection
from finetune.diagnosis.summary import Draws, Run, bootstrap_run, differences, drop, number, summarise
from finetune.diagnosis.task import MIN_POSITIVES, Posed, concept_counts, pose
from finetune.metrics.bootstrap import LEVEL, subject_weights
from finetune.metrics.challenge import Weights, severity_weights
from finetune.metrics.graph_scores import graph_scores
from finetune.metrics.ranking import best_thresholds, decide
from finetune.probe import C_GRID
from finetune.protocols import Role
from finetune.report.document import Example, Map
from finetune.report.illustrate import embedding_picture, typical_example
from finetune.report.wording import limits, protocol
from finetune.trust.summary import trust
from ontology.graph import ConceptGraph
from pretrain.models.foundation import FoundationModel
from pretrain.training.run import versions

#: By what people are told apart, to see whom prediction sets keep their promise to.
GROUPS = ("sex", "sub_corpus")


@dataclass(frozen=True)
class Outcome:
    """The numbers, the two pictures that need more than numbers, and every draw of every row."""

    evaluation: Evaluation
    example: Example | None
    map_: Map
    draws: Sequence[Draws]


@dataclass(frozen=True)
class Asked:
    """What is asked of a model.

    Attributes:
        chosen: Who is trained on, and, without `outside`, tested.
        question: Its name in `QUESTIONS`.
        outside: Who is tested instead, of another store: an external validation.
        other: The folder of a second model, to be compared with the first.
        min_positives: Test subjects with a concept, and without it, that scoring it takes.
    """

    chosen: Selection
    question: str = "diagnosis"
    outside: Selection | None = None
    other: Path | None = None
    min_positives: int = MIN_POSITIVES


def evaluate(
    folder: Path,
    asked: Asked | Store,
    options: Options,
    *,
    allow_leakage: bool = False,
    challenge: Weights | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Score a model.

    Args:
        folder: The model, as `save_pretrained` writes it.
        asked: What it is scored on; a store alone is asked for the diagnoses of its own test side.
        options: Which rows.
        allow_leakage: Score although the audit refuses, and mark the report.
        challenge: Weights of the challenge score; `severity_weights` by default.
        say: Told what begins.

    Raises:
        LeakageError: If the audit refuses.
        BiosigError: If the store poses no task.
    """
    began = time.perf_counter()
    say("audit")
    asked = Asked(Selection(asked)) if isinstance(asked, Store) else asked
    contenders = [Contender(Encoder.PRETRAINED, FoundationModel.from_pretrained(folder), folder)]
    if asked.other is not None:
        contenders.append(Contender(Encoder.OTHER, FoundationModel.from_pretrained(asked.other), asked.other))
    model, question = contenders[0].model, QUESTIONS[asked.question]
    graph = question.graph(model)
    if asked.question != DIAGNOSIS:
        options = replace(options, zero_shot=False)  # no model was taught the words of such a question
    posed = pose(asked.chosen, graph, label=question.label, min_positives=asked.min_positives, outside=asked.outside)
    task, records = posed.task, posed.records
    findings = _findings(contenders, posed, graph, asked.question)
    enforce(findings, allow=allow_leakage)

    bench = Bench(contenders, posed, graph=graph, options=options, say=say)
    runs = list(bench.runs())
    say("bootstrap over subjects")
    weights = subject_weights(task.subjects[task.rows[Role.TEST]], n_draws=options.draws)
    draws = [bootstrap_run(run, task, weights) for run in runs]
    challenge = severity_weights() if challenge is None else challenge
    structured = [graph_scores(run, task, graph, weights, challenge) if graph.edges else None for run in runs]
    say("figures")
    thresholds = np.full(len(task.concepts), np.nan)
    if bench.probe is not None:
        validation = task.rows[Role.VALIDATION]
        scores = bench.probe.probabilities(bench.features[validation])
        thresholds = best_thresholds(scores, task.labels[validation], task.known[validation])
    counts = concept_counts(task, graph, asked.min_positives)
    prevalences = [count.prevalence for count in counts if count.scored and count.prevalence is not None]
    evaluation = Evaluation(
        model=model_facts(model, folder),
        store=store_facts(asked.chosen),
        question=asked.question,
        outside=None if asked.outside is None else store_facts(asked.outside),
        other=None if asked.other is None else model_facts(contenders[1].model, asked.other),
        sides=tuple(side_facts(task, records, role) for role in Role),
        concepts=counts,
        prevalence=float(np.mean(prevalences)),
        findings=findings,
        rows=tuple(summarise(one, task, scores) for one, scores in zip(draws, structured, strict=True)),
        differences=tuple(differences(draws)),
        drops=tuple(_drops(runs, posed, weights, options.draws)),
        thresholds=_threshold_rows(bench, thresholds),
        trust=_trust(bench, weights),
        settings={
            "protocol": protocol(model, asked, options, challenge),
            "challenge_weights": challenge.source,
            "limits": limits(asked, options),
            "draws": options.draws,
            "level": LEVEL,
            "bootstrap_seed": 0,
            "fractions": options.fractions,
            "seeds": list(range(options.seeds)),
            "min_positives": asked.min_positives,
            "C": C_GRID,
            "adapt": [how.value for how in options.adapt],
            "from_scratch": vars(options.budget),
        },
        versions=versions(),
        seconds=round(time.perf_counter() - began, 1),
    )
    return Outcome(evaluation, typical_example(bench, graph, thresholds), embedding_picture(bench, graph), draws)


def _findings(contenders: Sequence[Contender], posed: Posed, graph: ConceptGraph, question: str) -> tuple[Finding, ...]:
    """Of the audit of each model; what both have in common is said once."""
    # Diagnosis codes in pretraining are no labels of another question.
    look = audit if question == DIAGNOSIS else audit_sides
    found: list[Finding] = []
    for one in contenders:
        for finding in look(one.model, posed.records, posed.task):
            text = finding.text if one.encoder is Encoder.PRETRAINED else f"The other model: {finding.text}"
            if finding.text not in {other.text for other in found}:
                found.append(finding.model_copy(update={"text": text}))
    if posed.unshared:
        names = ", ".join(graph[concept].term for concept in posed.unshared)
        text = f"Only one of the two stores annotates these, so nobody is asked for them: {names}."
        found.append(Finding(severity=Severity.NOTE, text=text))
    return tuple(found)


def _drops(runs: Sequence[Run], posed: Posed, weights: Float64[np.ndarray, "row draw"], n_draws: int) -> Iterator[Drop]:
    """Every row outside and inside, over the concepts that both sides can judge."""
    inside = posed.inside
    if inside is None or not inside.scored.any():
        return
    outside = replace(posed.task, scored=inside.scored)
    # Other draws than those of the other store: they are other people.
    own = subject_weights(inside.subjects[inside.rows[Role.TEST]], n_draws=n_draws, seed=1)
    for run in runs:
        yield drop(bootstrap_run(run, outside, weights), bootstrap_run(replace(run, scores=run.inside), inside, own))


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
    table = bench.records.frame(*GROUPS)
    groups = {name: table[name].fillna("").astype(str).to_numpy(dtype=str) for name in GROUPS}
    probabilities = bench.probe.probabilities
    return trust(probabilities(validation), probabilities(test), bench.task, weights, groups)
