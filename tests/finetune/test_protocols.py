"""Sides and label fractions: whole subjects, nested, nobody on two sides."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from biosig.errors import BiosigError
from finetune.protocols import Role, Task, check_sides, nested_fractions
from tests.finetune.fakes import make_task

FRACTIONS = (0.01, 0.1, 0.5, 1.0)


@pytest.mark.parametrize("seed", range(4))
def test_fractions_are_nested_whole_subjects_of_the_training_side(task: Task, seed: int) -> None:
    chosen = nested_fractions(task, FRACTIONS, seed=seed)
    for smaller, larger in pairwise(FRACTIONS):
        assert set(chosen[smaller]) <= set(chosen[larger])
    np.testing.assert_array_equal(chosen[1.0], task.rows[Role.TRAIN])
    for rows in chosen.values():
        people = set(task.subjects[rows])
        assert set(rows) == {row for row in task.rows[Role.TRAIN] if task.subjects[row] in people}
    assert task.n_subjects(chosen[0.5]) == 60
    assert task.n_subjects(chosen[0.1]) == 12


@pytest.mark.parametrize("seed", range(4))
def test_the_smallest_fraction_has_both_labels_of_every_concept(seed: int) -> None:
    task = make_task(400, 8, prevalence=0.03)
    rows = nested_fractions(task, [0.01], seed=seed)[0.01]
    assert task.labels[rows].any(0).all()
    assert (~task.labels[rows]).any(0).all()
    assert task.n_subjects(rows) <= 9  # one for each concept, and one that has none of them


def test_a_concept_that_nobody_in_training_has_does_not_stop_the_draw(task: Task) -> None:
    labels = task.labels.copy()
    labels[:, 0] = False
    rows = nested_fractions(replace(task, labels=labels), [0.01], seed=0)[0.01]
    assert labels[rows][:, 1:].any(0).all()


def test_seeds_differ_and_repeat(task: Task) -> None:
    one, again, other = (nested_fractions(task, [0.1], seed=seed)[0.1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, other)


@pytest.mark.parametrize("fraction", [0.0, -0.5, 1.5, float("nan")])
def test_what_is_no_fraction_is_refused(task: Task, fraction: float) -> None:
    with pytest.raises(BiosigError, match="expected numbers above 0 and up to 1"):
        nested_fractions(task, [fraction], seed=0)


@pytest.mark.parametrize("pair", [(Role.TRAIN, Role.TEST), (Role.VALIDATION, Role.TEST), (Role.TRAIN, Role.VALIDATION)])
def test_a_subject_on_two_sides_is_refused_by_name(task: Task, pair: tuple[Role, Role]) -> None:
    check_sides(task)
    subjects = task.subjects.copy()
    subjects[task.rows[pair[0]][0]] = subjects[task.rows[pair[1]][0]] = "sim/both"
    with pytest.raises(BiosigError, match=rf"subject sim/both is on the {pair[0]} and the {pair[1]} side"):
        check_sides(replace(task, subjects=subjects))


def test_an_empty_side_is_refused(task: Task) -> None:
    rows = {**task.rows, Role.VALIDATION: np.array([], dtype=np.int64)}
    others = len(set(task.subjects[task.rows[Role.TRAIN]]) | set(task.subjects[task.rows[Role.TEST]]))
    with pytest.raises(BiosigError, match=f"no record on the validation side of .*; people on the others: {others}$"):
        check_sides(replace(task, rows=rows))


def test_people_are_counted_once(task: Task) -> None:
    labels, known = np.zeros_like(task.labels), np.ones_like(task.known)
    test = task.rows[Role.TEST]
    person = task.subjects[test[0]]
    labels[task.subjects == person] = True
    counted = replace(task, labels=labels, known=known).subjects_with(Role.TEST, value=True)
    np.testing.assert_array_equal(counted, 1)
