"""Pairs of points against a slow search; counts in closed form; what is never counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from finetune.delineation.matching import COUNTS, TOLERANCE, compare, match
from finetune.delineation.waves import WAVES, Annotated, Lead, Wave

times = st.lists(st.integers(0, 3000), max_size=12, unique=True).map(lambda ms: np.sort(np.array(ms, float)) / 1000)


def slow(reference: list[float], found: list[float], tolerance: float) -> set[tuple[int, int]]:
    """Again and again the closest two of all that are left."""
    left, right, pairs = dict(enumerate(reference)), dict(enumerate(found)), set()
    while True:
        near = [(round(abs(a - b), 9), i, j) for i, a in left.items() for j, b in right.items()]
        near = [one for one in near if one[0] <= tolerance]
        if not near:
            return pairs
        _, i, j = min(near)
        pairs.add((i, j))
        del left[i], right[j]


@given(times, times)
def test_pairs_are_those_of_a_slow_search(reference: np.ndarray, found: np.ndarray) -> None:
    pairs = match(reference, found)
    fast = set(zip(pairs.reference.tolist(), pairs.found.tolist(), strict=True))
    assert len(fast) == len(pairs.reference)
    assert fast == slow(reference.tolist(), found.tolist(), TOLERANCE)


@given(times, times)
def test_pairs_hold_each_point_once_within_the_tolerance(reference: np.ndarray, found: np.ndarray) -> None:
    pairs = match(reference, found)
    assert len(set(pairs.reference.tolist())) == len(set(pairs.found.tolist())) == len(pairs.reference)
    assert (np.abs(reference[pairs.reference] - found[pairs.found]) <= TOLERANCE + 1e-9).all()
    free = np.delete(reference, pairs.reference)[:, None], np.delete(found, pairs.found)
    assert not (np.abs(free[0] - free[1]) <= TOLERANCE - 1e-9).any()


def regular(beats: int = 8, rr: float = 0.8) -> Lead:
    starts = 1.0 + rr * np.arange(beats)
    shape = {Wave.P: (0.0, 0.05, 0.1), Wave.QRS: (0.16, 0.2, 0.25), Wave.T: (0.4, 0.5, 0.58)}
    return {wave: starts[:, None] + np.array(points) for wave, points in shape.items()}


def drawn(waves: Lead) -> Annotated:
    every = np.concatenate([points.ravel() for points in waves.values()])
    return Annotated(waves, float(np.nanmin(every)), float(np.nanmax(every)))


@pytest.mark.parametrize("shift", [-120, -7.5, 0, 3, 149])
def test_a_shift_is_the_mean_error(shift: float) -> None:
    waves = regular()
    counts = compare(drawn(waves), {wave: points + shift / 1000 for wave, points in waves.items()})
    matched, missed, false, total, squares = np.moveaxis(counts, -1, 0)
    assert (matched == 8).all()
    assert not missed.any()
    assert not false.any()
    np.testing.assert_allclose(total / 8, shift, atol=1e-6)
    np.testing.assert_allclose(squares / 8, shift**2, atol=1e-5)


def test_a_shift_beyond_the_tolerance_finds_nothing() -> None:
    waves = regular()
    counts = compare(drawn(waves), {wave: points + 0.16 for wave, points in waves.items()})
    assert not counts[..., COUNTS.index("matched")].any()
    assert (counts[..., COUNTS.index("missed")] == 8).all()
    # The last onset of T is 0.18 s before the end of the span: 0.16 s later it is still inside; its offset is not.
    assert counts[2, 0, COUNTS.index("false")] == 8
    assert counts[2, 2, COUNTS.index("false")] == 7


def test_what_is_found_outside_the_span_is_not_false() -> None:
    waves = regular()
    reference = drawn({wave: points[2:6] for wave, points in waves.items()})
    counts = compare(reference, waves)
    assert (counts[..., :3] == np.array([4, 0, 0])).all()


def test_what_is_found_twice_is_once_false() -> None:
    waves = regular()
    twice = {wave: np.concatenate([points, points[3:4] + 0.02]) for wave, points in waves.items()}
    counts = compare(drawn(waves), twice)
    assert (counts[..., :3] == np.array([8, 0, 1])).all()
    assert not counts[..., 3:].any()


def test_nothing_is_said_of_the_edges_of_a_wave_drawn_by_its_peak() -> None:
    waves = regular()
    bare = {wave: points.copy() for wave, points in waves.items()}
    bare[Wave.QRS][3, [0, 2]] = np.nan
    counts = compare(drawn(bare), waves)
    assert counts[1, :, 0].tolist() == [7, 8, 7]
    assert not counts[..., 1:3].any()


def test_points_that_a_delineator_leaves_out_are_missed() -> None:
    waves = regular()
    partial = {wave: points.copy() for wave, points in waves.items()}
    partial[Wave.T][:3, 2] = np.nan
    counts = compare(drawn(waves), partial)
    assert counts[2, :, 1].tolist() == [0, 0, 3]
    assert counts[:, :, 1].sum() == 3


def test_no_waves_found() -> None:
    counts = compare(drawn(regular()), {wave: np.empty((0, 3)) for wave in WAVES})
    assert (counts[..., :3] == np.array([0, 8, 0])).all()
