"""Everybody staged by a network that never saw them, beside band powers and the most common stage."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Int
from pydantic import BaseModel, ConfigDict

from biosig.errors import BiosigError
from finetune.diagnosis.result import Estimate
from finetune.sequence.network import Context, StageSpec
from finetune.sequence.nights import STAGES, Night, Nights
from finetune.sequence.rivals import band_powers, fit_powers, majority
from finetune.sequence.scores import confusions, draws, estimates
from finetune.sequence.stager import Stager, StagerConfig
from finetune.sequence.training import Budget, Fitted, fit, probabilities, tensor

RESULT = "result.json"
NETWORK, POWERS, POWERS_ALONE, MAJORITY = (
    "network",
    "band powers and neighbours, logistic regression",
    "band powers, logistic regression",
    "most common stage",
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StageRow(_Part):
    """One line of the table.

    Attributes:
        name: Who stages.
        metrics: By name, with intervals over subjects.
        less: The network's less these, in the same draws.
        confusion: Epochs by true and predicted stage, first seed.
    """

    name: str
    metrics: dict[str, Estimate]
    less: dict[str, Estimate]
    confusion: tuple[tuple[int, ...], ...]


class StageResult(_Part):
    """What a cross-validation found: `result.json`.

    Attributes:
        source: What the nights are of.
        nights: How many.
        subjects: How many people.
        epochs: Scored ones, by stage.
        channels: Of the network.
        context: Which other epochs it looks at.
        folds: How many; each person is tested once.
        seeds: Of each repetition of the network.
        training: Of each fold and seed.
        rows: Of the table, the network first.
        skipped: Recordings that were left out, and why.
    """

    format: Literal["biosig-stages-result"] = "biosig-stages-result"
    version: Literal[1] = 1
    source: str
    nights: int
    subjects: int
    epochs: dict[str, int]
    channels: tuple[str, ...]
    context: Context
    folds: int
    seeds: tuple[int, ...]
    training: tuple[dict[str, Any], ...]
    rows: tuple[StageRow, ...]
    skipped: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """How to cross-validate.

    Attributes:
        context: Which other epochs may be looked at, by the network and by band powers with neighbours.
        folds: Of people; at least three.
        seeds: Repetitions of the network.
        budget: Of each training.
        draws: Of the bootstrap over people.
    """

    context: Context = Context.BOTH
    folds: int = 5
    seeds: tuple[int, ...] = (0,)
    budget: Budget = field(default_factory=Budget)
    draws: int = 1000


def cross_validate(
    found: Nights, plan: Plan, *, say: Callable[[str], None] = lambda _: None
) -> tuple[StageResult, Stager]:
    """Train and test over folds of people; other people of the training part choose the step.

    Args:
        found: The nights.
        plan: How.
        say: Told what begins.

    Returns:
        The numbers, and a stager of the networks of all folds of the first seed. What it says of these nights is no
        test: some of its networks were trained on each of them.

    Raises:
        BiosigError: If there are fewer people than folds.
    """
    nights = found.nights
    spec = StageSpec(channels=found.channels, context=plan.context)
    folds = fold_of([night.subject for night in nights], plan.folds)
    said: dict[str, list[list[np.ndarray]]] = {
        NETWORK: [[np.empty(0)] * len(nights) for _ in plan.seeds],
        **{name: [[np.empty(0)] * len(nights)] for name in (POWERS, POWERS_ALONE, MAJORITY)},
    }
    facts: list[dict[str, Any]] = []
    members: list[Fitted] = []
    for number, (train, validation, test) in enumerate(sides(folds, plan.folds)):
        training, watching = [nights[row] for row in train], [nights[row] for row in validation]
        for place, seed in enumerate(plan.seeds):
            say(f"network, fold {number + 1} of {plan.folds}, seed {seed}")
            began = time.perf_counter()
            fitted = fit(training, watching, spec, seed=seed, budget=plan.budget)
            facts.append(_facts(fitted, number + 1, seed, (train, validation, test), time.perf_counter() - began))
            members += [fitted] * (place == 0)
            for row in test:
                said[NETWORK][place][row] = probabilities(fitted.network, tensor(nights[row])).argmax(1)
        say(f"band powers, fold {number + 1} of {plan.folds}")
        # They need nobody to stop them, and so learn from those who validate as well.
        for name, context in ((POWERS, plan.context), (POWERS_ALONE, Context.NONE)):
            model = fit_powers([*training, *watching], context)
            for row in test:
                said[name][0][row] = model.predict(band_powers(nights[row], context))
        for row in test:
            said[MAJORITY][0][row] = majority([*training, *watching], nights[row])
    say("intervals")
    wanted = [NETWORK, POWERS, POWERS_ALONE, MAJORITY]
    if plan.context is Context.NONE:
        wanted.remove(POWERS)
    true = np.concatenate([night.stage for night in nights])
    result = StageResult(
        source=found.corpus,
        nights=len(nights),
        subjects=len({night.subject for night in nights}),
        epochs={name: int((true == place).sum()) for place, name in enumerate(STAGES)},
        channels=found.channels,
        context=plan.context,
        folds=plan.folds,
        seeds=plan.seeds,
        training=tuple(facts),
        rows=_rows(nights, {name: said[name] for name in wanted}, plan.draws),
        skipped=tuple(found.skipped),
    )
    about = {"corpus": found.corpus, "nights": len(nights), "folds": facts}
    config = StagerConfig(network=spec, members=len(members), training=about, measured=result.rows[0].metrics)
    return result, Stager([one.network for one in members], config)


def fold_of(subjects: Sequence[str], k: int) -> Int[np.ndarray, " night"]:
    """0 to k - 1 for each night: people in the order of a hash of their name, dealt out one by one.

    Raises:
        BiosigError: If there are fewer people than folds.
    """
    names = sorted(set(subjects), key=lambda name: hashlib.sha256(name.encode()).digest())
    if len(names) < k:
        raise BiosigError(f"--folds: expected no more folds than people, got {k} folds and {len(names)} people")
    number = {name: place % k for place, name in enumerate(names)}
    return np.array([number[name] for name in subjects])


def sides(
    folds: Int[np.ndarray, " night"], k: int
) -> Iterator[tuple[Int[np.ndarray, " night"], Int[np.ndarray, " night"], Int[np.ndarray, " night"]]]:
    """Nights that train, validate and test, k times: the fold after the tested one validates."""
    for number in range(k):
        test, validation = folds == number, folds == (number + 1) % k
        yield np.flatnonzero(~test & ~validation), np.flatnonzero(validation), np.flatnonzero(test)


def _facts(
    fitted: Fitted, fold: int, seed: int, split: tuple[np.ndarray, np.ndarray, np.ndarray], seconds: float
) -> dict[str, Any]:
    stopped = fitted.stopped
    return {
        "fold": fold,
        "seed": seed,
        **{f"{name}_nights": len(side) for name, side in zip(("train", "validation", "test"), split, strict=True)},
        "steps": stopped.steps,
        "best_step": stopped.best_step,
        "validation_loss": round(stopped.validation_loss, 4),
        "seconds": round(seconds, 1),
    }


def _rows(nights: Sequence[Night], said: dict[str, list[list[np.ndarray]]], n_draws: int) -> tuple[StageRow, ...]:
    """Metrics are means over seeds."""
    subjects, true = [night.subject for night in nights], [night.stage for night in nights]
    values: dict[str, dict[str, np.ndarray]] = {}
    matrices: dict[str, np.ndarray] = {}
    for name, repeats in said.items():
        each = []
        for one in repeats:
            names, counts = confusions(subjects, true, one)
            matrices.setdefault(name, counts.sum(0))
            each.append(draws(names, counts, n_draws=n_draws))
        values[name] = {metric: np.mean([one[metric] for one in each], axis=0) for metric in each[0]}
    ours = next(iter(values.values()))
    return tuple(
        StageRow(
            name=name,
            metrics=estimates(found),
            less={} if found is ours else estimates({key: ours[key] - found[key] for key in found}),
            confusion=tuple(tuple(int(count) for count in line) for line in matrices[name]),
        )
        for name, found in values.items()
    )
