"""The dense head: what it must not depend on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from finetune.heads.frames import FrameNet, Frames, FrameSpec

SMALL = FrameSpec(widths=(4, 6, 8), kernel=5)


@pytest.fixture(scope="module")
def network() -> FrameNet:
    torch.manual_seed(0)
    return FrameNet(SMALL).eval()


def signal(leads: int = 5, time: int = 203) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(1).standard_normal((2, leads, time)).astype(np.float32))


def said(network: FrameNet, x: torch.Tensor, mask: torch.Tensor | None = None) -> Frames:
    with torch.inference_mode():
        return network(x, torch.ones(x.shape[:2], dtype=torch.bool) if mask is None else mask)


@pytest.mark.parametrize("time", [1, 7, 64, 203])
def test_every_sample_of_every_lead_is_answered(network: FrameNet, time: int) -> None:
    found = said(network, signal(time=time))
    assert found.waves.shape == (2, 5, 4, time)
    assert found.peaks.shape == (2, 5, 3, time)


def test_the_order_of_leads_does_not_matter(network: FrameNet) -> None:
    x, order = signal(), [3, 0, 4, 2, 1]
    for straight, turned in zip(said(network, x), said(network, x[:, order]), strict=True):
        torch.testing.assert_close(straight[:, order], turned, atol=1e-5, rtol=1e-4)


def test_gain_unit_and_offset_of_a_lead_do_not_matter(network: FrameNet) -> None:
    x = signal()
    gains, offsets = torch.tensor([1.0, 1000.0, 0.1, 3.0, 7.0]), torch.tensor([0.0, 5.0, 1.0, -2.0, 0.5])
    changed = x * gains[:, None] + offsets[:, None]
    for straight, other in zip(said(network, x), said(network, changed), strict=True):
        torch.testing.assert_close(straight, other, atol=1e-3, rtol=1e-3)


def test_a_masked_a_flat_and_an_absent_lead_are_the_same_to_the_others(network: FrameNet) -> None:
    x = signal()
    mask = torch.ones(2, 5, dtype=torch.bool)
    mask[:, 4] = False
    flat = x.clone()
    flat[:, 4] = 0.3
    right = said(network, x[:, :4])
    for found in (said(network, x, mask), said(network, flat)):
        for one, other in zip(right, found, strict=True):
            torch.testing.assert_close(one, other[:, :4], atol=1e-5, rtol=1e-4)


def test_leads_see_each_other(network: FrameNet) -> None:
    x = signal()
    other = x.clone()
    other[:, 1:] = x[:, 1:].flip(-1)
    assert not torch.allclose(said(network, x).waves[:, 0], said(network, other).waves[:, 0], atol=1e-4)


def test_a_moment_moves_with_the_signal(network: FrameNet) -> None:
    """By a multiple of the coarsest step, inside the strip, the answer moves along."""
    x = torch.zeros(1, 1, 512)
    x[..., 200:220] = torch.hann_window(20)
    moved = x.roll(32, -1)
    first, second = said(network, x).waves, said(network, moved).waves
    torch.testing.assert_close(first[..., 150:270], second[..., 182:302], atol=1e-4, rtol=1e-4)
