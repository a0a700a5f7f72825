"""DS1 trains, DS2 tests: every row of the table, each looking at DS2 once."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from jaxtyping import Int64
from pydantic import BaseModel, ConfigDict

from finetune.beats import rhythm as rhythms
from finetune.beats.aami import BEATS, Beat, Split, sides, validation_folds
from finetune.beats.cases import Case, at_annotated, at_found, beats_of
from finetune.beats.choices import Context
from finetune.beats.crossfit import Crossfitted, Fit, crossfit, network_fit
from finetune.beats.intake import Strip
from finetune.beats.labeller import BeatLabeller, BeatLabellerConfig
from finetune.beats.network import BeatNet
from finetune.beats.peers import boosted_trees, commonest
from finetune.beats.rhythm_scores import RhythmScore, leave_one_out, of_strangers
from finetune.beats.scores import Gain, Summary, Tally, gain, summarise
from finetune.beats.training import Budget
from finetune.metrics.bootstrap import N_DRAWS

RESULT = "result.json"


class Person(BaseModel):
    """One record of a row: its beats of each class (a line), by what was said of them, mean over seeds.

    The last line is of what was found where no beat was, the last column of beats that were not found.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    record: str
    subject: str
    confusion: tuple[tuple[float, ...], ...]


class Row(Summary):
    """One labeller under one split.

    Attributes:
        name: What it is.
        split: Who trained.
        tested: On whom and at which times.
        seeds: Of each repetition.
        train_people: How many.
        confusion: All people together; see `Person`.
        people: One by one.
    """

    name: str
    split: Split
    tested: str
    seeds: tuple[int, ...]
    train_people: int
    confusion: tuple[tuple[float, ...], ...]
    people: tuple[Person, ...]

    def of(self, beat: Beat) -> Any:
        """The scores of one class."""
        return self.classes[BEATS.index(beat)]


class Result(BaseModel):
    """What a run found: `result.json`.

    Attributes:
        context: Whether later beats were seen.
        records: How many were read.
        folds: Of the training people.
        networks: That answer together, of each seed.
        training: Of each fold: split, seed, people left out, steps of each network, seconds.
        rows: The table.
        gain: The network less the boosted trees, strict split.
        rhythm: Fibrillation and flutter.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: Literal["biosig-beats"] = "biosig-beats"
    version: Literal[2] = 2
    context: Context
    records: int
    folds: int
    networks: int
    training: tuple[dict[str, Any], ...]
    rows: tuple[Row, ...]
    gain: Gain
    rhythm: tuple[RhythmScore, ...]


@dataclass(frozen=True)
class Plan:
    """How to train and test.

    Attributes:
        folds: Of the training people, for validation.
        seeds: Repetitions of the network.
        splits: Who trains.
        budget: Of each training.
        trees: Of each boosted labeller.
        draws: Of the bootstrap over people.
    """

    folds: int = 4
    seeds: tuple[int, ...] = (0, 1, 2)
    splits: tuple[Split, ...] = tuple(Split)
    budget: Budget = field(default_factory=Budget)
    trees: int = 120
    draws: int = N_DRAWS

    @property
    def trainings(self) -> int:
        """How often networks are trained: of each split, seed and fold."""
        return self.folds * len(self.seeds) * len(self.splits)


def experiment(
    cases: Sequence[Case], plan: Plan, *, say: Callable[[str], None] = lambda _: None
) -> tuple[Result, BeatLabeller]:
    """Every row; and the networks of the first seed of the strict split, as they were tested.

    Args:
        cases: Records of DS1 and DS2.
        plan: How.
        say: Told of each training before it begins.
    """
    rows: list[Row] = []
    training: list[dict[str, Any]] = []
    peers: dict[Split, tuple[list[Tally], list[Tally]]] = {}
    saved: list[BeatNet] = []
    first: Crossfitted | None = None
    by_name = {case.strip.record_id: case for case in cases}
    for split in plan.splits:
        train, test = ([by_name[name] for name in side] for side in sides(_people(cases), split))
        folds = validation_folds(beats_of(train), plan.folds)
        strips = [case.strip for case in train]
        rhythm = rhythms.fit([case.rhythm for case in train])
        fitted = []
        for seed in plan.seeds:
            networks: list[BeatNet] = []
            fit_one = _timed(network_fit(seed, plan.budget, networks), say, f"{split.value} split, seed {seed}")
            fitted.append(crossfit(strips, folds, fit_one, rhythm))
            training += [{"split": split.value, "seed": seed, **fact} for fact in fitted[-1].facts]
            if first is None:
                first, saved = fitted[0], networks
        say(f"{split.value} split, boosted trees")
        trees = crossfit(strips, folds, lambda training, _: (boosted_trees(training, trees=plan.trees), {}), rhythm)
        about = _About(split, plan, len(beats_of(train)))
        networks_say = [_tally(test, one.label) for one in fitted]
        trees_say = [_tally(test, trees.label)]
        if split is Split.STRICT:
            rows.append(about.row("majority", [_tally(test, lambda strip: commonest(strip).argmax(1))]))
        rows.append(about.row("boosted trees", trees_say))
        rows.append(about.row("network", networks_say))
        if split is Split.STRICT:
            found = [_tally_found(test, one.label) for one in fitted]
            rows.append(about.row("network", found, tested="DS2, R peaks of neurokit2"))
            held_out = [_validated(train, one) for one in fitted]
            rows.append(about.row("network", held_out, tested="DS1, people left out"))
        peers[split] = networks_say, trees_say
    say("rhythms")
    train, test = ([by_name[name] for name in side] for side in sides(_people(cases), plan.splits[0]))
    assert first is not None
    score = of_strangers("DS1 on DS2", first.rhythm, _rhythms(train), _rhythms(test), plan.draws)
    everybody = leave_one_out("each person by all others", _rhythms(cases), plan.draws)
    result = Result(
        context=plan.budget.spec.context,
        records=len(cases),
        folds=plan.folds,
        networks=len(saved),
        training=tuple(training),
        rows=tuple(rows),
        gain=gain(*peers[plan.splits[0]], draws=plan.draws),
        rhythm=(score, everybody),
    )
    facts = {"corpus": "mitdb", "split": plan.splits[0].value, "seed": plan.seeds[0], "folds": first.facts}
    config = BeatLabellerConfig(
        offsets=first.offsets, network=plan.budget.spec, members=len(saved), rhythm=first.rhythm, training=facts
    )
    return result, BeatLabeller(saved, config)


@dataclass(frozen=True)
class _About:
    split: Split
    plan: Plan
    train_people: int

    def row(self, name: str, tallies: Sequence[Tally], tested: str = "DS2") -> Row:
        mean = np.mean([one.confusion for one in tallies], axis=0)
        people = zip(tallies[0].records, tallies[0].subjects, mean, strict=True)
        return Row(
            **dict(summarise(tallies, draws=self.plan.draws)),
            name=name,
            split=self.split,
            tested=tested,
            seeds=self.plan.seeds[: len(tallies)],
            train_people=self.train_people,
            confusion=_table(mean.sum(0)),
            people=tuple(Person(record=record, subject=who, confusion=_table(own)) for record, who, own in people),
        )


def _table(confusion: np.ndarray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(round(float(value), 2) for value in line) for line in confusion)


def _people(cases: Sequence[Case]) -> dict[str, str]:
    return {case.strip.record_id: case.strip.subject_id for case in cases}


def _rhythms(cases: Sequence[Case]) -> dict[tuple[str, str], Any]:
    return {(case.strip.record_id, case.strip.subject_id): case.rhythm for case in cases}


def _timed(fit_one: Fit, say: Callable[[str], None], what: str) -> Fit:
    """Tells what begins, and adds the seconds to the facts."""

    def timed(training: Sequence[Strip], validation: Sequence[Strip]) -> Any:
        say(what)
        begin = time.perf_counter()
        labeller, facts = fit_one(training, validation)
        return labeller, {**facts, "seconds": round(time.perf_counter() - begin, 1)}

    return timed


def _tally(cases: Sequence[Case], label: Callable[[Strip], Int64[np.ndarray, " beat"]]) -> Tally:
    return _of(cases, [at_annotated(case.strip, label(case.strip)) for case in cases])


def _tally_found(cases: Sequence[Case], label: Callable[[Strip], Int64[np.ndarray, " beat"]]) -> Tally:
    found = [case.found for case in cases]
    assert all(found)
    pairs = zip(cases, found, strict=True)
    return _of(
        cases,
        [
            at_found(case.strip.peaks, case.strip.labels, one.peaks, label(one))
            for case, one in pairs
            if one is not None
        ],
    )


def _validated(cases: Sequence[Case], fitted: Crossfitted) -> Tally:
    pairs = zip(cases, fitted.validated, strict=True)
    return _of(cases, [at_annotated(case.strip, said) for case, said in pairs])


def _of(cases: Sequence[Case], confusions: Sequence[np.ndarray]) -> Tally:
    records, subjects = zip(*_people(cases).items(), strict=True)
    return Tally(records, subjects, np.stack(confusions))
