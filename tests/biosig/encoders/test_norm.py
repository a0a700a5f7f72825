"""Group norm in bfloat16 beside a wider type, however the frames lie in memory."""

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from biosig.encoders.norm import GroupNorm

CHANNELS, FRAMES = 64, 700


def normalised(dtype: torch.dtype, memory: torch.memory_format, *, padded: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Output and the gradients of input and weight, all in float64."""
    draw = torch.Generator().manual_seed(3)
    norm = GroupNorm(CHANNELS)
    # Far from 0, where sums of bfloat16 would lose the variance.
    x = (3 + torch.randn(4, CHANNELS, 1, FRAMES, generator=draw)).bfloat16()
    weights = torch.randn(x.shape, generator=draw).bfloat16()
    with torch.no_grad():
        norm.weight.uniform_(0.5, 1.5, generator=draw)
        norm.bias.uniform_(-0.5, 0.5, generator=draw)
    norm.to(torch.bfloat16).to(dtype)
    x = x.to(dtype).contiguous(memory_format=memory).requires_grad_()
    there = torch.arange(FRAMES) < torch.tensor([FRAMES, FRAMES // 2, 10, 1])[:, None] if padded else None
    y = norm(x, there)
    (y * weights.to(dtype)).sum().backward()
    assert x.grad is not None
    assert norm.weight.grad is not None
    return y.detach().double(), x.grad.double(), norm.weight.grad.double()


@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last], ids=["in rows", "side by side"])
@pytest.mark.parametrize("padded", [False, True], ids=["whole", "padded"])
def test_bfloat16_is_summed_in_float32(memory: torch.memory_format, padded: bool) -> None:
    found = normalised(torch.bfloat16, memory, padded=padded)
    # Where frames are masked, sums are of float32 whatever comes in.
    wide = torch.float32 if padded else torch.float64
    expected = normalised(wide, torch.contiguous_format, padded=padded)
    for one, other in zip(found, expected, strict=True):
        # What is left is the rounding of one result, 2^-8 of it.
        assert_close(one, other, rtol=2**-7, atol=2**-7 * float(other.abs().amax()) / 2)
