"""Group norm, a sum and a rectifier as one compiled layer: two passes over memory each way.

As a layer each they take about twice as many, change the order in memory where few channels lie side by side, and keep
several copies in float32 of what is padded.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from inspect import signature
from typing import Any, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.autograd.function import once_differentiable


def normalised(
    x: Float[Tensor, "batch channel 1 frame"],
    norm: nn.GroupNorm,
    there: Bool[Tensor, "batch frame"] | None = None,
    added: Float[Tensor, "batch channel 1 frame"] | None = None,
    *,
    relu: bool,
) -> Float[Tensor, "batch channel 1 frame"]:
    """`relu(norm(x) + added)`, computed in float32 and rounded once, at the end; 0 in the padding.

    The first calls compile, some seconds each, for batches of any size and length.

    Args:
        x: Frames, as a picture one pixel high; fast where channels lie side by side (`torch.channels_last`).
        norm: By groups of channels within a record.
        there: Which frames count; all by default.
        added: 0 in the padding; nothing by default.
        relu: Whether negative values become 0.
    """
    counted = None if there is None else there.float().unsqueeze(2)
    beside = None if added is None else _rows(added)
    # Of groups, so that how many there are is a shape like any other.
    affine = (part.view(norm.num_groups, -1) for part in (norm.weight, norm.bias))
    y: Tensor = _Normalised.apply(  # type: ignore[no-untyped-call]  # torch leaves it untyped
        _rows(x), *affine, counted, beside, _Layer(norm.eps, relu)
    )
    return y.unsqueeze(1).permute(0, 3, 1, 2)


def _rows(x: Tensor) -> Tensor:
    """A picture one pixel high as `(batch, frame, channel)`: no copy where channels lie side by side."""
    return x.squeeze(2).transpose(1, 2).contiguous()


class _Layer(NamedTuple):
    eps: float
    relu: bool


class _Normalised(torch.autograd.Function):
    """With m and v the mean and variance of a group, r = (v + eps)^-1/2, n = r (x - m): y = relu(w n + b + added).

    With h the gradient by y where y > 0 and E the mean over a group, that by x is r (w h - E[w h] - n E[w h n]), by w
    and b the sum of h n and of h over time, by `added` h itself. Sums of h and of h x over time are enough for all.
    """

    @staticmethod
    def forward(  # noqa: PLR0917 - torch gives them by place
        ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, there: Tensor | None, added: Tensor | None, layer: _Layer
    ) -> Tensor:
        # Detached: whether a gradient is wanted must not make them compile anew.
        x, weight, bias = x.detach(), weight.detach(), bias.detach()
        added = None if added is None else added.detach()
        y: Tensor
        y, mean, scale = _compiled(_forth)(x, (weight, bias), there, added, layer)
        ctx.save_for_backward(x, y if layer.relu else None, weight, there, mean, scale)
        ctx.layer, ctx.adds = layer, added is not None
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        x, y, weight, there, mean, scale = ctx.saved_tensors
        at = grad.contiguous().detach(), x, None if y is None else y.detach()
        by_x, by_weight, by_bias, by_added = _compiled(_back)(at, weight.detach(), there, (mean, scale), ctx.adds)
        return by_x, by_weight, by_bias, None, by_added, None


@cache
def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    # Beyond its limit, 8 by default, torch goes back to what is written: padded or not, for one record or more, ...
    more: dict[str, Any] = {"recompile_limit": 64} if "recompile_limit" in signature(torch.compile).parameters else {}
    return torch.compile(function, dynamic=True, **more)


def _forth(
    x: Tensor, affine: tuple[Tensor, Tensor], there: Tensor | None, added: Tensor | None, layer: _Layer
) -> tuple[Tensor, Tensor, Tensor]:
    """What comes out, and the mean and scale of each group."""
    weight, bias = affine
    wide = x.float() if there is None else x.float() * there
    mean, square = (_mean(_grouped(part, weight), x, there) for part in (wide, wide * wide))
    # What x can hold in bfloat16 is too coarse for this difference to lose a variance that is there.
    scale = ((square - mean * mean).clamp_min(0) + layer.eps).rsqrt()
    y = x.float() * _stored(scale * weight) + _stored(bias - mean * scale * weight)
    y = y if added is None else y + added.float()
    y = y.relu() if layer.relu else y
    return (y if there is None else y * there).to(x.dtype), mean, scale


def _back(
    at: tuple[Tensor, Tensor, Tensor | None],
    weight: Tensor,
    there: Tensor | None,
    moments: tuple[Tensor, Tensor],
    adds: bool,
) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
    """The gradient by x, weight, bias and what was added."""
    (grad, x, y), (mean, scale) = at, moments
    h = grad.float() if y is None else torch.where(y.float() > 0, grad.float(), 0.0)
    # A rectified y is 0 in the padding.
    h = h if there is None or y is not None else h * there
    by_bias, by_x = (_grouped(part, weight) for part in (h, h * x.float()))
    by_weight = scale * (by_x - mean * by_bias)
    level, tilt = (scale * _mean(weight * part, x, there) for part in (by_bias, scale * by_weight))
    slope, tilt, shift = (_stored(part.expand_as(by_x)) for part in (scale * weight, -tilt, tilt * mean - level))
    of_x = h * slope + x.float() * tilt + shift
    of_x = (of_x if there is None else of_x * there).to(x.dtype)
    return of_x, by_weight.sum(0), by_bias.sum(0), h.to(x.dtype) if adds else None


def _grouped(frames: Tensor, weight: Tensor) -> Tensor:
    """Sums over time, `(batch, group, channel)`."""
    return frames.sum(1).view(-1, *weight.shape)


def _mean(sums: Tensor, x: Tensor, there: Tensor | None) -> Tensor:
    """Of a group, from the sums over time of its channels."""
    frames: Tensor | int = x.shape[1] if there is None else there.sum(1, keepdim=True)
    return sums.sum(2, keepdim=True) / (frames * sums.shape[2])


def _stored(of_groups: Tensor) -> Tensor:
    """Numbers of channels, `(batch, 1, channel)`, in memory of their own.

    Else inductor would compute them again for every frame, of groups one by one.
    """
    flat = of_groups.contiguous().flatten(1)
    return flat.as_strided(flat.shape, (flat.shape[1], 1))[:, None]
