from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from biosig.errors import BiosigError
from finetune.emotion.leakage import audit
from finetune.emotion.protocols import Plan, Protocol
from tests.finetune.emotion.fake_trials import make_trials

UNSEEN = (Protocol.UNSEEN_STIMULUS, Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT)


@settings(max_examples=60, deadline=None)
@given(
    protocol=st.sampled_from(list(Protocol)),
    subjects=st.integers(5, 12),
    stimuli=st.integers(6, 10),
    k=st.integers(2, 5),
    groups=st.integers(2, 3),
    shots=st.integers(1, 5),
    seed=st.integers(0, 1000),
)
def test_folds_keep_their_sides_apart(
    *, protocol: Protocol, subjects: int, stimuli: int, k: int, groups: int, shots: int, seed: int
) -> None:
    trials = make_trials(subjects, stimuli, seed=seed)
    folds = Plan(protocol, k=k, stimulus_groups=groups, shots=shots).folds(trials, seed)
    audit(folds, trials, protocol)
    tested = [place for fold in folds for place in fold.test]
    given_away = [place for fold in folds for place in fold.calibration]
    # Every trial is tested once, or was given for calibration.
    assert sorted(tested + given_away) == list(range(len(trials)))
    for fold in folds:
        assert fold.train
        assert fold.validation
        assert not set(fold.train) & set(fold.test)
        assert not set(trials.subject[list(fold.train)]) & set(trials.subject[list(fold.validation)])
        if protocol is not Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT:
            assert not set(trials.subject[list(fold.train)]) & set(trials.subject[list(fold.test)])
        if protocol in UNSEEN:
            learnt = set(trials.stimulus[list(fold.learnt + fold.validation)])
            assert not learnt & set(trials.stimulus[list(fold.test)])


def test_leave_one_out_has_a_fold_a_subject_named_after_it() -> None:
    trials = make_trials(5)
    folds = Plan().folds(trials, 0)
    assert [fold.name for fold in folds] == list(trials.subjects)
    for fold in folds:
        assert set(trials.subject[list(fold.test)]) == {fold.name}
        assert len(fold.train) + len(fold.validation) + len(fold.test) == len(trials)


def test_the_seed_draws_who_validates_and_nothing_else_does() -> None:
    trials, plan = make_trials(10), Plan()
    assert plan.folds(trials, 3) == plan.folds(trials, 3)
    assert plan.folds(trials, 3) != plan.folds(trials, 4)
    assert [fold.test for fold in plan.folds(trials, 3)] == [fold.test for fold in plan.folds(trials, 4)]


def test_calibration_takes_the_first_trials_of_the_stream() -> None:
    trials = make_trials(5, 6)
    for fold in Plan(Protocol.FEW_SHOT, shots=2).folds(trials, 0):
        assert trials.order[list(fold.calibration)].tolist() == [0, 1]
        assert set(trials.subject[list(fold.calibration)]) == {fold.name}
        assert trials.order[list(fold.test)].min() == 2
        assert fold.learnt == fold.train + fold.calibration


def test_groups_of_stimuli_hold_every_class() -> None:
    trials = make_trials(6, 9, classes=3)
    for seed in range(10):
        for fold in Plan(Protocol.UNSEEN_STIMULUS, k=2, stimulus_groups=3).folds(trials, seed):
            assert set(trials.label[list(fold.test)]) == {0, 1, 2}
            assert set(trials.label[list(fold.train)]) == {0, 1, 2}


def test_seen_subjects_may_train_with_other_stimuli() -> None:
    trials = make_trials(6, 6)
    fold = Plan(Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT).folds(trials, 0)[0]
    assert set(trials.subject[list(fold.train)]) & set(trials.subject[list(fold.test)])


@pytest.mark.parametrize(
    ("plan", "message"),
    [
        (Plan(Protocol.KFOLD, k=7), "expected between 2 and 6 groups of subjects, got 7"),
        (Plan(Protocol.FEW_SHOT, shots=6), "6 calibration trials leave nothing to test of its 6"),
        (Plan(Protocol.UNSEEN_STIMULUS, stimulus_groups=9), "expected between 2 and 6 groups of stimuli, got 9"),
    ],
)
def test_what_cannot_be_held_out_is_refused(plan: Plan, message: str) -> None:
    with pytest.raises(BiosigError, match=message):
        plan.folds(make_trials(6, 6), 0)


def test_two_subjects_are_too_few() -> None:
    with pytest.raises(BiosigError, match="one to train and one to validate; there are 1"):
        Plan().folds(make_trials(2), 0)


def test_a_nameless_stimulus_cannot_be_held_out() -> None:
    trials = make_trials(6, 6)
    trials = replace(trials, stimulus=np.where(np.arange(36) == 7, "", trials.stimulus))
    with pytest.raises(BiosigError, match="t007: expected the name of its stimulus"):
        Plan(Protocol.UNSEEN_STIMULUS).folds(trials, 0)


def test_a_training_side_without_a_class_is_refused() -> None:
    trials = make_trials(6, 6)
    # Only the first subject has trials of the second class.
    trials = replace(trials, label=np.where(trials.subject == "p00", trials.label, 0))
    with pytest.raises(BiosigError, match=r"fold p00: expected every class on the training side, 'class-1' is not"):
        Plan().folds(trials, 0)
    ratings = replace(trials, target="valence", classes=tuple(str(n) for n in range(len(trials.classes))))
    with pytest.raises(BiosigError, match=r"'1' is not among .*; if these are ratings, .* as --target 'valence>5'"):
        Plan().folds(ratings, 0)
