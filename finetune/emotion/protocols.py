"""Who and what is held out: folds of trials, and how much of the test stream a row may look at."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from biosig.errors import BiosigError
from finetune.emotion.targets import Trials

#: The share of the subjects who are not tested that validate; two at least where there are enough of them.
VALIDATION_SHARE = 0.15
_ENOUGH = 6


class Access(StrEnum):
    """What a row may know of the subject under test, beside the trial that is judged.

    `causal`: nothing that is recorded after the trial. Statistics come from training subjects, or from the past of the
    test stream; smoothing looks back only. It could run while the person watches.

    `transductive`: the whole unlabelled test stream. Each subject is normalised by all of its trials, and smoothing
    looks both ways. Numbers of such rows hold for recordings that are complete, and flatter a system that is to run
    live; much of the published work is of this kind without saying so.
    """

    CAUSAL = "causal"
    TRANSDUCTIVE = "transductive"


class Protocol(StrEnum):
    """What is held out.

    `loso`: one subject at a time. `kfold`: subjects in k groups. `few-shot`: one subject at a time, whose first n
    trials are given with their labels. `unseen-stimulus`: subjects and stimuli both, neither is met in training.
    `unseen-stimulus-seen-subject`: stimuli only; the same people train.
    """

    LOSO = "loso"
    KFOLD = "kfold"
    FEW_SHOT = "few-shot"
    UNSEEN_STIMULUS = "unseen-stimulus"
    UNSEEN_STIMULUS_SEEN_SUBJECT = "unseen-stimulus-seen-subject"


@dataclass(frozen=True)
class Fold:
    """Places of trials on each side; a trial that is on none is not used.

    Attributes:
        name: The subject under test, or the number of the group.
        train: Whose signals and labels are learnt from.
        validation: Of other subjects: choose strengths and stop trainings.
        test: Judged once.
        calibration: Of the subject under test, with labels: few-shot only.
    """

    name: str
    train: tuple[int, ...]
    validation: tuple[int, ...]
    test: tuple[int, ...]
    calibration: tuple[int, ...] = ()

    @property
    def learnt(self) -> tuple[int, ...]:
        """Trials whose labels are learnt from."""
        return (*self.train, *self.calibration)


@dataclass(frozen=True)
class Plan:
    """A protocol with its numbers.

    Attributes:
        protocol: What is held out.
        k: Groups of subjects (`kfold`, `unseen-stimulus`).
        stimulus_groups: Groups of stimuli (`unseen-stimulus...`).
        shots: Trials of the subject under test that calibrate (`few-shot`).
    """

    protocol: Protocol = Protocol.LOSO
    k: int = 5
    stimulus_groups: int = 3
    shots: int = 4

    def folds(self, trials: Trials, seed: int) -> tuple[Fold, ...]:
        """The folds; the seed draws groups and validation subjects.

        In every protocol each trial is tested once at most.

        Raises:
            BiosigError: If there are too few subjects, stimuli or trials, or a training side lacks a class.
        """
        found = _FOLDS[self.protocol](self, trials, np.random.default_rng([seed, 7]))
        for fold in found:
            lacking = set(range(len(trials.classes))) - set(trials.label[list(fold.train)].tolist())
            if lacking:
                numbers = all(one.replace(".", "", 1).isdecimal() for one in trials.classes)
                raise BiosigError(
                    f"fold {fold.name}: expected every class on the training side, {trials.classes[min(lacking)]!r} "
                    f"is not among its {len(fold.train)} trials"
                    + (f"; if these are ratings, give a threshold, as --target '{trials.target}>5'" if numbers else "")
                )
        return found


def _loso(plan: Plan, trials: Trials, generator: np.random.Generator) -> tuple[Fold, ...]:  # noqa: ARG001 -- every protocol is asked alike
    people = trials.subjects
    return tuple(_by_subject(trials, person, (person,), generator) for person in people)


def _kfold(plan: Plan, trials: Trials, generator: np.random.Generator) -> tuple[Fold, ...]:
    groups = _groups(trials.subjects, plan.k, "subjects", generator)
    return tuple(_by_subject(trials, f"group {n + 1}", group, generator) for n, group in enumerate(groups))


def _few_shot(plan: Plan, trials: Trials, generator: np.random.Generator) -> tuple[Fold, ...]:
    folds = []
    for person in trials.subjects:
        whole = _by_subject(trials, person, (person,), generator)
        stream = sorted(whole.test, key=lambda place: int(trials.order[place]))
        if len(stream) <= plan.shots:
            raise BiosigError(
                f"subject {person}: {plan.shots} calibration trials leave nothing to test of its {len(stream)}; "
                "ask for fewer --shots"
            )
        given, rest = tuple(stream[: plan.shots]), tuple(sorted(stream[plan.shots :]))
        folds.append(Fold(whole.name, whole.train, whole.validation, rest, calibration=given))
    return tuple(folds)


def _unseen(plan: Plan, trials: Trials, generator: np.random.Generator) -> tuple[Fold, ...]:
    """Validation subjects are judged on stimuli of the training side: no stimulus under test chooses anything."""
    folds = []
    for n, people in enumerate(_groups(trials.subjects, plan.k, "subjects", generator)):
        whole = _by_subject(trials, "", people, generator)
        for m, stimuli in enumerate(_stimulus_groups(trials, plan.stimulus_groups, generator)):
            unseen = np.isin(trials.stimulus, stimuli)
            folds.append(
                Fold(
                    f"group {n + 1}, stimuli {m + 1}",
                    tuple(one for one in whole.train if not unseen[one]),
                    tuple(one for one in whole.validation if not unseen[one]),
                    tuple(one for one in whole.test if unseen[one]),
                )
            )
    return tuple(fold for fold in folds if fold.test)


def _unseen_same_people(plan: Plan, trials: Trials, generator: np.random.Generator) -> tuple[Fold, ...]:
    folds = []
    for m, stimuli in enumerate(_stimulus_groups(trials, plan.stimulus_groups, generator)):
        unseen = np.isin(trials.stimulus, stimuli)
        judges = np.isin(trials.subject, _validators(trials.subjects, generator))
        folds.append(
            Fold(
                f"stimuli {m + 1}",
                trials.where(~unseen & ~judges),
                trials.where(~unseen & judges),
                trials.where(unseen),
            )
        )
    return tuple(folds)


_FOLDS: dict[Protocol, Callable[[Plan, Trials, np.random.Generator], tuple[Fold, ...]]] = {
    Protocol.LOSO: _loso,
    Protocol.KFOLD: _kfold,
    Protocol.FEW_SHOT: _few_shot,
    Protocol.UNSEEN_STIMULUS: _unseen,
    Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT: _unseen_same_people,
}


def _by_subject(trials: Trials, name: str, people: Sequence[str], generator: np.random.Generator) -> Fold:
    others = [one for one in trials.subjects if one not in set(people)]
    if len(others) < 2:
        raise BiosigError(
            f"--target {trials.target}: expected two subjects beside those under test, one to train and one to "
            f"validate; there are {len(others)}"
        )
    judges = _validators(others, generator)
    tested, judging = np.isin(trials.subject, people), np.isin(trials.subject, judges)
    return Fold(name, trials.where(~tested & ~judging), trials.where(judging), trials.where(tested))


def _validators(people: Sequence[str], generator: np.random.Generator) -> tuple[str, ...]:
    count = max(2 if len(people) >= _ENOUGH else 1, round(VALIDATION_SHARE * len(people)))
    return tuple(generator.permutation(np.array(people))[:count].tolist())


def _groups(names: Sequence[str], k: int, what: str, generator: np.random.Generator) -> list[tuple[str, ...]]:
    if not 2 <= k <= len(names):
        raise BiosigError(f"expected between 2 and {len(names)} groups of {what}, got {k}")
    shuffled = generator.permutation(np.array(names))
    return [tuple(sorted(shuffled[n::k].tolist())) for n in range(k)]


def _stimulus_groups(trials: Trials, k: int, generator: np.random.Generator) -> list[tuple[str, ...]]:
    """Groups in which the stimuli of each class (that most of their trials have) are spread evenly."""
    if "" in trials.stimuli:
        nameless = trials.name[trials.stimulus == ""][0]
        raise BiosigError(f"{nameless}: expected the name of its stimulus, which this protocol holds out; it has none")
    if not 2 <= k <= len(trials.stimuli):
        raise BiosigError(f"expected between 2 and {len(trials.stimuli)} groups of stimuli, got {k}")
    usual = {
        stimulus: int(np.bincount(trials.label[trials.stimulus == stimulus]).argmax()) for stimulus in trials.stimuli
    }
    shuffled = generator.permutation(np.array(trials.stimuli)).tolist()
    ordered = sorted(shuffled, key=lambda stimulus: usual[stimulus])
    return [tuple(sorted(ordered[n::k])) for n in range(k)]
