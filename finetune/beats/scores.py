"""Sensitivity, PPV and F1 of every class of beats, with intervals over people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from pydantic import BaseModel, ConfigDict

from finetune.beats.aami import BEATS, SAID, Beat
from finetune.diagnosis.result import Estimate
from finetune.diagnosis.summary import estimate
from finetune.metrics.bootstrap import N_DRAWS, interval, seed_interval, subject_weights

#: The place after the classes: no beat was found, or none was there.
NONE = len(BEATS)
METRICS = ("sensitivity", "ppv", "f1")
Confusion = Int64[np.ndarray, "truth said"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassScore(_Part):
    """How well one class was told.

    Attributes:
        beat: The class.
        beats: How many there were.
        people: Who had them.
        sensitivity: Of its beats, those that were said to be so.
        ppv: Of the beats that were said to be so, those that were.
        f1: 2 right / (there + said).
    """

    beat: Beat
    beats: int
    people: int
    sensitivity: Estimate
    ppv: Estimate
    f1: Estimate


class Summary(_Part):
    """All classes together.

    Attributes:
        classes: One by one.
        accuracy: Beats that were told right; a beat that was not found counts as wrong.
        macro_f1: The mean of F1 over N, S, V and F.
    """

    classes: tuple[ClassScore, ...]
    accuracy: Estimate
    macro_f1: Estimate


class Gain(_Part):
    """F1 of one row less that of another, on the same draws of people: of each said class, and their mean."""

    f1: dict[Beat, Estimate]
    macro_f1: Estimate


@dataclass(frozen=True)
class Tally:
    """What was said of the beats of each record.

    Attributes:
        records: Names.
        subjects: The person of each.
        confusion: Beats by class and by what was said, the last place being none.
    """

    records: tuple[str, ...]
    subjects: tuple[str, ...]
    confusion: Int64[np.ndarray, "record truth said"]


def confusion(truth: Int64[np.ndarray, " beat"], said: Int64[np.ndarray, " beat"]) -> Confusion:
    """How many beats of each class were said to be of each."""
    size = NONE + 1
    return np.bincount(truth * size + said, minlength=size**2).reshape(size, size)


def summarise(tallies: Sequence[Tally], *, draws: int = N_DRAWS) -> Summary:
    """Means over seeds, with 95 % intervals of a bootstrap over people; of three seeds or more, over seeds too."""
    each, accuracy, macro = (np.stack(part) for part in zip(*(_drawn(one, draws) for one in tallies), strict=True))
    first = tallies[0]
    counts = first.confusion[:, :NONE].sum(2)
    people = [len({who for who, own in zip(first.subjects, counts[:, k], strict=True) if own}) for k in range(NONE)]
    return Summary(
        classes=tuple(
            ClassScore(
                beat=beat,
                beats=int(counts[:, k].sum()),
                people=people[k],
                **{name: _estimate(each[:, m, k]) for m, name in enumerate(METRICS)},
            )
            for k, beat in enumerate(BEATS)
        ),
        accuracy=_estimate(accuracy),
        macro_f1=_estimate(macro),
    )


def gain(ours: Sequence[Tally], theirs: Sequence[Tally], *, draws: int = N_DRAWS) -> Gain:
    """F1 of ours less theirs, paired.

    Raises:
        ValueError: If the rows are not of the same people.
    """
    if any(one.subjects != ours[0].subjects for one in (*ours, *theirs)):
        raise ValueError("expected tallies of the same people in the same order")
    mine, other = ([_drawn(one, draws) for one in side] for side in (ours, theirs))
    # A row of one seed is set against every seed of the other.
    rival = [other[place if len(other) > 1 else 0] for place in range(len(mine))]
    f1 = np.stack([a[0][2] - b[0][2] for a, b in zip(mine, rival, strict=True)])
    macro = np.stack([a[2] - b[2] for a, b in zip(mine, rival, strict=True)])
    return Gain(f1={beat: _estimate(f1[:, k], -1.0) for k, beat in enumerate(SAID)}, macro_f1=_estimate(macro, -1.0))


def _drawn(
    tally: Tally, draws: int
) -> tuple[Float64[np.ndarray, "metric klass draws"], Float64[np.ndarray, " draws"], Float64[np.ndarray, " draws"]]:
    """Metrics of each class, accuracy and macro F1: of all people, then of each draw of them."""
    weights = subject_weights(tally.subjects, n_draws=draws)
    total = np.einsum("rts,rd->tsd", tally.confusion.astype(np.float64), weights)
    right = np.einsum("kkd->kd", total)[:NONE]
    there, said = total[:NONE].sum(1), total[:, :NONE].sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        each = np.stack([right / there, right / said, 2 * right / (there + said)])
        accuracy = right.sum(0) / there.sum(0)
    # Nobody of a draw has the class, and it was not said: there is nothing to score.
    found = each[2, : len(SAID)]
    exists = np.isfinite(found)
    macro = np.where(exists, found, 0).sum(0) / np.maximum(exists.sum(0), 1)
    return each, accuracy, macro


def _estimate(values: Float64[np.ndarray, "seed draws"], lowest: float = 0.0) -> Estimate:
    return estimate(seed_interval(values) or interval(values.mean(0)), lowest=lowest)
