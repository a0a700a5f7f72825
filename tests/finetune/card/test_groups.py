"""Scores of groups by hand, and what is said of those that are too small."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from finetune.card.contents import Attribute, Group
from finetune.card.groups import age_band, groups
from finetune.metrics.bootstrap import subject_weights

ROWS = 400


def made(seed: int = 0, *, weak: str = "") -> tuple[pd.DataFrame, np.ndarray, np.ndarray, np.ndarray]:
    """Two records a person; the scores of a weak sex are noise."""
    generator = np.random.default_rng(seed)
    person = np.arange(ROWS) // 2
    age = generator.uniform(5, 95, size=ROWS // 2)[person]
    age[person % 10 == 0] = np.nan
    sex = np.array(["female", "male"])[generator.integers(2, size=ROWS // 2)][person]
    people = pd.DataFrame(
        {"subject": [f"p{one}" for one in person], "age": age, "sex": sex, "corpus": np.where(person % 3, "a", "b")}
    )
    labels = generator.random((ROWS, 4)) < [0.5, 0.3, 0.1, 0.01]
    scores = labels + generator.normal(size=labels.shape) + np.where(sex == weak, 30, 0)[:, None]
    scores[sex == weak] = generator.normal(size=(int((sex == weak).sum()), 4))
    return people, scores, labels, generator.random(labels.shape) < 0.9


def found(**options: str) -> dict[tuple[Attribute, str], Group]:
    people, scores, labels, known = made(**options)
    weights = subject_weights(people["subject"], n_draws=200)
    every = groups(people, scores, labels, known, weights, least=5)
    return {(one.attribute, one.name): one for one in every}


def test_a_group_is_scored_on_what_it_and_the_others_have_and_lack() -> None:
    people, scores, labels, known = made()
    every = found()
    for sex in ("female", "male"):
        inside = (people["sex"] == sex).to_numpy()
        counted = [
            k
            for k in range(4)
            if all(
                len(people["subject"][side & known[:, k] & (labels[:, k] == value)].unique()) >= 5
                for side in (inside, ~inside)
                for value in (True, False)
            )
        ]
        one = every[Attribute.SEX, sex]
        assert one.n_concepts == len(counted) == 3
        for side, estimate in ((inside, one.auroc), (~inside, one.others)):
            slow = [roc_auc_score(labels[s, k], scores[s, k]) for k in counted for s in [side & known[:, k]]]
            assert estimate.value == pytest.approx(np.mean(slow))
            assert estimate.low < estimate.value < estimate.high
        assert one.gap.value == pytest.approx(one.auroc.value - one.others.value)
        assert (one.records, one.subjects) == (inside.sum(), inside.sum() // 2)


def test_a_sex_that_is_served_worse_is_seen() -> None:
    every = found(weak="female")
    assert every[Attribute.SEX, "female"].gap.high < 0 < every[Attribute.SEX, "male"].gap.low
    fair = found()
    assert fair[Attribute.SEX, "female"].gap.low < 0 < fair[Attribute.SEX, "female"].gap.high


def test_everybody_is_in_one_group_of_each_kind() -> None:
    every = found()
    for attribute in Attribute:
        assert sum(one.records for (kind, _), one in every.items() if kind is attribute) == ROWS
    names = [name for kind, name in every if kind is Attribute.AGE]
    assert names == ["0 to 17", "18 to 39", "40 to 64", "65 to 79", "80 and older", "not stated"]


def test_a_group_that_is_too_small_has_a_count_and_no_value() -> None:
    people, scores, labels, known = made()
    people.loc[:7, "corpus"] = "tiny"
    weights = subject_weights(people["subject"], n_draws=50)
    one = next(each for each in groups(people, scores, labels, known, weights, least=5) if each.name == "tiny")
    assert (one.records, one.subjects, one.n_concepts) == (8, 4, 0)
    assert one.auroc.value is one.others.value is one.gap.value is None


def test_where_a_group_is_everybody_there_is_no_gap() -> None:
    people, scores, labels, known = made()
    weights = subject_weights(people["subject"], n_draws=50)
    alone = groups(people.assign(corpus="one"), scores, labels, known, weights, least=5)
    one = next(each for each in alone if each.attribute is Attribute.CORPUS)
    assert one.n_concepts == 4
    assert one.auroc.value is not None
    assert one.others.value is one.gap.value is None


@pytest.mark.parametrize(
    ("age", "band"),
    [
        (0, "0 to 17"),
        (17.9, "0 to 17"),
        (18, "18 to 39"),
        (80, "80 and older"),
        (np.nan, "not stated"),
        (-1, "not stated"),
    ],
)
def test_ages_have_bands(age: float, band: str) -> None:
    assert age_band(age) == band
