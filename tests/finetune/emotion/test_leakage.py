from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from biosig.preprocess import Preprocessing
from biosig.store import Store, prepare
from finetune.diagnosis.audit import LeakageError
from finetune.emotion.leakage import audit
from finetune.emotion.protocols import Fold, Plan, Protocol
from finetune.emotion.targets import Target, find_trials
from tests.finetune.emotion.fake_eeg import FakeEeg, make_store
from tests.finetune.emotion.fake_trials import make_trials

TRIALS = make_trials(4, 6)
WHOLE = Fold("x", tuple(range(12)), tuple(range(12, 18)), tuple(range(18, 24)))


def test_a_sound_fold_passes() -> None:
    audit([WHOLE], TRIALS, Protocol.LOSO)


@pytest.mark.parametrize("side", ["train", "validation"])
def test_a_trial_on_two_sides_is_named(side: str) -> None:
    fold = replace(WHOLE, **{side: (*getattr(WHOLE, side), 20)})
    with pytest.raises(LeakageError, match=f"fold x: trial t020 is on the {side} and test side"):
        audit([fold], TRIALS, Protocol.LOSO)


def test_a_subject_on_two_sides_is_named() -> None:
    fold = replace(WHOLE, train=(*WHOLE.train, 18), test=WHOLE.test[1:])
    with pytest.raises(LeakageError, match="subject p03 is on the train and the test side"):
        audit([fold], TRIALS, Protocol.LOSO)
    fold = replace(WHOLE, validation=(*WHOLE.validation, 18), test=WHOLE.test[1:])
    with pytest.raises(LeakageError, match="subject p03 is on the validation and the test side"):
        audit([fold], TRIALS, Protocol.KFOLD)
    fold = replace(WHOLE, validation=(*WHOLE.validation, 0), train=WHOLE.train[1:])
    with pytest.raises(LeakageError, match="subject p00 is on the train and the validation side"):
        audit([fold], TRIALS, Protocol.LOSO)


def test_calibration_is_for_few_shot_only_and_of_no_trainer() -> None:
    fold = replace(WHOLE, calibration=(18,), test=WHOLE.test[1:])
    audit([fold], TRIALS, Protocol.FEW_SHOT)
    with pytest.raises(LeakageError, match="only few-shot has calibration trials, not loso"):
        audit([fold], TRIALS, Protocol.LOSO)
    with pytest.raises(LeakageError, match="trial t019 is on the calibration and test side"):
        audit([replace(fold, calibration=(18, 19))], TRIALS, Protocol.FEW_SHOT)
    with pytest.raises(LeakageError, match="subject p00 is on the calibration and the train side"):
        audit([replace(fold, calibration=(0,), train=WHOLE.train[1:])], TRIALS, Protocol.FEW_SHOT)


@pytest.mark.parametrize("protocol", [Protocol.UNSEEN_STIMULUS, Protocol.UNSEEN_STIMULUS_SEEN_SUBJECT])
@pytest.mark.parametrize("side", ["train", "validation"])
def test_a_stimulus_on_two_sides_is_named(protocol: Protocol, side: str) -> None:
    half = {
        name: tuple(place for place in getattr(WHOLE, name) if TRIALS.label[place] == 0)
        for name in ("train", "validation")
    }
    fold = Fold("x", half["train"], half["validation"], tuple(p for p in WHOLE.test if TRIALS.label[p] == 1))
    audit([fold], TRIALS, protocol)
    own = {"train": range(12), "validation": range(12, 18)}[side]
    met = next(place for place in own if TRIALS.label[place] == 1)
    with pytest.raises(LeakageError, match=f"stimulus {TRIALS.stimulus[met]} is on the {side} and the test side"):
        audit([replace(fold, **{side: (*half[side], met)})], TRIALS, protocol)


def test_trials_that_overlap_in_one_record_are_named() -> None:
    trials = make_trials(4, 6, continuous=True)
    trials = replace(trials, subject=np.array([f"q{n}" for n in range(24)]))  # so that only time can betray them
    fold = Fold("x", (0, 2), (6,), (1,))
    audit([fold], trials, Protocol.LOSO)
    longer = trials.samples.copy()
    longer[0] = 101
    with pytest.raises(LeakageError, match=r"trials t000 \(train\) and t001 \(test\) overlap in time"):
        audit([fold], replace(trials, samples=longer), Protocol.LOSO)
    # A long trial may reach over its neighbour of the same side.
    longer[0] = 250
    with pytest.raises(LeakageError, match=r"t000 \(train\) and t002 \(test\) overlap"):
        audit([Fold("x", (0, 1), (6,), (2,))], replace(trials, samples=longer), Protocol.LOSO)


def test_a_copy_under_another_name_is_refused(tmp_path: Path) -> None:
    make_store(tmp_path, subjects=4, trials=4)
    source = tmp_path / "source"
    (source / "p03-00.npz").write_bytes((source / "p00-00.npz").read_bytes())
    prepare(FakeEeg(), source, tmp_path / "again", preprocessing=Preprocessing(steps=()), workers=1, progress=False)
    store = Store(tmp_path / "again")
    trials = find_trials(store, Target.parse("mood"))
    folds = Plan().folds(trials, 0)
    audit(folds, trials, Protocol.LOSO)
    with pytest.raises(LeakageError, match=r"record p0\d-00 of the (train|validation) side is, under another name"):
        audit(folds, trials, Protocol.LOSO, store)
