"""Light augmentations of a batch of signals, drawn from a generator of their own."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from pretrain.specs import Augmentation, Gain, LeadMask, Noise


def augment(
    signal: Float[Tensor, "batch channel time"],
    mask: Bool[Tensor, "batch channel"],
    steps: Sequence[Augmentation],
    generator: torch.Generator,
) -> tuple[Float[Tensor, "batch channel time"], Bool[Tensor, "batch channel"]]:
    """Apply the steps in order to new tensors.

    Args:
        signal: In the units of a store's batch (1.0 = 1 mV of ECG), on the CPU.
        mask: Which channels are there. A channel that is hidden is zero and marked missing, never a silent zero.
        steps: What to do.
        generator: The only source of chance, so that a step's augmentation depends on nothing but its seed.
    """
    for step in steps:
        match step:
            case Gain():
                signal = signal * (step.sigma * torch.randn(len(signal), 1, 1, generator=generator)).exp()
            case Noise():
                level = step.sigma * torch.rand(len(signal), 1, 1, generator=generator)
                signal = signal + level * torch.randn(signal.shape, generator=generator) * mask[..., None]
            case LeadMask():
                draw = torch.rand(mask.shape, generator=generator).masked_fill(~mask, -1.0)
                # The highest draw of a record always stays.
                keep = mask & ((draw >= step.probability) | (draw == draw.amax(1, keepdim=True)))
                signal, mask = signal * keep[..., None], keep
    return signal, mask
