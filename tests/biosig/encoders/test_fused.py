"""One layer for norm, sum and rectifier, beside a layer each in float64."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor
from torch.nn import functional
from torch.testing import assert_close

from biosig.encoders.fused import normalised
from biosig.encoders.norm import GroupNorm
from biosig.encoders.resnet import ResNet1d

# What is compiled, as it is written.
as_written = pytest.mark.usefixtures("_as_written")
BATCH, FRAMES = 3, 29
LENGTHS = torch.tensor([FRAMES, 11, 1])
THERE = torch.arange(FRAMES) < LENGTHS[:, None]
compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="no C++ compiler")


@pytest.fixture
def _as_written() -> Iterator[None]:
    with torch.compiler.set_stance("force_eager"):
        yield


def drawn(channels: int, dtype: torch.dtype = torch.float32) -> tuple[GroupNorm, Tensor, Tensor, Tensor]:
    """A norm, what comes in, what is added and the gradient that comes back."""
    draw = torch.Generator().manual_seed(channels)
    norm = GroupNorm(channels)
    with torch.no_grad():
        norm.weight.uniform_(-1.5, 1.5, generator=draw)
        norm.bias.uniform_(-0.5, 0.5, generator=draw)
    x, added, up = (torch.randn(BATCH, channels, 1, FRAMES, generator=draw).to(dtype) for _ in range(3))
    return norm, (2 + x).to(memory_format=torch.channels_last), added, up


def layers(norm: GroupNorm, x: Tensor, there: Tensor | None, added: Tensor | None, *, relu: bool) -> Tensor:
    """Record by record, cut where its padding begins."""
    rows = []
    for row, length in enumerate(LENGTHS if there is not None else [FRAMES] * BATCH):
        y = functional.group_norm(x[row : row + 1, ..., :length], norm.num_groups, norm.weight, norm.bias, norm.eps)
        y = y if added is None else y + added[row : row + 1, ..., :length]
        rows.append(functional.pad(y.relu() if relu else y, (0, FRAMES - int(length))))
    return torch.cat(rows)


def agree(norm: GroupNorm, x: Tensor, added: Tensor, up: Tensor, *, padded: bool, adds: bool, relu: bool) -> None:
    there = THERE if padded else None
    added = added * THERE[:, None, None] if padded else added
    wanted = [value.requires_grad_() for value in (x, added)[: 1 + adds]]
    found = normalised(x, norm, there, added if adds else None, relu=relu)
    wide = copy.deepcopy(norm).double()
    doubles = [value.detach().double().requires_grad_() for value in wanted]
    expected = layers(wide, doubles[0], there, doubles[1] if adds else None, relu=relu)
    assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
    ours = torch.autograd.grad(found, [*wanted, norm.weight, norm.bias], up)
    theirs = torch.autograd.grad(expected, [*doubles, wide.weight, wide.bias], up.double())
    for one, other in zip(ours, theirs, strict=True):
        assert_close(one.double(), other, rtol=1e-3, atol=1e-4)


@as_written
@pytest.mark.parametrize("relu", [False, True], ids=["all", "positive"])
@pytest.mark.parametrize("adds", [False, True], ids=["alone", "added"])
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
@pytest.mark.parametrize("channels", [4, 64])
def test_values_and_gradients_are_those_of_a_layer_each(channels: int, padded: bool, adds: bool, relu: bool) -> None:
    agree(*drawn(channels), padded=padded, adds=adds, relu=relu)


@as_written
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
def test_bfloat16_is_rounded_once(padded: bool) -> None:
    norm, x, added, _ = drawn(64, torch.bfloat16)
    there = THERE if padded else None
    added = added * THERE[:, None, None] if padded else added
    found = normalised(x, norm, there, added, relu=True)
    assert found.dtype == torch.bfloat16
    expected = layers(norm.double(), x.double(), there, added.double(), relu=True)
    assert_close(found.double(), expected, rtol=2**-8, atol=1e-6)


@as_written
def test_what_is_in_the_padding_is_of_no_influence() -> None:
    norm, x, added, up = drawn(8)
    other = x.detach().clone()
    other[~THERE[:, None, None].expand_as(other)] = 1e4
    results = []
    for value in (x, other):
        value.requires_grad_()
        y = normalised(value, norm, THERE, added * THERE[:, None, None], relu=False)
        results.append((y, *torch.autograd.grad(y, [value, norm.weight, norm.bias], up)))
    assert not results[0][1][~THERE[:, None, None].expand_as(x)].any()
    for one, another in zip(*results, strict=True):
        assert_close(one, another, rtol=0, atol=0)


@as_written
@pytest.mark.parametrize("value", [0.0, 100.0])
def test_a_record_that_is_constant_becomes_the_bias(value: float) -> None:
    norm, x, *_ = drawn(8)
    x = torch.full_like(x, value).requires_grad_()
    y = normalised(x, norm, relu=False)
    assert_close(y, norm.bias[None, :, None, None].expand_as(y), rtol=0, atol=1e-2)
    (gradient,) = torch.autograd.grad(y.square().sum(), [x])
    assert torch.isfinite(gradient).all()


@compiler
@pytest.mark.slow
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
def test_compiled_it_is_the_same_layer(padded: bool) -> None:
    norm, x, added, up = drawn(64)
    there = THERE if padded else None
    added = added * THERE[:, None, None] if padded else added
    wanted = [x.requires_grad_(), added.requires_grad_(), norm.weight, norm.bias]
    results = []
    for stance in ("force_eager", "default"):
        with torch.compiler.set_stance(stance):
            y = normalised(x, norm, there, added, relu=True)
            results.append((y, *torch.autograd.grad(y, wanted, up)))
    for one, other in zip(*results, strict=True):
        assert_close(one, other, rtol=1e-4, atol=1e-5)


@compiler
@pytest.mark.slow
@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_compiled_network_says_what_it_says_as_written(bottleneck: bool) -> None:
    torch.manual_seed(0)
    net, x = ResNet1d(3, 100.0, 8, (1, 2), bottleneck=bottleneck), torch.randn(3, 3, 301)
    weights = list(net.parameters())
    wide = net(x)
    up = torch.randn_like(wide)
    expected = torch.autograd.grad(wide, weights, up)
    errors = {}
    for on in (False, True):
        net.fuse(on=on)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            tokens = net(x)
        found = torch.autograd.grad(tokens.float(), weights, up)
        assert [one.stride() for one in found] == [other.stride() for other in expected]
        errors[on] = [float((tokens - wide).detach().norm() / wide.detach().norm())] + [
            float((one - other).norm() / other.norm()) for one, other in zip(found, expected, strict=True)
        ]
    assert errors[True] != errors[False], "compiled, it rounds otherwise"
    # Fewer roundings, not more.
    assert errors[True][0] < 0.02
    assert sum(errors[True]) < 1.2 * sum(errors[False])
    assert max(errors[True]) < 1.2 * max(errors[False])
