"""From a pretrained model and a store to a diagnoser: probe, adaptation, calibration, and one look at test."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32, Int

from biosig.store import Store
from finetune.adaptation.criterion import Criterion
from finetune.adaptation.encoder import Block, adapt
from finetune.adaptation.lora import merge_low_rank
from finetune.card.measure import Made
from finetune.diagnosis.audit import audit, audit_sides, enforce
from finetune.diagnosis.choices import Adaptation, Imbalance, Loss, Upward
from finetune.diagnosis.diagnoser import ConceptConfig, Diagnoser, DiagnoserConfig
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.questions import DIAGNOSIS, QUESTIONS
from finetune.diagnosis.reading import classifier_of, read, reader_of
from finetune.diagnosis.result import Finding
from finetune.diagnosis.scratch import Budget, train
from finetune.diagnosis.selection import Selection, Where
from finetune.diagnosis.summary import estimate, number
from finetune.diagnosis.task import MIN_POSITIVES, pose
from finetune.embedding import embed
from finetune.heads import HEADS
from finetune.heads.base import FeatureHead, Head
from finetune.heads.consistency import below, upward_probabilities
from finetune.heads.linear import LinearHead
from finetune.metrics.bootstrap import interval, subject_weights
from finetune.metrics.ranking import best_thresholds, macro, rank_metrics
from finetune.probe import fit_probe
from finetune.protocols import Role, Task, nested_fractions
from finetune.trust.calibration import Scaling, calibrate
from finetune.trust.choices import Remember
from finetune.trust.conformal import conformal
from finetune.trust.neighbours import Neighbours
from finetune.trust.novelty import Novelty
from finetune.trust.summary import MISCOVERAGE
from ontology.graph import ConceptGraph
from pretrain.models.foundation import FoundationModel
from pretrain.models.leakage import TrainingSet

# How much faster than an encoder a fresh head moves.
_HURRY = 10


@dataclass(frozen=True)
class Tuning:
    """What is asked of a fine-tuning.

    Attributes:
        adaptation: What moves besides the head.
        head: Its name in `finetune.heads.HEADS`.
        loss: What a training makes small.
        imbalance: What is done about findings that few records have.
        upward: How what is said of a concept's kinds reaches it; not at all by default.
        fraction: Share of the training labels, by subject.
        seed: Of the labels' draw, the order of records, and low-rank additions.
        budget: Steps, batch, learning rate, patience.
        min_positives: Test subjects with a concept, and without it, that a concept needs.
        question: Its name in `finetune.diagnosis.questions.QUESTIONS`.
        where: Which records of the store.
        draws: Of the bootstrap over test subjects.
        remember: Whether the training records are kept, so that an answer can name those that are most alike.
    """

    adaptation: Adaptation = Adaptation.PROBE
    head: str = "linear"
    loss: Loss = Loss.BCE
    imbalance: Imbalance = Imbalance.NONE
    upward: Upward | None = None
    fraction: float = 1.0
    seed: int = 0
    budget: Budget = field(default_factory=lambda: Budget(learning_rate=3e-4))
    min_positives: int = MIN_POSITIVES
    question: str = DIAGNOSIS
    where: Where = field(default_factory=Where)
    draws: int = 1000
    remember: Remember = Remember.AUTO


@dataclass(frozen=True)
class Tuned:
    """What came out.

    Attributes:
        diagnoser: Not saved yet.
        blocks: Which parts of the encoder moved, and the head.
        findings: Of the audit.
        made: What its card is measured from.
    """

    diagnoser: Diagnoser
    blocks: tuple[Block, ...]
    findings: tuple[Finding, ...]
    made: Made


def finetune(
    folder: Path,
    store: Store,
    tuning: Tuning,
    *,
    allow_leakage: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Tuned:
    """Fit a head, move the encoder if asked to, calibrate on validation, look at test once.

    A linear head begins as the exact probe of the pretrained encoder, any other is trained on the frozen encoder first.
    Where weights move, those of the best macro AUROC on validation are kept, the first among them. Only concepts that
    test can judge have an output.

    Args:
        folder: The pretrained model.
        store: Labels and folds.
        tuning: How.
        allow_leakage: Go on although the audit refuses.
        say: Told what begins.

    Raises:
        LeakageError: If the model has met the test side.
        BiosigError: If the store poses no task.
        UnknownNameError: If there is no such head.

    References:
        Kumar et al., first the probe, then all weights, arXiv 2202.10054.
    """
    say("audit")
    model = FoundationModel.from_pretrained(folder)
    question = QUESTIONS[tuning.question]
    graph = question.graph(model)
    chosen = Selection(store, tuning.where)
    posed = pose(chosen, graph, label=question.label, min_positives=tuning.min_positives)
    task = posed.task
    findings = (audit if tuning.question == DIAGNOSIS else audit_sides)(model, posed.records, task)
    enforce(findings, allow=allow_leakage)
    task = task.of_concepts(task.scored)
    rows = nested_fractions(task, [tuning.fraction], seed=tuning.seed)[tuning.fraction]
    labels, known = (torch.from_numpy(part[rows]) for part in (task.labels, task.known))
    criterion = Criterion.of(tuning.loss, tuning.imbalance, labels, known)

    say("the encoder reads every record")
    every = np.sort(np.concatenate([task.rows[role] for role in Role]))
    features = embed(model, store, every).features
    torch.manual_seed(tuning.seed)
    training = _Training(model, posed.records, task, rows, tuning, criterion)
    say(f"head: {tuning.head}")
    head = _first_head(training, features)
    adapted = adapt(model.signal, tuning.adaptation, learning_rate=tuning.budget.learning_rate)
    if adapted.groups:
        say(
            f"{tuning.adaptation.value}: {sum(block.trained for block in adapted.blocks):,} weights of the encoder move"
        )
        head = training.run(head, adapted.groups, tuning.budget)
        merge_low_rank(model.signal)
        say("the adapted encoder reads every record")
    head.eval()
    model.signal.requires_grad_(True)
    model.eval()
    if adapted.groups or not isinstance(head, LinearHead):
        features, logits = _everywhere(read(model, head, store, every), every, len(store))
    else:  # the mean of linear logits is the logit of the mean, which is there
        logits = head(torch.from_numpy(features).double()).detach().numpy()
    remember(model, store, np.concatenate([rows, task.rows[Role.VALIDATION]]))

    say("calibration")
    weights = sum(one.numel() for one in head.parameters())
    blocks = (*adapted.blocks, Block("head", weights, weights, 1.0))
    facts: dict[str, object] = {"steps": training.steps, "best_step": training.best_step}
    facts |= {"adaptation": tuning.adaptation.value, "fraction": tuning.fraction, "seed": tuning.seed}
    facts |= {"loss": tuning.loss.value, "imbalance": tuning.imbalance.value}
    facts |= {"task": tuning.question}
    facts |= {"corpus": chosen.title, "licence": store.info.corpus.licence, "store": store.fingerprint}
    facts |= {f"{role.value}_records": len(task.rows[role]) for role in Role} | {"train_records": len(rows)}
    config = _config(logits, task, graph, tuning=tuning, facts=facts)
    novelty = Novelty.fit(features[rows], features[task.rows[Role.VALIDATION]])
    kept = tuning.remember.applies(store.info.corpus.licence)
    neighbours = Neighbours.of(store, rows, features[rows], novelty, graph) if kept else None
    diagnoser = Diagnoser(model, head, config, novelty, neighbours)
    return Tuned(diagnoser, blocks, findings, Made(diagnoser, folder, chosen, task, logits, rows, findings))


@dataclass
class _Training:
    """Trains networks on the same rows for the same loss; remembers how long the last one took."""

    model: FoundationModel
    records: Joined
    task: Task
    rows: Int[np.ndarray, " row"]
    tuning: Tuning
    criterion: Criterion
    steps: int = 0
    best_step: int = 0

    def run(self, head: Head, groups: Sequence[dict[str, Any]], budget: Budget) -> Head:
        network = classifier_of(self.model.signal, head)
        batch_of, predict = reader_of(self.model.config.intake, self.records, half=budget.half)
        trained = train(
            network,
            batch_of,
            predict,
            self.task,
            self.rows,
            seed=self.tuning.seed,
            budget=budget,
            groups=groups,
            criterion=self.criterion,
        )
        self.steps, self.best_step = trained.steps, trained.best_step
        return network.head.double()


def _first_head(training: _Training, features: Float32[np.ndarray, "row dim"]) -> Head:
    """A head on the pretrained encoder as it is: the exact probe, or one that is trained by steps."""
    tuning, task = training.tuning, training.task
    if tuning.head == "linear":
        probe = fit_probe(features, task, training.rows, criterion=training.criterion).head
        if tuning.loss is Loss.BCE:
            return probe
        head: Head = probe
    else:
        head = HEADS[tuning.head](features.shape[1], len(task.concepts))
        if isinstance(head, FeatureHead):
            head.measure(torch.from_numpy(features[training.rows]))
    training.model.signal.requires_grad_(False)
    # The head starts at nothing, and is so small that it may hurry.
    hurried = replace(tuning.budget, learning_rate=_HURRY * tuning.budget.learning_rate)
    return training.run(head, [], hurried)


def _everywhere(found: tuple[np.ndarray, ...], rows: Int[np.ndarray, " row"], count: int) -> tuple[np.ndarray, ...]:
    """A row for each row of the store; zero for those that were not read."""
    wide = tuple(np.zeros((count, part.shape[1]), part.dtype) for part in found)
    for whole, part in zip(wide, found, strict=True):
        whole[rows] = part
    return wide


def _config(
    logits: Float32[np.ndarray, "row concept"],
    task: Task,
    graph: ConceptGraph,
    *,
    tuning: Tuning,
    facts: dict[str, object],
) -> DiagnoserConfig:
    """Scales, thresholds and sets from validation, AUROC from test."""
    validation, test = task.rows[Role.VALIDATION], task.rows[Role.TEST]
    labels, known = task.labels, task.known
    scale = calibrate(logits[validation], labels[validation], known[validation], Scaling.VECTOR)
    under = below(graph, task.concepts).numpy()
    watched, judged = (scale.probabilities(logits[rows].astype(np.float64)) for rows in (validation, test))
    if tuning.upward is not None:
        watched, judged = (upward_probabilities(said, under, tuning.upward) for said in (watched, judged))
    thresholds = best_thresholds(watched, labels[validation], known[validation])
    limits = conformal(watched, labels[validation], known[validation], miscoverage=MISCOVERAGE).limits
    weights = subject_weights(task.subjects[test], n_draws=tuning.draws)
    auroc = rank_metrics(judged, labels[test], known[test], weights).auroc
    concepts = tuple(
        ConceptConfig(
            concept=concept,
            term=graph[concept].term,
            abbreviation=graph[concept].abbreviation,
            # Validation has no positive to choose by: as likely as not.
            threshold=0.5 if np.isnan(thresholds[place]) else float(thresholds[place]),
            slope=float(scale.slope[place]),
            offset=float(scale.offset[place]),
            limits=(number(limits[place][0]), number(limits[place][1])),
            positives=int((labels & known)[validation, place].sum()),
            auroc=estimate(interval(auroc[place])),
            kinds=()
            if tuning.upward is None
            else tuple(one for at, one in enumerate(task.concepts) if under[place, at] and at != place),
        )
        for place, concept in enumerate(task.concepts)
    )
    return DiagnoserConfig(
        concepts=concepts,
        head=tuning.head,
        upward=tuning.upward,
        miscoverage=MISCOVERAGE,
        training=facts,
        macro_auroc=estimate(interval(macro(auroc))),
    )


def remember(model: FoundationModel, store: Store, rows: Int[np.ndarray, " row"]) -> None:
    """Whoever was fitted to, or chose, is seen from now on: a later audit must know."""
    if model.training_set is not None and model.config.provenance is not None:
        model.training_set = model.training_set | TrainingSet.of([store], [rows])
        said = model.config.provenance.model_copy(update={"training_set": model.training_set.sha256})
        model.config = model.config.model_copy(update={"provenance": said})
