"""Windows of several subjects at the same moments: signals that tell the time say whether they are."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from biosig.recording import Modality
from biosig.store import SCALE, Store
from pretrain.errors import TrainingError
from pretrain.sampling.moments import Moments
from pretrain.sampling.presentations import shared_stretch
from tests.pretrain.eeg import Shown, clocks

SCALE_EEG = SCALE[Modality.EEG]


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Four subjects who met three stimuli of 100, 60 and 80 samples, in records of their own, after a baseline."""
    records = {
        f"{subject}-{name}": (subject, 20 + samples, [Shown(name, 20, samples)])
        for subject in ("ann", "ben", "cat", "dan")
        for name, samples in (("A", 100), ("B", 60), ("C", 80))
    }
    return Store(clocks(tmp_path_factory.mktemp("four"), records))


def every(*stores: Store) -> list[np.ndarray]:
    return [np.arange(len(store)) for store in stores]


def clock(batch: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """The stimulus time of every sample, and the letter of the stimulus, of each window."""
    micro = batch["signal"] * SCALE_EEG
    return micro[:, 0].round().long(), micro[:, 1].round().long()


def test_windows_of_a_moment_show_the_same_samples_of_the_same_stimulus(four: Store) -> None:
    moments = Moments([four], every(four), seconds=2.0, moments=5, subjects=3)
    for place in range(20):
        batch = moments.batch(place, seed=1, epoch=0)
        time, letter = clock(batch)
        assert batch["signal"].shape == (15, 2, 20)
        for moment in batch["moment"].unique():
            here = batch["moment"] == moment
            assert here.sum() == 3
            assert len(set(batch["subject"][here].tolist())) == 3, "three different subjects"
            assert (time[here] == time[here][0]).all()
            assert (time[here][0].diff() == 1).all()
            assert len(letter[here].unique()) == 1
        subjects = [four.subjects[row][1] for row in batch["row"].tolist()]
        assert len(set(zip(subjects, batch["subject"].tolist(), strict=True))) == len(set(subjects)) == 3


def test_a_batch_is_of_the_same_subjects_throughout_and_windows_do_not_overlap(four: Store) -> None:
    moments = Moments([four], every(four), seconds=2.0, moments=7)
    for place in range(20):
        batch = moments.batch(place, seed=0, epoch=3)
        assert len(batch["subject"].unique()) == 2
        time, letter = clock(batch)
        for one in letter[:, 0].unique():
            starts = sorted(set(time[letter[:, 0] == one][:, 0].tolist()))
            assert all(b - a >= 20 for a, b in pairwise(starts))


def test_windows_keep_the_distance_asked_for(four: Store) -> None:
    moments = Moments([four], every(four), seconds=2.0, moments=6, apart=1.5)
    nearest = 10**6
    for place in range(60):
        time, letter = clock(moments.batch(place, seed=0, epoch=0))
        for one in letter[:, 0].unique():
            first, second = sorted(set(time[letter[:, 0] == one][:, 0].tolist()))
            nearest = min(nearest, second - first)
    assert nearest == 35, "as near as they may be, and no nearer"


def test_every_stimulus_comes_as_often_as_every_other(four: Store) -> None:
    moments = Moments([four], every(four), seconds=2.0, moments=4)
    counts: Counter[int] = Counter()
    for place in range(6):
        letters = clock(moments.batch(place, seed=2, epoch=5))[1][:, 0].tolist()
        assert set(Counter(letters).values()) <= {2, 4}, "one or two moments of two subjects"
        counts.update(letters)
        assert max(counts.values()) - min(counts.values()) <= 2, "to within one moment"
    assert len(set(counts.values())) == 1


def test_offsets_are_uniform_over_the_choices_that_fit(four: Store) -> None:
    moments = Moments([four], every(four), seconds=3.0, moments=6)
    drawn = Counter()
    for place in range(4000):
        time, letter = clock(moments.batch(place, seed=0, epoch=0))
        drawn[tuple(sorted(set(time[letter[:, 0] == ord("B")][:, 0].tolist())))] += 1
    # Two windows of 30 samples fit into B, of 60, in one way, and into C, of 80, in 21 * 22 / 2.
    assert set(drawn) == {(0, 30)}
    pairs = Counter()
    for place in range(6000):
        time, letter = clock(moments.batch(place, seed=1, epoch=0))
        pairs[tuple(sorted(set(time[letter[:, 0] == ord("C")][:, 0].tolist())))] += 1
    assert len(pairs) == 231
    # Chi squared of 230 degrees of freedom: mean 230, deviation 21.
    expected = 6000 / 231
    assert sum((count - expected) ** 2 / expected for count in pairs.values()) < 230 + 5 * 21.5


def test_a_batch_depends_on_seed_epoch_and_place_alone(four: Store) -> None:
    one, other = (Moments([four], every(four), seconds=2.0, moments=5) for _ in range(2))
    first = {place: one.batch(place, seed=7, epoch=1) for place in (0, 4, 2)}
    for place in (2, 4, 0):
        for name, value in other.batch(place, seed=7, epoch=1).items():
            assert torch.equal(value, first[place][name]), (place, name)
    for changed in ({"seed": 8, "epoch": 1}, {"seed": 7, "epoch": 2}):
        assert not torch.equal(other.batch(0, **changed)["moment"], first[0]["moment"])
    assert one.batches_per_epoch == 4 * (5 + 3 + 4) // 10
    assert len(one) == 4 * (5 + 3 + 4)
    assert one.size == 10


def test_all_subjects_take_part(four: Store) -> None:
    moments = Moments([four], every(four), seconds=2.0, moments=3)
    counts = Counter(int(k) for place in range(400) for k in moments.batch(place, seed=0, epoch=0)["subject"].unique())
    assert set(counts) == {0, 1, 2, 3}
    assert min(counts.values()) > 150, "each is in half of the batches"


def test_what_was_seen_in_part_is_met_where_it_was_seen(tmp_path: Path) -> None:
    store = Store(
        clocks(
            tmp_path,
            {
                "whole": ("ann", 100, [Shown("A", 0, 100)]),
                "begins late": ("ben", 70, [Shown("A", -30, 100)]),
                "ends early": ("cat", 60, [Shown("A", 0, 100)]),
                "in between": ("dan", 200, [Shown("A", 90, 50)]),
            },
        )
    )
    moments = Moments([store], every(store), seconds=2.0, moments=1)
    seen = set()
    for place in range(900):
        batch = moments.batch(place, seed=0, epoch=0)
        time, _ = clock(batch)
        assert (time[0] == time[1]).all()
        first = int(time[0, 0])
        seen.add(first)
        people = {store.record(row) for row in batch["row"].tolist()}
        for person, (a, b) in {"begins late": (30, 80), "ends early": (0, 40), "in between": (0, 30)}.items():
            assert person not in people or a <= first <= b
    assert seen == set(range(81)), "every moment that two have seen"
    three = Moments([store], every(store), seconds=2.0, moments=1, subjects=3)
    firsts = {int(clock(three.batch(place, seed=0, epoch=0))[0][0, 0]) for place in range(500)}
    # Up to 30 all but the one who begins late were there, and from 30 to 40 all but the one in between.
    assert firsts == set(range(41))


def test_what_somebody_saw_twice_is_met_in_either_and_never_against_itself(tmp_path: Path) -> None:
    store = Store(
        clocks(
            tmp_path,
            {
                "ann": ("ann", 100, [Shown("A", 0, 40), Shown("A", 50, 40)]),
                "ben": ("ben", 40, [Shown("A", 0, 40)]),
            },
        )
    )
    moments = Moments([store], every(store), seconds=2.0, moments=1)
    batches = [moments.batch(place, seed=0, epoch=0) for place in range(60)]
    assert all(set(batch["row"].tolist()) == {0, 1} for batch in batches)
    assert all((clock(batch)[0][0] == clock(batch)[0][1]).all() for batch in batches)


def test_stimuli_of_another_corpus_are_others_and_those_of_two_stores_of_one_are_not(tmp_path: Path) -> None:
    def half(folder: str, people: tuple[str, ...], corpus: str) -> Store:
        return Store(clocks(tmp_path / folder, {p: (p, 60, [Shown("A", 0, 60)]) for p in people}, corpus))

    one, rest, other = half("a", ("ann",), "x"), half("b", ("ben",), "x"), half("c", ("ann", "ben"), "y")
    both = Moments([one, rest], every(one, rest), seconds=2.0, moments=1)
    assert both.stimuli == (("x", "A"),)
    assert both.batch(0, seed=0, epoch=0)["row"].sort().values.tolist() == [0, 1]
    apart = Moments([one, rest, other], every(one, rest, other), seconds=2.0, moments=2)
    assert apart.stimuli == (("x", "A"), ("y", "A"))
    for place in range(10):
        batch = apart.batch(place, seed=0, epoch=0)
        for moment in batch["moment"].unique():
            assert sorted(batch["row"][batch["moment"] == moment].tolist()) in ([0, 1], [2, 3])
        assert len(batch["subject"].unique()) == 4, "ann of x is not ann of y"


def test_stimuli_met_by_too_few_are_left_out_and_told(tmp_path: Path) -> None:
    records = {
        "a": ("ann", 100, [Shown("A", 0, 50), Shown("B", 50, 50)]),
        "b": ("ben", 100, [Shown("A", 0, 50), Shown("C", 50, 15)]),
        "c": ("cat", 100, [Shown("C", 0, 50)]),
    }
    store = Store(clocks(tmp_path, records))
    moments = Moments([store], every(store), seconds=2.0, moments=1)
    assert moments.stimuli == (("clocks", "A"),)
    assert moments.left_out == (("clocks", "B"), ("clocks", "C"))
    assert moments.note == ("2 of 3 stimuli are left out, for fewer than 2 subjects met the same 2 s of them: B, C")
    with pytest.raises(
        TrainingError, match=r"at least 3 subjects met for 2 s, found 3 stimuli, all met by fewer: A, B"
    ):
        Moments([store], every(store), seconds=2.0, moments=1, subjects=3)
    with pytest.raises(TrainingError, match=r"at least 2 subjects met for 2 s, found 1 stimuli"):
        Moments([store], [np.array([2])], seconds=2.0, moments=1)


def test_records_without_stimuli_are_refused(tmp_path: Path) -> None:
    store = Store(clocks(tmp_path, {"a": ("ann", 100, []), "b": ("ben", 100, [])}))
    with pytest.raises(TrainingError, match="found no event that names a stimulus"):
        Moments([store], every(store), seconds=2.0, moments=1)


def test_stimuli_that_do_not_hold_a_batch_are_refused_or_give_a_smaller_one(four: Store) -> None:
    with pytest.raises(TrainingError, match=r"asks for 10 moments of 3 stimuli, 4 of each; stimulus 'B' holds 3"):
        Moments([four], every(four), seconds=2.0, moments=10)
    Moments([four], every(four), seconds=2.0, moments=9)
    with pytest.raises(TrainingError, match=r"holds 1 windows of 2 s that are 3 s apart \(at most 6 windows"):
        Moments([four], every(four), seconds=2.0, moments=4, apart=3.0)
    fewer = Moments([four], every(four), seconds=2.0, moments=10, fewer=True)
    assert fewer.moments == 9
    assert fewer.batch(0, seed=0, epoch=0)["signal"].shape[0] == fewer.size == 18


spans = st.lists(st.tuples(st.integers(0, 3), st.integers(-5, 20), st.integers(-2, 12)), min_size=0, max_size=12)


@given(spans, st.integers(1, 4))
@settings(max_examples=300, deadline=None)
def test_the_longest_shared_stretch_is_that_of_counting(found: list[tuple[int, int, int]], subjects: int) -> None:
    met = [(person, first, first + length) for person, first, length in found]
    person, first, last = (np.array([one[k] for one in met], dtype=np.int64) for k in range(3))
    there = [t for t in range(-6, 40) if len({p for p, a, b in met if a <= t <= b}) >= subjects]
    runs: list[list[int]] = []
    for t in there:
        if runs and runs[-1][-1] == t - 1:
            runs[-1].append(t)
        else:
            runs.append([t])
    longest = max(runs, key=len, default=None)
    expected = None if longest is None else (longest[0], longest[-1])
    assert shared_stretch(person, first, last, subjects) == expected
