"""Is it worth as much to everybody? Scores by age, sex and corpus, each beside everybody else on the same concepts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Float64

from finetune.card.contents import Attribute, Group
from finetune.diagnosis.result import Estimate
from finetune.diagnosis.summary import estimate
from finetune.metrics.bootstrap import interval
from finetune.metrics.ranking import macro, rank_metrics

#: Years at which an age band begins.
AGES = (0, 18, 40, 65, 80)
_UNKNOWN = "not stated"


def groups(
    people: pd.DataFrame,
    scores: Float[np.ndarray, "row concept"],
    labels: Bool[np.ndarray, "row concept"],
    known: Bool[np.ndarray, "row concept"],
    weights: Float64[np.ndarray, "row draw"],
    *,
    least: int,
) -> tuple[Group, ...]:
    """The macro AUROC of each group of test records, with a bootstrap over subjects.

    A concept counts in a group if at least `least` people of it have a record with the concept and as many have one
    without, and the same holds among the others, if there are any: so both numbers are of the same concepts, and their
    difference is paired. A group without such a concept has no value.

    Args:
        people: `subject`, `age` in years, `sex` and `corpus` of each test record.
        scores: What the diagnoser says.
        labels: True where the record has the concept.
        known: False where that is not known.
        weights: Of `bootstrap.subject_weights`; column 0 is the sample.
        least: People with and without a concept that it takes.
    """
    subjects = people["subject"].to_numpy()
    found = []
    for attribute, name, inside in _memberships(people):
        sides = [np.flatnonzero(inside), np.flatnonzero(~inside)]
        # Where a group is everybody there are no others to compare with.
        counted = np.all([_enough(labels[rows], known[rows], subjects[rows], least) for rows in sides if len(rows)], 0)
        ours, others = (
            macro(rank_metrics(scores[rows], labels[rows], known[rows], weights[rows]).auroc[counted]) for rows in sides
        )
        found.append(
            Group(
                attribute=attribute,
                name=name,
                records=len(sides[0]),
                subjects=len(np.unique(subjects[sides[0]])),
                n_concepts=int(counted.sum()),
                auroc=_estimate(ours),
                others=_estimate(others),
                gap=estimate(interval(ours - others), lowest=-1.0),
            )
        )
    return tuple(found)


def age_band(age: float) -> str:
    """In which band a person of that age is."""
    if not np.isfinite(age):
        return _UNKNOWN
    place = int(np.searchsorted(AGES, age, side="right")) - 1
    if place < 0:
        return _UNKNOWN
    return f"{AGES[place]} and older" if place == len(AGES) - 1 else f"{AGES[place]} to {AGES[place + 1] - 1}"


def _memberships(people: pd.DataFrame) -> Iterator[tuple[Attribute, str, Bool[np.ndarray, " row"]]]:
    """Every group that has a record, in the order of age, of names, and what is not stated last."""
    age = pd.to_numeric(people["age"], errors="coerce").to_numpy(dtype=float)
    bands = np.array([age_band(one) for one in age], dtype=object)
    order = [age_band(begin) for begin in AGES]
    yield from _each(Attribute.AGE, bands, [one for one in order if one in bands])
    for attribute in (Attribute.SEX, Attribute.CORPUS):
        names = np.array([_text(one) for one in people[attribute.value]], dtype=object)
        yield from _each(attribute, names, sorted(set(names) - {_UNKNOWN}))


def _each(
    attribute: Attribute, names: np.ndarray, order: list[str]
) -> Iterator[tuple[Attribute, str, Bool[np.ndarray, " row"]]]:
    for name in [*order, *([_UNKNOWN] if (names == _UNKNOWN).any() else [])]:
        yield attribute, name, names == name


def _text(value: object) -> str:
    return str(value) if isinstance(value, str) and value else _UNKNOWN


def _enough(labels: np.ndarray, known: np.ndarray, subjects: np.ndarray, least: int) -> Bool[np.ndarray, " concept"]:
    """Which concepts enough people have, and lack, in some record."""

    def people(wanted: Bool[np.ndarray, "row concept"]) -> np.ndarray:
        return np.array([len(np.unique(subjects[column])) for column in wanted.T])

    return (people(known & labels) >= least) & (people(known & ~labels) >= least)


def _estimate(draws: Float64[np.ndarray, " draw"]) -> Estimate:
    return estimate(interval(draws))
