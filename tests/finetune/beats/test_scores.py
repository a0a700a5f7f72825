"""Counts and metrics against slow sums; beats that are found are matched once."""

from __future__ import annotations

import numpy as np
import pytest

from finetune.beats.aami import Beat
from finetune.beats.cases import at_found
from finetune.beats.decide import choose, said
from finetune.beats.scores import NONE, Tally, confusion, gain, summarise


def random_tally(seed: int) -> tuple[Tally, list[tuple[int, int]]]:
    rng = np.random.default_rng(seed)
    pairs, tables = [], []
    for _ in range(8):
        truth = rng.choice(5, 200, p=[0.7, 0.1, 0.1, 0.09, 0.01])
        told = np.where(rng.random(200) < 0.8, truth, rng.choice(4, 200))
        pairs += list(zip(truth.tolist(), told.tolist(), strict=True))
        tables.append(confusion(truth, told))
    names = tuple("abcdefgh")
    return Tally(names, ("a", "a", *names[2:]), np.stack(tables)), pairs


def test_metrics_are_those_of_slow_counts() -> None:
    tally, pairs = random_tally(0)
    found = summarise([tally], draws=100)
    f1s = []
    for k, one in enumerate(found.classes):
        right = sum(t == s == k for t, s in pairs)
        there, told = sum(t == k for t, _ in pairs), sum(s == k for _, s in pairs)
        assert one.beats == there
        assert one.sensitivity.value == pytest.approx(right / there)
        assert one.ppv.value == pytest.approx(right / told) if told else one.ppv.value is None
        f1s.append(2 * right / (there + told))
    assert found.macro_f1.value == pytest.approx(np.mean(f1s[:4]))
    assert found.accuracy.value == pytest.approx(np.mean([t == s for t, s in pairs]))
    low, high = found.macro_f1.low, found.macro_f1.high
    assert low is not None
    assert high is not None
    assert low < found.macro_f1.value < high


def test_a_row_gains_nothing_over_itself() -> None:
    tally, other = random_tally(1)[0], random_tally(2)[0]
    nothing = gain([tally], [tally], draws=20)
    assert all((one.value, one.low, one.high) == (0, 0, 0) for one in nothing.f1.values())
    gap = gain([tally, tally, tally], [other], draws=20)
    mine, theirs = (summarise([one], draws=5).macro_f1.value for one in (tally, other))
    assert mine is not None
    assert theirs is not None
    assert gap.macro_f1.value == pytest.approx(mine - theirs)
    with pytest.raises(ValueError, match="same people"):
        gain([tally], [Tally(tally.records, tuple("abcdefgh"), tally.confusion)])


def test_found_beats_are_matched_within_150_ms_each_once() -> None:
    peaks, labels = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0, 1, 2, 0], np.int8)
    found, told = np.array([1.1, 2.0, 2.05, 3.2]), np.array([0, 1, 2, 2])
    table = at_found(peaks, labels, found, told)
    assert table[0, 0] == table[1, 1] == 1  # 1.1 and 2.0
    assert table[2, NONE] == table[0, NONE] == 1  # 3.2 is too far from 3.0, 4.0 has nothing
    assert table[NONE, 2] == 2  # 2.05 and 3.2 are no beats
    assert table.sum() == 6


def test_the_best_offsets_are_found() -> None:
    """Scores shifted by a known amount are shifted back."""
    rng = np.random.default_rng(0)
    labels = rng.choice(4, 4000, p=[0.85, 0.05, 0.05, 0.05]).astype(np.int8)
    log_p = rng.standard_normal((4000, 4)) * 0.5
    log_p[np.arange(4000), labels] += 4
    people = rng.choice(list("abcd"), 4000).tolist()
    shift = np.array([0.0, 3.0, -2.0, 1.0])
    offsets = choose(log_p + shift, labels, people)
    assert offsets[0] == 0
    assert (said(log_p + shift, offsets) == labels).mean() > 0.99
    assert (said(log_p + shift, (0.0,) * 4) == labels).mean() < 0.95
    labels[:10], log_p[:10] = -1, 100
    assert choose(log_p + shift, labels, people)[1] == pytest.approx(offsets[1], abs=0.5)
    assert Beat.S.value == "S"
