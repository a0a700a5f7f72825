"""Masks: as many as the share says, never padding or a missing channel, the same for a record whatever is beside it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import stats

from pretrain.masked.masks import hidden
from pretrain.masked.strategies import Autoregressive, LeadWise, Masking, Random

STRATEGIES = [Random(kind="random"), Autoregressive(), LeadWise(kind="lead_wise")]
every = pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda one: one.kind)


def seeds(records: int, key: int = 7) -> np.ndarray:
    return np.array([[key, row, 0] for row in range(records)], dtype=np.int64)


def ones(records: int, channels: int = 12) -> torch.Tensor:
    return torch.ones(records, channels, dtype=torch.bool)


@pytest.mark.parametrize("ratio", [0, 1, -0.1, 1.5, float("nan")])
@pytest.mark.parametrize("kind", ["random", "lead_wise"])
def test_to_hide_nothing_or_everything_is_refused(kind: str, ratio: float) -> None:
    with pytest.raises(ValidationError, match="ratio"):
        TypeAdapter(Masking).validate_python({"kind": kind, "ratio": ratio})


@pytest.mark.parametrize("wrong", [{"least": 0}, {"least": 1}, {"most": 1.1}, {"least": 0.8, "most": 0.7}])
def test_a_range_of_shares_is_a_range(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match=r"least|most"):
        Autoregressive(**wrong)  # type: ignore[arg-type]  # wrong on purpose


def test_the_share_is_that_of_mar() -> None:
    """The distribution of the authors' code, as scipy knows it."""
    expected = stats.truncnorm((0.7 - 1) / 0.25, 0, loc=1, scale=0.25)
    for uniform in (0.0, 1e-9, 0.1, 0.5, 0.9, 1 - 1e-9):
        assert Autoregressive().share(uniform) == pytest.approx(expected.ppf(uniform), abs=1e-6)
    assert Autoregressive().share(0.0) == pytest.approx(0.7)
    assert Autoregressive(least=0.3, most=0.5).share(0.999999) == pytest.approx(0.5, abs=1e-4)


@every
@given(n=st.integers(0, 60), key=st.integers(0, 2**62 - 1), row=st.integers(0, 2**40))
def test_of_n_patches_the_share_is_hidden_and_one_is_seen(
    strategy: Random | Autoregressive | LeadWise, n: int, key: int, row: int
) -> None:
    found = hidden(strategy, torch.tensor([n]), ones(1, 3), 64, np.array([[key, row, 5]]))[0]
    assert not found[n:].any()
    counts = found.sum(0).tolist()
    if n < 2:
        assert counts == [0, 0, 0]
        return
    words = np.random.SeedSequence([key, row, 5]).generate_state(1, np.uint64)
    share = strategy.share(float(words[0]) / 2**64)
    assert counts == [min(max(math.ceil(share * n), 1), n - 1)] * 3
    if not isinstance(strategy, LeadWise):
        assert (found == found[:, :1]).all(), "a strip is hidden in all its leads"


def test_two_patches_are_one_seen_and_one_hidden() -> None:
    for strategy in STRATEGIES:
        for key in range(20):
            found = hidden(strategy, torch.tensor([2]), ones(1, 1), 2, seeds(1, key))
            assert found.sum() == 1


@every
def test_a_mask_is_of_key_and_window_alone(strategy: Random | Autoregressive | LeadWise) -> None:
    whole, mask = torch.tensor([40, 12, 33, 40]), ones(4)
    mask[1, 5] = mask[2, 0] = False
    found = hidden(strategy, whole, mask, 40, seeds(4))
    for record in range(4):
        one = slice(record, record + 1)
        assert torch.equal(found[one], hidden(strategy, whole[one], mask[one], 40, seeds(4)[one]))
    assert torch.equal(found[1:2, :12], hidden(strategy, whole[1:2], mask[1:2], 12, seeds(4)[1:2])), "more padding"
    assert not found[1, :, 5].any()
    assert not found[2, :, 0].any()
    few = hidden(strategy, whole, mask[:, :7], 40, seeds(4))
    assert torch.equal(found[:, :, :7], few), "channels beside it"
    assert not torch.equal(found[0], found[3]), "another record"
    assert not torch.equal(found, hidden(strategy, whole, mask, 40, seeds(4, key=8))), "another step"


def test_leads_have_places_of_their_own_and_every_place_its_turn() -> None:
    found = hidden(LeadWise(kind="lead_wise", ratio=0.5), torch.full((400,), 10), ones(400, 2), 10, seeds(400))
    assert (found.sum(1) == 5).all()
    # Of 400 records each place is hidden in about half, and the leads agree about as often as chance has it.
    assert (found.float().mean(0) - 0.5).abs().max() < 5 * 0.5 / math.sqrt(400)
    agree = (found[..., 0] == found[..., 1]).float().mean()
    assert abs(float(agree) - 0.5) < 0.05
