"""From finished folds to lines with intervals, and to what a reader must know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64

from finetune.diagnosis.result import Finding, Metric, Severity
from finetune.diagnosis.summary import metric
from finetune.emotion.log import Finished
from finetune.emotion.metrics import Measure, measures, score
from finetune.emotion.protocols import Access, Plan, Protocol
from finetune.emotion.result import Line
from finetune.emotion.rivals import RIVALS
from finetune.emotion.targets import Trials
from finetune.metrics.bootstrap import N_DRAWS

#: The row that the others are set against.
REFERENCE = "random"
#: A class that fewer people have is not a class across people.
LEAST_PEOPLE = 5
Draws = Mapping[Measure, Float64[np.ndarray, "seed draws"]]


@dataclass(frozen=True)
class Scored:
    """A line before it is summarised.

    Attributes:
        row: Its name.
        access: The variant.
        draws: Of every measure; the first draw is the sample itself.
        right: For each subject, the share of trials that were right, mean over seeds.
        folds: What it was made from.
    """

    row: str
    access: Access
    draws: Draws
    right: dict[str, float]
    folds: Sequence[Finished]


def scored(
    finished: Sequence[Finished], trials: Trials, row: str, access: Access, *, n_draws: int = N_DRAWS
) -> Scored | None:
    """The draws of one line, from all of its folds and seeds; None where it was not asked for.

    A trial counts once a seed. Draws are the same for all lines: they are of the subjects under test.
    """
    folds = [one for one in finished if one.row == row and access.value in one.probabilities]
    if not folds:
        return None
    by_seed: list[dict[Measure, Float64[np.ndarray, " draws"]]] = []
    right: dict[str, list[float]] = {}
    for seed in sorted({one.seed for one in folds}):
        parts = sorted((one for one in folds if one.seed == seed), key=lambda one: one.fold)
        tested = np.concatenate([np.asarray(one.trials, dtype=np.int64) for one in parts])
        found = np.concatenate([np.asarray(one.probabilities[access.value]) for one in parts])
        order = np.argsort(tested)
        tested, found = tested[order], found[order]
        labels, subjects = trials.label[tested], trials.subject[tested]
        by_seed.append(score(found, labels, subjects, n_draws=n_draws))
        for person in np.unique(subjects):
            of = subjects == person
            right.setdefault(str(person), []).append(float((found[of].argmax(1) == labels[of]).mean()))
    draws = {one: np.stack([each[one] for each in by_seed]) for one in measures(len(trials.classes))}
    return Scored(row, access, draws, {person: float(np.mean(each)) for person, each in right.items()}, folds)


def lines(
    finished: Sequence[Finished],
    trials: Trials,
    rows: Sequence[str],
    access: Sequence[Access],
    protocol: Protocol,
    *,
    n_draws: int = N_DRAWS,
) -> tuple[Line, ...]:
    """The table, in the order of the registry."""
    table = []
    reference = {one: scored(finished, trials, REFERENCE, one, n_draws=n_draws) for one in Access}
    for row in [name for name in RIVALS if name in rows]:
        for one in RIVALS[row].variants(access):
            found = reference[one] if row == REFERENCE else scored(finished, trials, row, one, n_draws=n_draws)
            if found is not None:
                table.append(_line(found, reference[one], protocol))
    return tuple(table)


def _line(found: Scored, reference: Scored | None, protocol: Protocol) -> Line:
    rival = RIVALS[found.row]
    gaps: dict[Measure, Metric] = {}
    if reference is not None and found.row != REFERENCE:
        gaps = {one: _gap(values, reference.draws[one]) for one, values in found.draws.items()}
    maps = [one.details["occlusion"] for one in found.folds if "occlusion" in one.details]
    return Line(
        row=found.row,
        title=rival.title_of(found.access),
        access=found.access,
        pretrains=rival.pretrains,
        labels_of_target=rival.trained and protocol in (Protocol.FEW_SHOT, Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT),
        trained=rival.trained,
        about=rival.about,
        metrics={one: metric(values, lowest=one.lowest) for one, values in found.draws.items()},
        against_random=gaps,
        subjects=found.right,
        occlusion=tuple(np.mean(maps, axis=0).tolist()) if maps else (),
        seconds=round(sum(one.seconds for one in found.folds), 1),
    )


def _gap(ours: Float64[np.ndarray, "seed draws"], other: Float64[np.ndarray, "seed draws"]) -> Metric:
    """Seed by seed and draw by draw; seeds that only one of them has finished are left out."""
    both = min(len(ours), len(other))
    return metric(ours[:both] - other[:both], lowest=-1.0)


def findings(trials: Trials, plan: Plan, access: Sequence[Access], zero_phase: bool) -> tuple[Finding, ...]:
    """What in the data makes numbers say something else than they seem to."""
    found = []
    if trials.left_out:
        counts = ", ".join(f"{count} ({reason})" for reason, count in sorted(trials.left_out.items()))
        found.append(Finding(severity=Severity.NOTE, text=f"Trials left out: {counts}."))
    for place, name in enumerate(trials.classes):
        people, count = len(set(trials.subject[trials.label == place].tolist())), int((trials.label == place).sum())
        if people < LEAST_PEOPLE:
            text = (
                f"Class {name!r} has {count} trials of {people} subjects: what is learnt of it is learnt from them "
                "alone, and pooled metrics say who they are."
            )
            found.append(Finding(severity=Severity.WARNING, text=text))
    first = np.array([trials.label[(trials.subject == one) & (trials.order == 0)][0] for one in trials.subjects])
    if len(set(first.tolist())) == 1 and len(first) > 2:
        text = (
            f"Every subject's first trial is {trials.classes[first[0]]!r}: the order of the trials tells the class. "
            "Drift of the recording over time, and statistics of the stream (running or per-subject normalisation), "
            "may be what is classified."
        )
        found.append(Finding(severity=Severity.WARNING, text=text))
    if _stimulus_is_class(trials) and plan.protocol not in (
        Protocol.UNSEEN_STIMULUS,
        Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT,
    ):
        text = (
            "Each stimulus has one class for everybody, and the stimuli under test are met in training: a model that "
            "knows the stimulus again scores like one that knows the state. Only the unseen-stimulus protocol tells "
            "them apart."
        )
        found.append(Finding(severity=Severity.WARNING, text=text))
    if Access.CAUSAL in access and zero_phase:
        text = (
            "The store was filtered or resampled without phase distortion, which looks ahead by the length of the "
            "filter: rows named causal are causal from the store on."
        )
        found.append(Finding(severity=Severity.NOTE, text=text))
    return tuple(found)


def _stimulus_is_class(trials: Trials) -> bool:
    named = trials.stimulus != ""
    pairs = {(str(s), int(label)) for s, label in zip(trials.stimulus[named], trials.label[named], strict=True)}
    stimuli = {stimulus for stimulus, _ in pairs}
    return bool(stimuli) and len(pairs) == len(stimuli)
