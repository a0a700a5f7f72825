"""Everybody delineated by a network that never saw them, beside neurokit2 on the same records and leads."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
from jaxtyping import Int
from pydantic import BaseModel, ConfigDict

from biosig.corpora import CORPORA
from biosig.errors import BiosigError
from biosig.recording import Recording
from biosig.splits import hashed_fold
from biosig.store import Store
from finetune.delineation.decode import Rules, waves_of
from finetune.delineation.delineator import Delineator, DelineatorConfig, probabilities
from finetune.delineation.intake import RATE
from finetune.delineation.rival import neurokit
from finetune.delineation.scores import Gain, PointScore, Tally, gains, score
from finetune.delineation.training import Budget, Drawn, Fitted, fit
from finetune.delineation.waves import Lead

RESULT = "result.json"


class Result(BaseModel):
    """What a cross-validation found: `result.json`.

    Attributes:
        source: What the recordings are of.
        recordings: How many.
        leads: Annotated ones in them.
        folds: How many; each person is tested once.
        seeds: Of each repetition.
        training: Of each fold and seed: people on each side, steps, seconds, what validation chose.
        ours: Of all leads together, then of each lead.
        neurokit: The same of neurokit2.
        gains: Ours less neurokit2's, all leads together, paired.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["biosig-delineation"] = "biosig-delineation"
    version: Literal[1] = 1
    source: str
    recordings: int
    leads: int
    folds: int
    seeds: tuple[int, ...]
    training: tuple[dict[str, Any], ...]
    ours: tuple[PointScore, ...]
    neurokit: tuple[PointScore, ...]
    gains: tuple[Gain, ...]


@dataclass(frozen=True)
class Plan:
    """How to cross-validate.

    Attributes:
        folds: At least two.
        seeds: Repetitions.
        budget: Of each training.
        draws: Of the bootstrap over people.
    """

    folds: int = 5
    seeds: tuple[int, ...] = (0,)
    budget: Budget = field(default_factory=Budget)
    draws: int = 1000


def read_annotated(source: Path) -> tuple[str, list[Recording]]:
    """The corpus and the recordings of a store, or of a folder of LUDB as it is downloaded.

    Raises:
        BiosigError: If it is neither, or the store has so low a rate that edges are lost.
    """
    if (source / "store.json").is_file():
        store = Store(source)
        if min(store.rates) < RATE:
            raise BiosigError(
                f"{source}: sampling_rate: expected {RATE:g} Hz or more to place edges, got {min(store.rates):g}; "
                "prepare the store again without --rate"
            )
        return store.info.corpus.name, [store.recording(row) for row in range(len(store))]
    corpus = CORPORA["ludb"]
    return corpus.name, [corpus.read(entry) for entry in corpus.find(source)]


def cross_validate(
    corpus: str, recordings: Sequence[Recording], plan: Plan, *, say: Callable[[str], None] = lambda _: None
) -> tuple[Result, Delineator]:
    """Train and test over folds of people; validation, other people of the training part, chooses steps and thresholds.

    Args:
        corpus: Its name; with the name of a subject it says their fold.
        recordings: With annotated waves.
        plan: How.
        say: Told what begins.

    Returns:
        The numbers, and a delineator of the networks of all folds of the first seed. What it says of these recordings
        is no test: some of its networks were trained on each of them.
    """
    say("reading annotations")
    drawn = Drawn.of(recordings)
    subjects = [recording.subject_id for recording in recordings]
    folds = np.array([hashed_fold(corpus, subject, 2 * plan.folds) for subject in subjects])
    facts: list[dict[str, Any]] = []
    tallies, members = [], []
    for seed in plan.seeds:
        found: dict[int, dict[str, Lead]] = {}
        for number, (train, validation, test) in enumerate(sides(folds, plan.folds), start=1):
            say(f"fold {number} of {plan.folds}, seed {seed}")
            begin = time.perf_counter()
            fitted = fit(drawn.take(train), drawn.take(validation), seed=seed, budget=plan.budget)
            seconds = time.perf_counter() - begin
            found |= {int(row): _delineate(fitted, drawn, int(row)) for row in test}
            facts.append(_facts(fitted, number, seed, (len(train), len(validation), len(test)), seconds))
            if seed == plan.seeds[0]:
                members.append(fitted)
        tallies.append(Tally.of(subjects, drawn.leads, [found[row] for row in range(len(recordings))]))
    say("neurokit2")
    rival = Tally.of(subjects, drawn.leads, [neurokit(recording) for recording in recordings])
    say("intervals")
    leads = list(dict.fromkeys(tallies[0].leads))
    result = Result(
        source=corpus,
        recordings=len(recordings),
        leads=len(tallies[0].leads),
        folds=plan.folds,
        seeds=plan.seeds,
        training=tuple(facts),
        ours=_scores(tallies, leads, plan.draws),
        neurokit=_scores([rival], leads, plan.draws),
        gains=tuple(gains(tallies, rival, draws=plan.draws)),
    )
    return result, _together(members, plan, {"corpus": corpus, "recordings": len(recordings), "folds": facts})


def sides(
    folds: Int[np.ndarray, " row"], k: int
) -> Iterator[tuple[Int[np.ndarray, " row"], Int[np.ndarray, " row"], Int[np.ndarray, " row"]]]:
    """Rows that train, validate and test, k times: of 2k folds two test, the next validates.

    Raises:
        BiosigError: If a side is empty: there are too few people for so many folds.
    """
    for number in range(k):
        test = np.isin(folds, (2 * number + 1, 2 * number + 2))
        validation = folds == (2 * number + 2) % (2 * k) + 1
        training, watching, tested = (np.flatnonzero(side) for side in (~test & ~validation, validation, test))
        if not min(len(training), len(watching), len(tested)):
            raise BiosigError(
                f"fold {number + 1} of {k}: expected recordings on every side, got {len(training)} to train, "
                f"{len(watching)} to validate and {len(tested)} to test"
            )
        yield training, watching, tested


def _delineate(fitted: Fitted, drawn: Drawn, row: int) -> dict[str, Lead]:
    said = probabilities(fitted.network, drawn.signal[row])
    return {
        lead: waves_of(said.waves[place], said.peaks[place], RATE, fitted.rules)
        for place, lead in enumerate(drawn.names[row])
    }


def _facts(fitted: Fitted, fold: int, seed: int, people: tuple[int, int, int], seconds: float) -> dict[str, Any]:
    return {
        "fold": fold,
        "seed": seed,
        **dict(zip(("train", "validation", "test"), people, strict=True)),
        "steps": fitted.steps,
        "best_step": fitted.best_step,
        "validation_loss": fitted.validation_loss,
        "least": list(fitted.rules.least),
        "seconds": round(seconds, 1),
    }


def _scores(tallies: Sequence[Tally], leads: Sequence[str], draws: int) -> tuple[PointScore, ...]:
    each = [row for lead in leads for row in score([tally.only(lead) for tally in tallies], lead, draws=draws)]
    return (*score(tallies, draws=draws), *each)


def _together(members: Sequence[Fitted], plan: Plan, facts: dict[str, Any]) -> Delineator:
    """The networks of all folds; each kind of wave needs the mean of what their validations asked for."""
    least = np.mean([one.rules.least for one in members], axis=0)
    rules = Rules(least=(float(least[0]), float(least[1]), float(least[2])))
    config = DelineatorConfig(rules=rules, network=plan.budget.spec, members=len(members), training=facts)
    return Delineator([one.network for one in members], config)
