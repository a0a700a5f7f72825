"""Numbers that belong to a record look random, and are the same wherever it stands."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from pretrain.augmentations import Chance
from pretrain.augmentations.chance import _GOLDEN, _mixed

KEYS = range(2000)


def test_the_mixing_function_is_that_of_splitmix64() -> None:
    # What Steele, Lea and Flood's generator gives from the seed 1234567.
    known = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821]
    states = np.uint64(1234567) + np.arange(1, 6, dtype=np.uint64) * _GOLDEN
    assert _mixed(states).tolist() == known


def test_numbers_are_uniform_or_normal() -> None:
    chance = Chance(KEYS)
    assert stats.kstest(chance.uniform(5, 4).flatten(), "uniform").pvalue > 1e-3
    assert stats.kstest(chance.normal(5, 4).flatten(), "norm").pvalue > 1e-3
    shifted = chance.uniform(20, low=-3.0, high=-1.0)
    assert -3 <= shifted.min() < -2.99
    assert -1.01 < shifted.max() < -1
    assert chance.phases(20).abs().max() == pytest.approx(np.pi, abs=1e-3)
    assert chance.noise(torch.full((2000,), 2), 50).std() == pytest.approx(1, abs=0.01)


def test_keys_places_and_draws_have_nothing_in_common() -> None:
    chance = Chance(KEYS)
    first, second, child = chance.uniform(8), chance.uniform(8), chance.child(0).uniform(8)
    both = torch.cat([first, second, child, Chance(KEYS).child(1).uniform(8)], dim=1)
    across = np.corrcoef(both.T.numpy()) - np.eye(32)
    # 4.5 standard errors of a correlation over 2000 records.
    assert np.abs(across).max() < 4.5 / 2000**0.5
    neighbours = np.corrcoef(first[:-1].flatten().numpy(), first[1:].flatten().numpy())[0, 1]
    assert abs(neighbours) < 4.5 / (8 * 1999) ** 0.5
    assert len(torch.unique(both)) > 0.99 * both.numel() - both.numel() ** 2 / 2**25


def test_a_number_depends_on_key_draw_and_place_alone() -> None:
    wide, narrow = Chance([5, 9, 2**64 - 1]), Chance([9])
    assert torch.equal(wide.uniform(7, 6)[1:2, :3, :2], narrow.uniform(3, 2))
    assert torch.equal(wide.normal(4)[1:2, :2], narrow.normal(2))
    assert torch.equal(wide.noise(torch.tensor([3, 2, 0]), 40)[1:2, :2], narrow.noise(torch.tensor([2]), 40))
    assert torch.equal(wide.take(torch.tensor([1])).uniform(), narrow.uniform())
    assert torch.equal(wide.child(3).child(1).uniform()[1:2], narrow.child(3).child(1).uniform())
    again = Chance([9])
    assert torch.equal(again.uniform(3, 2), Chance([5, 9]).uniform(3, 2)[1:])


def test_noise_fills_the_rows_asked_for() -> None:
    filled = Chance([1, 2, 3]).noise(torch.tensor([2, 0, 4]), 30)
    assert filled.shape == (3, 4, 30)
    assert (filled != 0).all(2).sum(1).tolist() == [2, 0, 4]
    assert not filled[0, 2:].any()
    assert Chance([1]).noise(torch.tensor([0]), 30).shape == (1, 0, 30)


def test_certain_and_impossible() -> None:
    chance = Chance(KEYS)
    assert chance.choice(1.0).all()
    assert not chance.choice(0.0).any()
    assert chance.choice(0.25).float().mean() == pytest.approx(0.25, abs=0.04)
