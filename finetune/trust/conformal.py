"""Prediction sets that hold the truth as often as they promise: yes, no, both (undecided) or none, for each concept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Bool, Float, Float64


class Promise(StrEnum):
    """Whom the promise is made to.

    `marginal`: 90 % of all records. Where 5 % have a finding, all of the missed may be among them. `per-label`: 90 % of
    those with the finding, and 90 % of those without (Mondrian).
    """

    MARGINAL = "marginal"
    PER_LABEL = "per-label"


@dataclass(frozen=True)
class PredictionSets:
    """A rule from probabilities to sets of labels.

    Attributes:
        limits: `(concept, label)`: label 0 (absent) or 1 (present) is in the set where 1 - its probability is at most
            this. Infinite where too few records calibrate: such a set always holds the label.
        promise: To whom.
        miscoverage: The share of truths that may be missed.
    """

    limits: Float64[np.ndarray, "concept 2"]
    promise: Promise
    miscoverage: float

    def __call__(self, probabilities: Float[np.ndarray, "row concept"]) -> Bool[np.ndarray, "row concept 2"]:
        """Which labels are in the set of each record and concept."""
        return _strangeness(probabilities) <= self.limits


def conformal(
    probabilities: Float[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
    *,
    miscoverage: float = 0.1,
    promise: Promise = Promise.PER_LABEL,
) -> PredictionSets:
    r"""Split conformal prediction, for each concept.

    With n calibration records whose true label y has the strangeness s_i = 1 - p_i(y), the limit is the k-th smallest
    of them, k = ceil((n + 1)(1 - miscoverage)). A new record drawn as they were has its truth in the set with a
    probability of at least 1 - miscoverage, and at most 1 / (n + 1) more where no two are alike, whatever the model.
    Several records of one subject are not independent draws: what is promised is then promised only roughly.

    Args:
        probabilities: Of calibration records, which the model was not fitted to.
        labels: True where the record has the concept.
        known: False where the label is not known; such pairs are left out.
        miscoverage: Between 0 and 1.
        promise: To all records together, or to each label on its own.

    Raises:
        ValueError: If the miscoverage is not between 0 and 1.

    References:
        Vovk, Gammerman, Shafer, Algorithmic learning in a random world, 2005 (split and Mondrian);
        Angelopoulos, Bates, A gentle introduction to conformal prediction, arXiv 2107.07511.
    """
    if not 0 < miscoverage < 1:
        raise ValueError(f"miscoverage: expected a number between 0 and 1, got {miscoverage}")
    strangeness = np.take_along_axis(_strangeness(probabilities), labels[..., None].astype(np.int64), 2)[..., 0]
    limits = np.full((labels.shape[1], 2), np.inf)
    for concept in range(labels.shape[1]):
        for label in (0, 1):
            rows = known[:, concept]
            if promise is Promise.PER_LABEL:
                rows = rows & (labels[:, concept] == label)
            limits[concept, label] = _limit(strangeness[rows, concept], miscoverage)
    return PredictionSets(limits, promise, miscoverage)


@dataclass(frozen=True)
class GroupedSets:
    """A rule for each group of people, so that the promise is made to each: Mondrian sets by group.

    Attributes:
        groups: By the name of the group.
        rest: For groups that did not calibrate: the sets of everybody.
    """

    groups: Mapping[str, PredictionSets]
    rest: PredictionSets

    def __call__(
        self, probabilities: Float[np.ndarray, "row concept"], groups: Sequence[str]
    ) -> Bool[np.ndarray, "row concept 2"]:
        """Which labels are in the set of each record and concept, by the group of each record."""
        names, sets = np.asarray(groups, dtype=str), self.rest(probabilities)
        for group, rule in self.groups.items():
            sets[names == group] = rule(probabilities[names == group])
        return sets


def conformal_by_group(
    probabilities: Float[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
    groups: Sequence[str],
    *,
    miscoverage: float = 0.1,
    promise: Promise = Promise.PER_LABEL,
) -> GroupedSets:
    """`conformal` for each group of records on its own: sexes, hospitals, ages.

    Sets of everybody keep their promise on average: a group that the model knows less well is let down, and another
    gets more than it was promised. Each group needs enough records of its own; with fewer than 1 / miscoverage - 1 of a
    label, that label is never excluded.

    Args:
        probabilities: Of calibration records, which the model was not fitted to.
        labels: True where the record has the concept.
        known: False where the label is not known; such pairs are left out.
        groups: Of each record; nobody is in two.
        miscoverage: Between 0 and 1.
        promise: To all records of the group together, or to each label on its own.

    Raises:
        ValueError: If the miscoverage is not between 0 and 1, or not every record has a group.

    References:
        Vovk, Gammerman, Shafer, Algorithmic learning in a random world, 2005, section 4.5 (Mondrian predictors).
    """
    names = np.asarray(groups, dtype=str)
    if len(names) != len(labels):
        raise ValueError(f"groups: expected one for each of {len(labels)} records, got {len(names)}")

    def fitted(rows: Bool[np.ndarray, " row"]) -> PredictionSets:
        return conformal(probabilities[rows], labels[rows], known[rows], miscoverage=miscoverage, promise=promise)

    return GroupedSets({str(one): fitted(names == one) for one in np.unique(names)}, fitted(np.ones(len(names), bool)))


@dataclass(frozen=True)
class Coverage:
    """How often sets held the truth, and how much they said; NaN where there was no such record.

    Attributes:
        all: Share of records whose truth is in the set.
        positive: The same of records with the concept.
        negative: The same of records without.
        undecided: Share of sets with both labels.
        empty: Share of sets with none: such a record is like no calibration record.
        records: How many were judged.
    """

    all: Float64[np.ndarray, " concept"]
    positive: Float64[np.ndarray, " concept"]
    negative: Float64[np.ndarray, " concept"]
    undecided: Float64[np.ndarray, " concept"]
    empty: Float64[np.ndarray, " concept"]
    records: Float64[np.ndarray, " concept"]


def coverage(
    sets: Bool[np.ndarray, "row concept 2"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
) -> Coverage:
    """What came of the promise, on records that had no part in it."""
    held = np.where(labels, sets[..., 1], sets[..., 0])

    def share(what: Bool[np.ndarray, "row concept"], among: Bool[np.ndarray, "row concept"]) -> np.ndarray:
        count = among.sum(0)
        return np.divide((what & among).sum(0), count, out=np.full(len(count), np.nan), where=count > 0)

    return Coverage(
        all=share(held, known),
        positive=share(held, known & labels),
        negative=share(held, known & ~labels),
        undecided=share(sets[..., 0] & sets[..., 1], known),
        empty=share(~(sets[..., 0] | sets[..., 1]), known),
        records=known.sum(0).astype(np.float64),
    )


def _strangeness(probabilities: Float[np.ndarray, "row concept"]) -> Float[np.ndarray, "row concept 2"]:
    return np.stack([probabilities, 1 - probabilities], axis=2)


def _limit(strangeness: Float[np.ndarray, " row"], miscoverage: float) -> float:
    # A product such as 0.9 * 10 lies a rounding above 9: that must not become a record more.
    place = int(np.ceil(np.round((len(strangeness) + 1) * (1 - miscoverage), 9)))
    return float(np.partition(strangeness, place - 1)[place - 1]) if place <= len(strangeness) else np.inf
