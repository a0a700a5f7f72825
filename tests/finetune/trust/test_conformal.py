"""Prediction sets: the promise kept over twenty simulated studies, the rank counted by hand, and the limits."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from finetune.trust.conformal import Promise, conformal, conformal_by_group, coverage


def study(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Three concepts, the last rare, and a model that is overconfident."""
    generator = np.random.default_rng(seed)
    truth = generator.normal([0.0, -1.0, -3.0], 1.5, size=(n, 3))
    return (
        expit(3 * truth + generator.normal(size=(n, 3))),
        generator.random((n, 3)) < expit(truth),
        np.ones((n, 3), bool),
    )


@pytest.mark.parametrize("miscoverage", [0.05, 0.1, 0.2])
def test_coverage_is_within_two_points_of_what_is_promised_over_twenty_seeds(miscoverage: float) -> None:
    found: dict[Promise, list[np.ndarray]] = {promise: [] for promise in Promise}
    for seed in range(20):
        probabilities, labels, known = study(4000, seed)
        new = study(4000, 1000 + seed)
        for promise in Promise:
            sets = conformal(probabilities, labels, known, miscoverage=miscoverage, promise=promise)
            held = coverage(sets(new[0]), *new[1:])
            found[promise].append(np.stack([held.all, held.positive, held.negative]))
    marginal, per_label = (np.mean(found[promise], 0) for promise in (Promise.MARGINAL, Promise.PER_LABEL))
    np.testing.assert_allclose(marginal[0], 1 - miscoverage, atol=0.02)
    np.testing.assert_allclose(per_label, 1 - miscoverage, atol=0.02)
    # What the promise to everybody leaves out: those with the rare finding.
    assert marginal[1, 2] < 1 - miscoverage - 0.2


def two_groups(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """As `study`; of the second group, a quarter of the records, the model sees little."""
    generator = np.random.default_rng(seed)
    group = np.where(generator.random(n) < 0.25, "far", "near")
    truth = generator.normal([0.0, -1.0, -2.0], 1.5, size=(n, 3))
    noise = generator.normal(size=(n, 3)) * np.where(group == "far", 6.0, 0.5)[:, None]
    return expit(3 * truth + noise), generator.random((n, 3)) < expit(2 * truth), np.ones((n, 3), bool), group


@pytest.mark.parametrize("promise", Promise)
def test_each_group_gets_its_promise_within_two_points_over_twenty_seeds(promise: Promise) -> None:
    found: dict[str, list[np.ndarray]] = {"far": [], "near": []}
    alike: dict[str, list[np.ndarray]] = {"far": [], "near": []}
    for seed in range(20):
        probabilities, labels, known, group = two_groups(4000, seed)
        new = two_groups(4000, 1000 + seed)
        own = conformal_by_group(probabilities, labels, known, group, promise=promise)(new[0], new[3])
        common = conformal(probabilities, labels, known, promise=promise)(new[0])
        for name in found:
            rows = new[3] == name
            for sets, kept in ((own, found), (common, alike)):
                held = coverage(sets[rows], new[1][rows], new[2][rows])
                kept[name].append(held.all if promise is Promise.MARGINAL else np.stack([held.positive, held.negative]))
    for name, kept in found.items():
        np.testing.assert_allclose(np.mean(kept, 0), 0.9, atol=0.02, err_msg=name)
    # What sets of everybody do: the group that is seen badly is let down, and the other pays.
    assert np.mean(alike["far"]) < 0.87
    assert np.mean(alike["near"]) > 0.9


def test_a_group_that_did_not_calibrate_takes_the_sets_of_everybody() -> None:
    probabilities, labels, known, group = two_groups(400, 0)
    own = conformal_by_group(probabilities, labels, known, group)
    new = np.random.default_rng(5).random((6, 3))
    common = conformal(probabilities, labels, known)
    np.testing.assert_array_equal(own(new, ["elsewhere"] * 6), common(new))
    near = conformal(*(part[group == "near"] for part in (probabilities, labels, known)))
    np.testing.assert_array_equal(own(new, ["near"] * 6), near(new))
    with pytest.raises(ValueError, match="expected one for each of 400 records, got 1"):
        conformal_by_group(probabilities, labels, known, ["near"])


@settings(max_examples=80, deadline=None)
@given(n=st.integers(1, 40), miscoverage=st.sampled_from([0.05, 0.1, 0.25, 0.5]), seed=st.integers(0, 10_000))
def test_the_limit_is_the_rank_counted_by_hand(n: int, miscoverage: float, seed: int) -> None:
    generator = np.random.default_rng(seed)
    said, label = generator.random(n).round(1), generator.random(n) < 0.5
    sets = conformal(
        said[:, None], label[:, None], np.ones((n, 1), bool), miscoverage=miscoverage, promise=Promise.MARGINAL
    )
    strange = sorted(1 - p if y else p for p, y in zip(said, label, strict=True))
    # As whole numbers: how many of n + 1 a share of 1 - miscoverage takes, rounded up.
    place = -(-(n + 1) * round(100 * (1 - miscoverage)) // 100)
    expected = strange[place - 1] if place <= n else np.inf
    np.testing.assert_allclose(sets.limits, expected)


def test_too_few_records_with_a_label_always_keep_it() -> None:
    said, label = np.linspace(0.01, 0.99, 50)[:, None], np.zeros((50, 1), bool)
    label[-5:] = True
    sets = conformal(said, label, np.ones_like(label), miscoverage=0.1)
    assert np.isinf(sets.limits[0, 1])
    assert np.isfinite(sets.limits[0, 0])
    assert sets(np.array([[0.0]]))[0, 0, 1]


def test_a_perfect_model_says_one_thing_and_a_constant_one_cannot() -> None:
    label = np.tile([True, False], 50)[:, None]
    known = np.ones_like(label)
    perfect = conformal(label.astype(float), label, known)
    held = coverage(perfect(label.astype(float)), label, known)
    assert (held.all[0], held.undecided[0], held.empty[0]) == (1.0, 0.0, 0.0)
    constant = np.full(label.shape, 0.5)
    assert coverage(conformal(constant, label, known)(constant), label, known).undecided[0] == 1.0


def test_unknown_labels_count_nowhere() -> None:
    probabilities, labels, known = study(300, 0)
    known[::2] = False
    flipped = np.where(known, labels, ~labels)
    for promise in Promise:
        one, other = (conformal(probabilities, y, known, promise=promise) for y in (labels, flipped))
        np.testing.assert_array_equal(one.limits, other.limits)
    first, second = (coverage(one(probabilities), y, known) for y in (labels, flipped))
    np.testing.assert_array_equal(first.all, second.all)
    np.testing.assert_array_equal(first.records, 150)


def test_an_empty_set_is_counted() -> None:
    sets = np.zeros((4, 1, 2), bool)
    sets[0, 0, 1] = True
    held = coverage(sets, np.array([[True], [True], [False], [False]]), np.array([[True], [True], [True], [False]]))
    assert held.empty[0] == pytest.approx(2 / 3)
    assert (held.positive[0], held.negative[0]) == (0.5, 0.0)
    assert np.isnan(coverage(sets, np.ones((4, 1), bool), np.ones((4, 1), bool)).negative[0])


@pytest.mark.parametrize("miscoverage", [0.0, 1.0, -0.1])
def test_a_miscoverage_beyond_its_range_is_refused(miscoverage: float) -> None:
    with pytest.raises(ValueError, match="expected a number between 0 and 1"):
        conformal(*study(10, 0), miscoverage=miscoverage)
