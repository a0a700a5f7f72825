"""From a pretrained model, a store and a target to a predictor: audit, rows, intervals, and one look at test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from biosig.store import Store
from finetune.adaptation.encoder import Block
from finetune.adaptation.fit import remember
from finetune.diagnosis.audit import audit_sides, enforce, seen_by
from finetune.diagnosis.joined import Joined
from finetune.diagnosis.result import Estimate, Finding, Severity
from finetune.metrics.bootstrap import LEVEL, subject_weights
from finetune.outcomes.bench import Bench, Options, Run
from finetune.outcomes.linear import PENALTIES
from finetune.outcomes.predictor import OutcomeConfig, OutcomePredictor, RiskConfig
from finetune.outcomes.result import OutcomeResult, OutcomeSide, RiskGroup
from finetune.outcomes.summary import RiskScale, bootstrap, coverage, gaps, groups, halfwidth, row
from finetune.outcomes.target import COLUMNS, Kind, Target
from finetune.outcomes.task import OutcomeTask, pose, remarks
from finetune.protocols import Role
from pretrain.models.foundation import FoundationModel
from pretrain.training.run import versions

# Objectives of pretraining that read the numbers which a store may have of each record.
_MEASURING = {"patch_physiology", "rhythm_physiology"}


@dataclass(frozen=True)
class Outcome:
    """What came out.

    Attributes:
        predictor: Not saved yet.
        result: The numbers.
        task: Target and sides.
        run: The row that is handed on.
        blocks: Which parts of the encoder moved.
    """

    predictor: OutcomePredictor
    result: OutcomeResult
    task: OutcomeTask
    run: Run
    blocks: tuple[Block, ...]


def fit(
    folder: Path,
    store: Store,
    target: Target,
    options: Options,
    *,
    horizon: float | None = None,
    allow_leakage: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> Outcome:
    """Fit every row, look at test once.

    Penalties, the step of a training, the width of an interval and the calibration of risk come from validation.

    Args:
        folder: The pretrained model.
        store: Its folds are the sides.
        target: What is predicted.
        options: Which rows.
        horizon: Of survival, when probabilities are given; the median time of training by default.
        allow_leakage: Go on although the audit refuses.
        say: Told what begins.

    Raises:
        LeakageError: If the model has met the test side.
        BiosigError: If store and target pose no task.
    """
    say("audit")
    model = FoundationModel.from_pretrained(folder)
    task = pose(store, target)
    findings = audit_sides(model, Joined((store,)), task)
    enforce(findings, allow=allow_leakage)
    findings = (*findings, *_said(model, store, task))
    bench = Bench(model, folder, store, task, options=options, say=say)
    runs = list(bench.runs())
    chosen, ours = bench.chosen, runs[-1]
    assert chosen is not None, "the last row leaves what is handed on"
    remember(chosen.model, store, np.concatenate([task.rows[Role.TRAIN], task.rows[Role.VALIDATION]]))

    say("bootstrap over subjects")
    test = task.rows[Role.TEST]
    weights = subject_weights(task.subjects[test], n_draws=options.draws)
    draws = [bootstrap(run, task, weights) for run in runs]
    rows = tuple(row(run, one) for run, one in zip(runs, draws, strict=True))
    width, risk, baseline, covered = None, None, None, None
    thirds: tuple[RiskGroup, ...] = ()
    if target.kind is Kind.SURVIVAL:
        horizon = float(np.median(target.values[task.rows[Role.TRAIN]])) if horizon is None else horizon
        scale = _risk_scale(ours, task)
        risk = RiskConfig(centre=scale.centre, slope=scale.slope, cuts=(scale.cuts[0], scale.cuts[1]), horizon=horizon)
        baseline, thirds = scale.baseline, groups(ours, task, scale, horizon, weights)
    elif (width := halfwidth(ours, task)) is not None:
        covered = coverage(ours, task, width, weights)
    result = OutcomeResult(
        target=target.name,
        kind=target.kind,
        unit=target.unit,
        corpus=store.info.corpus.name,
        store=store.fingerprint,
        sides=tuple(_side(task, role) for role in Role),
        findings=findings,
        chosen=ours.name,
        rows=rows,
        gaps=gaps(runs, draws),
        halfwidth=width,
        coverage=covered,
        horizon=risk.horizon if risk else None,
        groups=thirds,
        settings=_settings(options) | {"versions": versions()},
    )
    facts: dict[str, Any] = {"adaptation": options.adaptation.value, "seed": options.seed, **chosen.facts}
    facts |= {"corpus": store.info.corpus.title, "licence": store.info.corpus.licence, "store": store.fingerprint}
    facts |= {f"{role.value}_records": len(task.rows[role]) for role in Role}
    config = OutcomeConfig(
        target=target.name,
        kind=target.kind,
        unit=target.unit,
        centre=bench.scale.centre,
        scale=bench.scale.scale,
        halfwidth=width,
        risk=risk,
        training=facts,
        measured=_measured(result),
    )
    return Outcome(OutcomePredictor(chosen.model, chosen.head, config, baseline), result, task, ours, chosen.blocks)


def _risk_scale(run: Run, task: OutcomeTask) -> RiskScale:
    rows = task.rows[Role.VALIDATION]
    return RiskScale(run.validation[0], task.target.values[rows], task.target.event[rows])


def _measured(result: OutcomeResult) -> dict[str, Estimate]:
    return {name: found.subjects for name, found in result.rows[-1].metrics.items()}


def _said(model: FoundationModel, store: Store, task: OutcomeTask) -> list[Finding]:
    """What a reader must know beside who was seen."""
    found = [Finding(severity=Severity.NOTE, text=text) for text in remarks(task)]
    provenance = model.config.provenance
    used = {one["name"] for one in provenance.recipe.get("objectives", ())} if provenance is not None else set()
    count = int(seen_by(model, Joined((store,)))[task.rows[Role.TRAIN]].sum())
    if used & _MEASURING and task.target.name in COLUMNS[1:] and count:
        text = (
            f"Pretraining learned rhythm and intervals of {count:,} records that train here: {task.target.name} was "
            "no secret to it."
        )
        found.append(Finding(severity=Severity.WARNING, text=text))
    return found


def _side(task: OutcomeTask, role: Role) -> OutcomeSide:
    events = task.n_events(role) if task.target.kind is Kind.SURVIVAL else None
    return OutcomeSide(
        role=role.value,
        records=len(task.rows[role]),
        subjects=task.n_subjects(role),
        unknown=task.unknown[role],
        events=events,
    )


def _settings(options: Options) -> dict[str, Any]:
    return {
        "adaptation": options.adaptation.value,
        "seeds": options.seeds,
        "seed": options.seed,
        "draws": options.draws,
        "level": LEVEL,
        "penalties": PENALTIES,
        "training": vars(options.budget),
    }
