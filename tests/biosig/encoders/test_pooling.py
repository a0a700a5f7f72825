"""Pooling: padding does not count."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from biosig.encoders import AttentionPool, pool
from tests.biosig.encoders.montage import batch, build


class Mean(nn.Module):
    def forward(self, tokens: Tensor, valid: Tensor | None = None) -> Tensor:
        return pool(tokens, valid)


def pooling(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(0)
    return kind(8) if kind is AttentionPool else kind()


every = pytest.mark.parametrize("kind", [Mean, AttentionPool])
TOKENS = torch.randn(3, 10, 8, generator=torch.Generator().manual_seed(0))


@every
def test_tokens_of_padding_do_not_count_whatever_they_hold(kind: type[nn.Module]) -> None:
    tokens, mask = TOKENS.clone(), torch.ones(3, 10, dtype=torch.bool)
    mask[0, 4:], mask[2, 1:] = False, False
    tokens[~mask] = math.nan
    pooled = pooling(kind)(tokens, mask)
    assert pooled.shape == (3, 8)
    torch.testing.assert_close(pooled[:1], pooling(kind)(TOKENS[:1, :4]))
    torch.testing.assert_close(pooled[2:], pooling(kind)(TOKENS[2:, :1]))
    torch.testing.assert_close(pooled[1:2], pooling(kind)(TOKENS[1:2]))


@every
@pytest.mark.parametrize(("share", "count"), [(0.0, 1), (0.05, 1), (0.5, 5), (0.51, 6), (1.0, 10)])
def test_a_share_keeps_the_tokens_that_begin_in_it(kind: type[nn.Module], share: float, count: int) -> None:
    pooled = pooling(kind)(TOKENS, torch.full((3,), share))
    torch.testing.assert_close(pooled, pooling(kind)(TOKENS[:, :count]))


def test_the_mean_is_the_mean_in_float32() -> None:
    torch.testing.assert_close(pool(TOKENS), TOKENS.mean(1))
    assert pool(TOKENS.bfloat16()).dtype is torch.float32


@every
def test_gradients_reach_valid_tokens_only(kind: type[nn.Module]) -> None:
    tokens, mask = TOKENS.clone().requires_grad_(), torch.ones(3, 10, dtype=torch.bool)
    mask[:, 6:] = False
    pooling(kind)(tokens, mask).square().sum().backward()
    assert tokens.grad is not None
    assert tokens.grad[:, :6].any(-1).all()
    assert not tokens.grad[:, 6:].any()


@every
def test_a_padded_record_pools_to_the_same_vector(kind: type[nn.Module]) -> None:
    encoder, (signal, *rest) = build("resnet1d18"), batch(1)
    pad = torch.nn.functional.pad(signal[..., :210], (0, 90))
    valid = torch.tensor([210])
    torch.manual_seed(0)
    head = Mean() if kind is Mean else AttentionPool(encoder.dim)
    padded = head(encoder(pad, *rest, valid=valid), encoder.token_mask(valid, 300))
    torch.testing.assert_close(padded, head(encoder(signal[..., :210], *rest)), atol=1e-4, rtol=1e-4)


def test_heads_divide_the_width() -> None:
    with pytest.raises(ValueError, match="heads: expected a divisor of 8, got 3"):
        AttentionPool(8, heads=3)


def as_written(module: AttentionPool, tokens: Tensor) -> Tensor:
    """Every token into a key and a value."""
    query = module.query(tokens.mean(1))[:, None]
    key, value = module.key_value(tokens).chunk(2, dim=-1)
    query, key, value = (x.unflatten(2, (module.heads, -1)).transpose(1, 2) for x in (query, key, value))
    return module.out(functional.scaled_dot_product_attention(query, key, value).flatten(1))


def test_attention_and_its_gradient_are_those_of_keys_and_values_of_every_token() -> None:
    torch.manual_seed(1)
    module, tokens = AttentionPool(12).double(), torch.randn(3, 7, 12, dtype=torch.float64, requires_grad=True)
    found, expected = module(tokens), as_written(module, tokens)
    torch.testing.assert_close(found, expected)
    wanted, up = [tokens, *module.parameters()], torch.randn_like(expected)
    torch.testing.assert_close(torch.autograd.grad(found, wanted, up), torch.autograd.grad(expected, wanted, up))
