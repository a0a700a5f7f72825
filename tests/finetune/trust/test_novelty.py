"""The distance by hand, its invariance, and ranks that are what they say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import mahalanobis

from finetune.trust.novelty import Novelty


def features(n: int, seed: int, dim: int = 6) -> np.ndarray:
    generator = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(dim, dim))
    return (generator.normal(size=(n, dim)) @ mixing + 3).astype(np.float32)


@pytest.fixture(scope="module")
def fitted() -> Novelty:
    return Novelty.fit(features(2000, 0), features(2000, 1))


def test_the_distance_is_that_of_mahalanobis(fitted: Novelty) -> None:
    some = features(5, 2)
    centre, zero = (some - fitted.mean) / fitted.deviation, np.zeros(6)
    slow = [mahalanobis(one, zero, fitted.precision) ** 2 for one in centre]
    np.testing.assert_allclose(fitted.distance(some), slow, rtol=1e-5)


def test_records_of_the_same_kind_have_every_rank_alike(fitted: Novelty) -> None:
    ranks = fitted.rank(features(4000, 3))
    np.testing.assert_allclose(np.quantile(ranks, [0.1, 0.5, 0.9]), [0.1, 0.5, 0.9], atol=0.04)


def test_what_is_far_is_farther_than_all(fitted: Novelty) -> None:
    np.testing.assert_array_equal(fitted.rank(features(20, 4) + 100), 1.0)
    assert fitted.rank(fitted.mean[None])[0] == 0.0


def test_units_do_not_matter() -> None:
    scale = np.array([1, 10, 0.1, 3, 5, 0.5], np.float32)
    one = Novelty.fit(features(200, 0), features(200, 1))
    other = Novelty.fit(features(200, 0) * scale, features(200, 1) * scale)
    new = features(50, 5)
    np.testing.assert_allclose(one.distance(new), other.distance(new * scale), rtol=1e-3)


def test_more_numbers_than_records_are_no_obstacle() -> None:
    found = Novelty.fit(features(10, 0, dim=40), features(10, 1, dim=40))
    assert np.isfinite(found.familiar).all()
