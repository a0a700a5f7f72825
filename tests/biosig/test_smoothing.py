"""Smoothers against slow and exact ones: sums by hand, and the dense Gaussian posterior."""

from __future__ import annotations

import numpy as np
import pytest

from biosig.errors import BiosigError
from biosig.smoothing import Dynamics, fit_dynamics, lds, moving_average


def walk(*shape: int, process: float = 0.04, observation: float = 1.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    hidden = np.cumsum(np.sqrt(process) * rng.normal(size=shape), axis=0)
    return hidden + np.sqrt(observation) * rng.normal(size=shape) + 3.0


def posterior(x: np.ndarray, process: float, observation: float) -> tuple[np.ndarray, np.ndarray]:
    """Mean and covariance of the whole hidden walk given one feature, by a dense precision matrix."""
    n = len(x)
    steps = np.diff(np.eye(n), axis=0)
    known = np.isfinite(x)
    precision = np.diag(known / observation) + steps.T @ steps / process
    covariance = np.linalg.inv(precision)
    return covariance @ np.where(known, x, 0) / observation, covariance


@pytest.mark.parametrize("width", [1, 2, 5, 40])
@pytest.mark.parametrize("causal", [False, True])
def test_the_moving_average_is_a_mean_of_neighbours(width: int, causal: bool) -> None:
    x = walk(23, 2, 3)
    x[4, 0, 0] = np.nan
    found = moving_average(x, width, causal=causal)
    for t in range(len(x)):
        first = t - (width - 1 if causal else (width - 1) // 2)
        last = t + (0 if causal else width // 2)
        near = x[max(first, 0) : last + 1]
        count = np.isfinite(near).sum(axis=0)
        expected = np.where(count > 0, np.nansum(near, axis=0) / np.maximum(count, 1), np.nan)
        np.testing.assert_allclose(found[t], expected)


def test_a_moving_average_without_anything_known_is_unknown() -> None:
    x = np.full((10, 1), np.nan)
    x[7] = 2.0
    found = moving_average(x, 3)
    assert np.isnan(found[:6]).all()
    assert (found[6:9] == 2.0).all()
    with pytest.raises(BiosigError, match="width"):
        moving_average(x, 0)


def test_the_smoother_is_the_mean_of_the_dense_posterior() -> None:
    x = walk(50, 3)
    x[:4, 0] = np.nan
    x[20:30, 1] = np.nan
    x[45:, 2] = np.nan
    process, observation = np.array([0.01, 0.5, 20.0]), np.array([1.0, 2.0, 0.3])
    found = lds(x, Dynamics(process, observation))
    for feature in range(3):
        expected, _ = posterior(x[:, feature], process[feature], observation[feature])
        np.testing.assert_allclose(found[:, feature], expected, rtol=1e-9)


def test_the_filter_is_the_last_mean_of_the_dense_posterior_of_the_past() -> None:
    x = walk(40, 2)
    x[:3, 0] = np.nan
    x[10:15, 1] = np.nan
    found = lds(x, Dynamics(0.2, 0.7), causal=True)
    assert np.isnan(found[:3, 0]).all()
    for feature in range(2):
        for t in range(3, len(x)):
            expected, _ = posterior(x[: t + 1, feature], 0.2, 0.7)
            assert found[t, feature] == pytest.approx(expected[-1], rel=1e-9)


@pytest.mark.parametrize("smooth", [lambda x: lds(x, causal=True), lambda x: moving_average(x, 7, causal=True)])
def test_causal_smoothing_does_not_see_the_future(smooth) -> None:
    x = walk(60, 4)
    other = x.copy()
    other[30:] = 1e6
    other[40:, 1] = np.nan
    np.testing.assert_array_equal(smooth(x)[:30], smooth(other)[:30])
    assert not np.allclose(smooth(x)[30:], smooth(other)[30:], equal_nan=True)


def test_the_smoother_does_see_the_future() -> None:
    x = walk(60, 1)
    other = x.copy()
    other[30:] += 100
    assert np.abs(lds(x)[29] - lds(other)[29]) > 1


def test_limits_of_the_ratio() -> None:
    x = walk(80, 2)
    # A walk that cannot move is the mean; of what is seen without noise nothing is to be smoothed.
    np.testing.assert_allclose(lds(x, Dynamics(1e-10, 1.0)), np.broadcast_to(x.mean(axis=0), x.shape), atol=1e-4)
    np.testing.assert_allclose(lds(x, Dynamics(1e-10, 1.0), causal=True)[-1], x.mean(axis=0), atol=1e-4)
    for causal in (False, True):
        np.testing.assert_allclose(lds(x, Dynamics(1e10, 1.0), causal=causal), x, atol=1e-6)


def test_invariances() -> None:
    x = walk(50, 2, 3)
    for causal in (False, True):
        found = lds(x, causal=causal)
        assert found.shape == x.shape
        np.testing.assert_allclose(lds(5 * x - 2, causal=causal), 5 * found - 2)
        np.testing.assert_allclose(lds(x, Dynamics(7 * 0.01, 7.0), causal=causal), found)
        np.testing.assert_allclose(lds(x[:, 1, 2], causal=causal), found[:, 1, 2])
        np.testing.assert_array_equal(lds(np.full((9, 2), 4.0), causal=causal), 4.0)
    np.testing.assert_allclose(lds(x[::-1])[::-1], lds(x))


def test_smoothing_comes_closer_to_the_hidden_walk() -> None:
    rng = np.random.default_rng(3)
    hidden = np.cumsum(0.1 * rng.normal(size=(300, 20)), axis=0)
    x = hidden + rng.normal(size=hidden.shape)
    error = [np.mean((y - hidden) ** 2) for y in (lds(x), lds(x, causal=True), x)]
    # Steady states of the recursions: about sqrt(r) / 2 for the smoother, sqrt(r) for the filter, one for neither.
    assert error[0] == pytest.approx(0.05, rel=0.25)
    assert error[1] == pytest.approx(0.1, rel=0.25)


@pytest.mark.parametrize("empty", [np.zeros((0, 3)), np.zeros((4, 0))])
def test_nothing_stays_nothing(empty: np.ndarray) -> None:
    assert lds(empty).shape == lds(empty, causal=True).shape == moving_average(empty, 3).shape == empty.shape


def test_a_feature_never_seen_stays_unknown() -> None:
    x = walk(9, 2)
    x[:, 1] = np.nan
    assert np.isnan(lds(x)[:, 1]).all()
    assert np.isfinite(lds(x)[:, 0]).all()


def test_fitted_variances_are_those_that_made_the_data() -> None:
    sequences = [walk(length, 2, 1, process=0.2, observation=0.8, seed=length) for length in range(80, 120)]
    found = fit_dynamics(sequences)
    np.testing.assert_allclose(found.process, np.full((2, 1), 0.2), rtol=0.15)
    np.testing.assert_allclose(found.observation, np.full((2, 1), 0.8), rtol=0.08)


def test_expectation_maximisation_stays_where_the_fit_arrived() -> None:
    sequences = [walk(length, 1, seed=length)[:, 0] for length in (40, 60, 90)]
    sequences[0][10:14] = np.nan
    found = fit_dynamics([sequence[:, None] for sequence in sequences])
    process, observation = float(found.process[0]), float(found.observation[0])  # type: ignore[index]
    steps, noise = [], []
    for x in sequences:
        mean, covariance = posterior(x, process, observation)
        difference = np.diff(np.eye(len(x)), axis=0)
        steps += list((difference @ mean) ** 2 + np.diag(difference @ covariance @ difference.T))
        known = np.isfinite(x)
        noise += list(((x - mean) ** 2 + np.diag(covariance))[known])
    assert np.mean(steps) == pytest.approx(process, rel=0.01)
    assert np.mean(noise) == pytest.approx(observation, rel=0.01)


def test_a_feature_that_never_moves_gets_the_default() -> None:
    x = np.stack([walk(50, 1)[:, 0], np.full(50, 2.0), np.full(50, np.nan)], axis=1)
    found = fit_dynamics([x])
    assert list(np.asarray(found.process)[1:]) == [0.01, 0.01]
    assert list(np.asarray(found.observation)[1:]) == [1.0, 1.0]
    assert (lds(x, found)[:, 1] == 2.0).all()


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(BiosigError, match="process: expected positive variances"):
        Dynamics(process=0.0)
    with pytest.raises(BiosigError, match="observation: expected positive variances"):
        Dynamics(observation=np.array([1.0, np.inf]))
    with pytest.raises(BiosigError, match=r"features of shape \(3,\), got \(2,\) and \(\)"):
        lds(walk(5, 3), Dynamics(np.ones(2)))
    with pytest.raises(BiosigError, match="same features"):
        fit_dynamics([walk(5, 3), walk(5, 2)])
    with pytest.raises(BiosigError, match="got none"):
        fit_dynamics([])
