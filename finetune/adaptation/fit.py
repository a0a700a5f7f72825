"""From a pretrained model and a store to a diagnoser: probe, adaptation, calibration, and one look at test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float32, Int

from biosig.store import Store
from finetune.adaptation.encoder import Block, adapt
from finetune.adaptation.lora import merge_low_rank
from finetune.diagnosis.audit import audit, enforce
from finetune.diagnosis.choices import Adaptation
from finetune.diagnosis.diagnoser import ConceptConfig, Diagnoser, DiagnoserConfig
from finetune.diagnosis.reading import classifier_of, reader_of
from finetune.diagnosis.result import Finding
from finetune.diagnosis.scratch import Budget, train
from finetune.diagnosis.summary import estimate, number
from finetune.diagnosis.task import MIN_POSITIVES, diagnosis
from finetune.embedding import embed
from finetune.heads.linear import LinearHead
from finetune.metrics.bootstrap import interval, subject_weights
from finetune.metrics.ranking import best_thresholds, macro, rank_metrics
from finetune.probe import fit_probe
from finetune.protocols import Role, Task, nested_fractions
from finetune.trust.calibration import Scaling, calibrate
from finetune.trust.conformal import conformal
from finetune.trust.novelty import Novelty
from finetune.trust.summary import MISCOVERAGE
from ontology import cardiac
from ontology.graph import ConceptGraph
from pretrain.models.foundation import FoundationModel
from pretrain.models.leakage import TrainingSet


@dataclass(frozen=True)
class Tuning:
    """What is asked of a fine-tuning.

    Attributes:
        adaptation: What moves.
        fraction: Share of the training labels, by subject.
        seed: Of the labels' draw, the order of records, and low-rank additions.
        budget: Steps, batch, learning rate, patience.
        min_positives: Test subjects with a concept, and without it, that a concept needs.
        draws: Of the bootstrap over test subjects.
    """

    adaptation: Adaptation = Adaptation.PROBE
    fraction: float = 1.0
    seed: int = 0
    budget: Budget = field(default_factory=lambda: Budget(learning_rate=3e-4))
    min_positives: int = MIN_POSITIVES
    draws: int = 1000


@dataclass(frozen=True)
class Tuned:
    """What came out.

    Attributes:
        diagnoser: Not saved yet.
        blocks: Which parts of the encoder moved.
        findings: Of the audit.
    """

    diagnoser: Diagnoser
    blocks: tuple[Block, ...]
    findings: tuple[Finding, ...]


def finetune(
    folder: Path,
    store: Store,
    tuning: Tuning,
    *,
    allow_leakage: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Tuned:
    """Fit a head, move the encoder if asked to, calibrate on validation, look at test once.

    The head begins as the linear probe of the pretrained encoder; where weights move, those of the best macro AUROC on
    validation are kept, the probe's own among them.

    Args:
        folder: The pretrained model.
        store: Labels and folds.
        tuning: How.
        allow_leakage: Go on although the audit refuses.
        say: Told what begins.

    Raises:
        LeakageError: If the model has met the test side.
        BiosigError: If the store poses no task.

    References:
        Kumar et al., first the probe, then all weights, arXiv 2202.10054.
    """
    say("audit")
    model = FoundationModel.from_pretrained(folder)
    graph = model.graph or cardiac()
    task = diagnosis(store, graph, min_positives=tuning.min_positives)
    findings = audit(model, store, task)
    enforce(findings, allow=allow_leakage)
    rows = nested_fractions(task, [tuning.fraction], seed=tuning.seed)[tuning.fraction]

    say("the encoder reads every record")
    every = np.sort(np.concatenate([task.rows[role] for role in Role]))
    features = embed(model, store, every).features
    say("linear probe")
    head = fit_probe(features, task, rows).head
    torch.manual_seed(tuning.seed)
    adapted = adapt(model.signal, tuning.adaptation, learning_rate=tuning.budget.learning_rate)
    facts: dict[str, object] = {"steps": 0, "best_step": 0}
    if adapted.groups:
        say(
            f"{tuning.adaptation.value}: {sum(block.trained for block in adapted.blocks):,} weights of the encoder move"
        )
        network = classifier_of(model.signal, head)
        batch_of, predict = reader_of(model.config.intake, store, half=tuning.budget.half)
        trained = train(
            network, batch_of, predict, task, rows, seed=tuning.seed, budget=tuning.budget, groups=adapted.groups
        )
        facts = {"steps": trained.steps, "best_step": trained.best_step}
        head = network.head.double()
        merge_low_rank(model.signal)
        say("the adapted encoder reads every record")
        features = embed(model, store, every).features
    model.signal.requires_grad_(True)
    _remember(model, store, np.concatenate([rows, task.rows[Role.VALIDATION]]))

    say("calibration")
    facts |= {"adaptation": tuning.adaptation.value, "fraction": tuning.fraction, "seed": tuning.seed}
    facts |= {"corpus": store.info.corpus.title, "licence": store.info.corpus.licence, "store": store.fingerprint}
    facts |= {f"{role.value}_records": len(task.rows[role]) for role in Role} | {"train_records": len(rows)}
    config, scored = _config(features, head, task, graph, tuning=tuning, facts=facts)
    novelty = Novelty.fit(features[rows], features[task.rows[Role.VALIDATION]])
    return Tuned(Diagnoser(model, scored, config, novelty), adapted.blocks, findings)


def _config(
    features: Float32[np.ndarray, "row dim"],
    head: LinearHead,
    task: Task,
    graph: ConceptGraph,
    *,
    tuning: Tuning,
    facts: dict[str, object],
) -> tuple[DiagnoserConfig, LinearHead]:
    """Scales, thresholds and sets from validation, AUROC from test, for the concepts that test can judge."""
    validation, test = task.rows[Role.VALIDATION], task.rows[Role.TEST]
    labels, known = task.labels[:, task.scored], task.known[:, task.scored]
    head = _columns(head, task.scored)
    with torch.inference_mode():
        logits = {role: head(torch.from_numpy(features[task.rows[role]]).double()).numpy() for role in Role}
    scale = calibrate(logits[Role.VALIDATION], labels[validation], known[validation], Scaling.VECTOR)
    watched, judged = (scale.probabilities(logits[role]) for role in (Role.VALIDATION, Role.TEST))
    thresholds = best_thresholds(watched, labels[validation], known[validation])
    limits = conformal(watched, labels[validation], known[validation], miscoverage=MISCOVERAGE).limits
    weights = subject_weights(task.subjects[test], n_draws=tuning.draws)
    auroc = rank_metrics(judged, labels[test], known[test], weights).auroc
    columns = zip(np.asarray(task.concepts)[task.scored].tolist(), thresholds, limits, strict=True)
    concepts = tuple(
        ConceptConfig(
            concept=concept,
            term=graph[concept].term,
            abbreviation=graph[concept].abbreviation,
            # Validation has no positive to choose by: as likely as not.
            threshold=0.5 if np.isnan(threshold) else float(threshold),
            slope=float(scale.slope[place]),
            offset=float(scale.offset[place]),
            limits=(number(limit[0]), number(limit[1])),
            positives=int((labels & known)[validation, place].sum()),
            auroc=estimate(interval(auroc[place])),
        )
        for place, (concept, threshold, limit) in enumerate(columns)
    )
    measured = estimate(interval(macro(auroc)))
    return DiagnoserConfig(concepts=concepts, miscoverage=MISCOVERAGE, training=facts, macro_auroc=measured), head


def _columns(head: LinearHead, chosen: np.ndarray) -> LinearHead:
    """The head of some of the concepts."""
    fewer = LinearHead(head.linear.in_features, int(chosen.sum())).double()
    fewer.mean, fewer.std = head.mean, head.std
    with torch.no_grad():
        fewer.linear.weight.copy_(head.linear.weight[torch.from_numpy(chosen)])
        fewer.linear.bias.copy_(head.linear.bias[torch.from_numpy(chosen)])
    return fewer


def _remember(model: FoundationModel, store: Store, rows: Int[np.ndarray, " row"]) -> None:
    """Whoever was fitted to, or chose, is seen from now on: a later audit must know."""
    if model.training_set is not None and model.config.provenance is not None:
        model.training_set = model.training_set | TrainingSet.of([store], [rows])
        said = model.config.provenance.model_copy(update={"training_set": model.training_set.sha256})
        model.config = model.config.model_copy(update={"provenance": said})
