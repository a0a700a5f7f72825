"""Integers and back: the documented error, gaps, and the odd signals that break careless code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from biosig.store.quantise import GAP, LARGEST, quantise, restore
from tests.biosig.store.fake import heart


def test_the_error_is_half_a_step_and_below_a_microvolt() -> None:
    x = heart(1)
    stored, step = quantise(x)
    error = np.abs(restore(stored, step) - x)
    assert (error <= step[:, None] / 2).all()
    assert (error.max(axis=1) <= np.abs(x).max(axis=1) / LARGEST).all()
    assert error.max() < 0.05
    assert stored.dtype == np.int16
    assert step.dtype == np.float32


@settings(deadline=None, max_examples=200)
@given(
    arrays.arrays(
        np.float32,
        st.tuples(st.integers(1, 3), st.integers(1, 40)),
        elements=st.floats(width=32, allow_nan=True, allow_infinity=True),
    )
)
def test_any_signal_keeps_its_gaps_and_the_relative_error(x: np.ndarray) -> None:
    stored, step = quantise(x)
    assert (np.frexp(step)[0] == 0.5).all()
    known = np.isfinite(x)
    np.testing.assert_array_equal(stored == GAP, ~known)
    back = restore(stored, step)
    np.testing.assert_array_equal(np.isnan(back), ~known)
    for row in range(len(x)):
        values = x[row, known[row]].astype(np.float64)
        if len(values):
            # Below the normal numbers of float32 there is nothing to keep.
            bound = max(np.abs(values).max() / LARGEST, 2.0**-121)
            assert np.abs(back[row, known[row]].astype(np.float64) - values).max() <= bound * (1 + 1e-6)


def test_whole_microvolts_come_back_bit_for_bit() -> None:
    x = np.random.default_rng(0).integers(-32767, 32768, size=(2, 10_000)).astype(np.float32)
    for scale in (1.0, 0.25, 5.0, 1 / 64):
        part = np.round(x * 0.2) * np.float32(scale)
        np.testing.assert_array_equal(restore(*quantise(part)), part)
    np.testing.assert_array_equal(restore(*quantise(x)), x)


def test_a_step_is_never_larger_than_needed() -> None:
    for peak, expected in ((32767.0, 1.0), (32768.0, 2.0), (16383.5, 0.5), (16384.0, 1.0), (65534.0, 2.0)):
        assert quantise(np.array([[peak, -1.0]], np.float32))[1][0] == expected
        assert quantise(np.array([[-peak, 1.0]], np.float32))[1][0] == expected


def test_an_artefact_in_one_channel_costs_the_others_nothing() -> None:
    x = heart(2)
    x[6, 100] = 3e6
    stored, step = quantise(x)
    assert step[6] == 128
    assert np.abs(restore(stored, step) - x)[np.arange(12) != 6].max() < 0.1


@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 1e-30, 3.4e38, -3.4e38, 12345.678])
def test_constants(value: float) -> None:
    x = np.full((1, 5), value, np.float32)
    back = restore(*quantise(x))
    np.testing.assert_allclose(back, x, rtol=2**-15)


@pytest.mark.filterwarnings("error")
def test_a_gap_beside_the_largest_number_warns_of_nothing() -> None:
    x = np.array([[np.nan, 3.4e38, -3.4e38]], np.float32)
    np.testing.assert_allclose(restore(*quantise(x)), x, rtol=2**-15)


def test_nothing_but_gaps() -> None:
    stored, step = quantise(np.full((2, 3), np.nan, np.float32))
    assert (stored == GAP).all()
    np.testing.assert_array_equal(step, 1.0)


def test_no_samples() -> None:
    stored, step = quantise(np.zeros((2, 0), np.float32))
    assert stored.shape == (2, 0)
    assert restore(stored, step).shape == (2, 0)
