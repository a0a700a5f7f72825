"""The layout in memory changes nothing: a residual network as one would write it, with the same weights."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.testing import assert_close

from biosig.encoders.base import Padding
from biosig.encoders.resnet import Basic, Bottleneck, ResNet1d


def plainly(layer: nn.Module, x: Tensor) -> Tensor:
    return nn.GroupNorm.forward(layer.norm, layer.conv(x))


def reference(net: ResNet1d, x: Tensor) -> Tensor:
    x = plainly(net.stem, x).relu()
    for block in net.blocks:
        if isinstance(block, Basic):
            y = plainly(block.second, plainly(block.first, x).relu())
        else:
            assert isinstance(block, Bottleneck)
            y = plainly(block.widen, plainly(block.middle, plainly(block.narrow, x).relu()).relu())
        x = functional.relu(y + (x if block.around is None else plainly(block.around, x)))
    return x.transpose(1, 2)


@pytest.mark.parametrize("bottleneck", [False, True])
@pytest.mark.parametrize("width", [8, 64])
def test_tokens_and_gradients_are_those_of_plain_layers(width: int, bottleneck: bool) -> None:
    torch.manual_seed(0)
    net = ResNet1d(3, 100.0, width, (1, 2), bottleneck=bottleneck).double()
    x = torch.randn(2, 3, 301, dtype=torch.float64, requires_grad=True)
    found, expected = net(x), reference(net, x)
    assert_close(found, expected)
    up = torch.randn_like(expected)
    wanted = [x, *net.parameters()]
    for ours, theirs in zip(
        torch.autograd.grad(found, wanted, up), torch.autograd.grad(expected, wanted, up), strict=True
    ):
        assert_close(ours, theirs)


@pytest.mark.parametrize("samples", [1, 7, 40, 1003])
@pytest.mark.parametrize("rate", [40.0, 100.0, 250.0, 257.0, 500.0])
def test_the_stem_is_the_strided_convolution_it_stands_for(rate: float, samples: int) -> None:
    torch.manual_seed(0)
    stem = ResNet1d(3, rate, 8, (1,), bottleneck=False).double().stem
    x = torch.randn(2, 3, samples, dtype=torch.float64, requires_grad=True)
    found, expected = stem(x.unsqueeze(2), None, relu=False).squeeze(2), plainly(stem, x)
    assert found.shape == (2, 8, -(-samples // stem.hop))
    assert_close(found, expected)
    up, wanted = torch.randn_like(expected), [x, *stem.parameters()]
    assert_close(torch.autograd.grad(found, wanted, up), torch.autograd.grad(expected, wanted, up))


@pytest.mark.parametrize("lengths", [(301, 120, 301, 7, 301), (120, 301, 1, 301, 301), (300, 200, 100, 50, 1)])
def test_records_of_all_lengths_say_in_a_batch_what_they_say_cut(lengths: tuple[int, ...]) -> None:
    torch.manual_seed(0)
    net = ResNet1d(3, 100.0, 8, (1, 2), bottleneck=False).double().eval()
    x = torch.randn(5, 3, 301, dtype=torch.float64)
    padding = Padding(torch.tensor(lengths), 301)
    whole, weights = net(x, padding), list(net.parameters())
    expected = [net(one[None, :, :length])[0] for one, length in zip(x, lengths, strict=True)]
    found = [one[: len(other)] for one, other in zip(whole, expected, strict=True)]
    up = [torch.randn_like(one) for one in found]
    near = {"rtol": 1e-4, "atol": 1e-5}  # sums of masked records are of float32
    assert_close(found, expected, **near)
    assert_close(torch.autograd.grad(found, weights, up), torch.autograd.grad(expected, weights, up), **near)


def test_a_record_without_padding_is_of_the_same_bits_beside_padded_ones() -> None:
    torch.manual_seed(0)
    net, x = ResNet1d(3, 100.0, 8, (1, 2), bottleneck=False), torch.randn(5, 3, 301)
    padded = net(x, Padding(torch.tensor([301, 120, 301, 7, 301]), 301))
    assert torch.equal(padded[[0, 2, 4]], net(x[[0, 2, 4]]))


def test_a_record_by_itself_is_rounded_as_among_others_in_training() -> None:
    torch.manual_seed(0)
    net, x = ResNet1d(3, 100.0, 8, (1, 2), bottleneck=False), torch.randn(5, 3, 301)
    weights = list(net.parameters())
    whole = net(x)
    up = torch.randn_like(whole)
    alone = torch.cat([net(one[None]) for one in x])
    assert_close(alone, whole, rtol=0, atol=1e-6)
    for one, other in zip(
        torch.autograd.grad(alone, weights, up), torch.autograd.grad(whole, weights, up), strict=True
    ):
        assert (one - other).abs().max() < 3e-6 * other.abs().max()


@pytest.mark.parametrize("width", [8, 64])
def test_bfloat16_which_lies_otherwise_in_memory_says_nearly_the_same(width: int) -> None:
    torch.manual_seed(0)
    net, x = ResNet1d(3, 100.0, width, (1, 2), bottleneck=False), torch.randn(2, 3, 301)
    expected = reference(net, x)
    up = torch.randn_like(expected)
    theirs = torch.autograd.grad(expected, list(net.parameters()), up)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = net(x)
    assert (found - expected).norm() < 0.02 * expected.norm()
    ours = torch.autograd.grad(found.float(), list(net.parameters()), up)
    for (name, _), one, other in zip(net.named_parameters(), ours, theirs, strict=True):
        # Rounding decides for some frames on which side of a rectifier's kink they are.
        assert (one - other).norm() < 0.25 * other.norm(), name
        assert one.stride() == other.stride(), name
