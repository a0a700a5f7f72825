"""Patches, their normalisation and the loss, against loops."""

from __future__ import annotations

import pytest
import torch

from pretrain.masked.patches import cut, normalised
from pretrain.objectives import masked_error
from tests.pretrain.masked.slow import cut_slowly, masked_error_slowly, normalised_slowly


@pytest.mark.parametrize("samples", [1, 7, 12, 25])
def test_patches_are_cut_as_by_a_loop(samples: int) -> None:
    signal = torch.randn(2, 3, samples, generator=torch.Generator().manual_seed(0))
    assert torch.equal(cut(signal, 6), cut_slowly(signal, 6))


def test_patches_are_normalised_as_by_a_loop() -> None:
    patches = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(0)) * 1e-2 + 5
    patches[0, 0, 0] = 1.0
    torch.testing.assert_close(normalised(patches), normalised_slowly(patches), atol=1e-3, rtol=1e-3)
    assert (normalised(patches)[0, 0, 0] == 0).all(), "a flat patch is zero, not noise"
    assert (normalised(torch.ones(1, 2, 3, 1)) == 0).all(), "a patch of one sample has no shape"
    waves = torch.randn(2, 3, 4, 6, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(normalised(3 * waves + 2), normalised(waves), atol=1e-4, rtol=1e-4)


def test_the_loss_is_that_of_a_loop_and_its_gradient_is_of_what_is_hidden() -> None:
    draw = torch.Generator().manual_seed(0)
    predicted, patches = (torch.randn(3, 4, 2, 5, generator=draw) for _ in range(2))
    masked = torch.rand(3, 4, 2, generator=draw) < 0.4
    predicted.requires_grad_()
    loss = masked_error(predicted, patches, masked)
    assert loss.item() == pytest.approx(masked_error_slowly(predicted.detach(), patches, masked), rel=1e-6)
    loss.backward()
    assert predicted.grad is not None
    assert torch.equal(predicted.grad.any(-1), masked)
    assert masked_error(patches, patches, masked) == 0
