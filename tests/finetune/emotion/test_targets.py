from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from biosig.errors import BiosigError
from biosig.store import Store
from finetune.emotion.targets import AMBIGUOUS, OTHER_CLASS, SHORT, UNLABELLED, Target, find_trials
from tests.finetune.emotion.fake_eeg import _write, brain, make_store, open_store


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return open_store(tmp_path_factory.mktemp("targets"), subjects=3, trials=4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dasps-2-class", Target("dasps-2-class", "dasps-2-class")),
        ("seed:negative, positive", Target("seed:negative, positive", "seed", ("negative", "positive"))),
        ("valence>5", Target("valence>5", "valence", ("low", "high"), ">", 5.0)),
        (" arousal <= 4.5 ", Target("arousal <= 4.5", "arousal", ("high", "low"), "<=", 4.5)),
        ("event:T1,T2", Target("event:T1,T2", "event", ("T1", "T2"))),
    ],
)
def test_a_target_is_read(text: str, expected: Target) -> None:
    assert Target.parse(text) == expected


@pytest.mark.parametrize("text", ["", "valence>", "valence>five", "a b", ">5", "x:"])
def test_what_is_no_target_is_refused(text: str) -> None:
    with pytest.raises(BiosigError, match="--target: expected SYSTEM"):
        Target.parse(text)


@pytest.mark.parametrize(
    ("sign", "value", "high"), [(">", "5", 0), (">=", "5", 1), ("<", "5", 0), ("<=", "5", 1), (">", "5.01", 1)]
)
def test_a_threshold_is_where_it_is_said_to_be(sign: str, value: str, high: int) -> None:
    target = Target.parse(f"valence{sign}5")
    assert target.label([value]) == target.classes[high]


def test_a_rating_that_is_no_number_is_named() -> None:
    with pytest.raises(BiosigError, match="valence: expected a number, got 'much'"):
        Target.parse("valence>5").label(["much"])


def test_trials_carry_class_subject_and_stimulus(store: Store) -> None:
    found = find_trials(store, Target.parse("mood"))
    assert found.classes == ("calm", "tense")
    assert len(found) == 12
    assert found.counts() == {"calm": 6, "tense": 6}
    assert found.subjects == ("p00", "p01", "p02")
    assert found.stimuli == ("film 0", "film 1", "film 2", "film 3")
    assert found.order.tolist() == [0, 1, 2, 3] * 3
    for trial in range(12):
        code = next(one.code for one in store.recording(int(found.row[trial])).codes if one.system == "mood")
        assert found.classes[found.label[trial]] == code


def test_a_thresholded_rating_is_the_class_it_was_made_from(store: Store) -> None:
    by_class, by_rating = (find_trials(store, Target.parse(text)) for text in ("mood", "valence>5"))
    assert by_rating.classes == ("low", "high")
    np.testing.assert_array_equal(by_class.label, by_rating.label)


def test_codes_of_events_are_classes_of_continuous_records(tmp_path: Path) -> None:
    found = find_trials(open_store(tmp_path, subjects=2, trials=4, continuous=True), Target.parse("event"))
    assert found.classes == ("calm", "tense")
    assert found.start.tolist() == [0, 480, 960, 1440] * 2
    assert found.samples.tolist() == [480] * 8
    assert found.name[1] == "p00@480"


def test_a_record_without_stimuli_is_one_trial(tmp_path: Path) -> None:
    store = open_store(tmp_path, subjects=2, trials=2, stimuli=False)
    found = find_trials(store, Target.parse("mood"))
    assert found.samples.tolist() == [480] * 4
    assert found.stimuli == ("",)


def test_trials_without_a_usable_label_are_counted(tmp_path: Path) -> None:
    make_store(tmp_path, subjects=2, trials=2)
    rng, source = np.random.default_rng(0), tmp_path / "source"
    signal = brain(0, 0.0, rng, 6.0, 1.0)
    for name, codes, duration in (
        ("q0", [], 6.0),
        ("q1", [("mood", "calm"), ("mood", "tense")], 6.0),
        ("q2", [("mood", "calm")], 0.5),
        ("q3", [("mood", "sleepy")], 6.0),
    ):
        _write(source / f"{name}-00.npz", signal + rng.normal(size=signal.shape), codes, [(0, duration, "", "x", 1)])
    from biosig.preprocess import Preprocessing
    from biosig.store import prepare
    from tests.finetune.emotion.fake_eeg import FakeEeg

    prepare(FakeEeg(), source, tmp_path / "again", preprocessing=Preprocessing(steps=()), workers=1, progress=False)
    found = find_trials(Store(tmp_path / "again"), Target.parse("mood:calm,tense"))
    assert len(found) == 4
    assert found.left_out == {UNLABELLED: 1, AMBIGUOUS: 1, SHORT: 1, OTHER_CLASS: 1}


def test_classes_have_the_order_they_were_asked_in(store: Store) -> None:
    assert find_trials(store, Target.parse("mood:tense,calm")).classes == ("tense", "calm")


def test_a_target_nobody_has_names_what_there_is(store: Store) -> None:
    with pytest.raises(BiosigError, match=r"a code of 'seed', found none; there are: event, mood, valence"):
        find_trials(store, Target.parse("seed"))


def test_events_that_name_no_stimulus_are_no_classes(tmp_path: Path) -> None:
    store = open_store(tmp_path, subjects=2, trials=2, stimuli=False)
    with pytest.raises(
        BiosigError, match=r"expected events that name their stimulus and last, found none .*: mood, val"
    ):
        find_trials(store, Target.parse("event"))
    with pytest.raises(BiosigError, match=r"found none; there are: mood, valence$"):
        find_trials(store, Target.parse("seed"))


def test_one_class_is_no_task(store: Store) -> None:
    with pytest.raises(BiosigError, match="expected two classes, all trials are 'low'"):
        find_trials(store, Target.parse("valence>8"))
