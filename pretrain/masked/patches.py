"""What is predicted: the samples of a patch, less their mean, over their deviation."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional

# A thousandth of the unit of a batch squared: a flat patch must not have its rounding blown up.
_LEAST_VARIANCE = 1e-6


def cut(signal: Float[Tensor, "batch channel time"], hop: int) -> Float[Tensor, "batch patch channel sample"]:
    """A signal in patches of `hop` samples; the last one is filled up with zeros."""
    full = functional.pad(signal, (0, -signal.shape[-1] % hop))
    return full.reshape(*signal.shape[:2], -1, hop).transpose(1, 2)


def normalised(patches: Float[Tensor, "batch patch channel sample"]) -> Float[Tensor, "batch patch channel sample"]:
    """Each patch of each channel by itself: (x - mean) / sqrt(variance + 1e-6), the variance over its n - 1.

    So a small wave counts as much as a large one, and the baseline of a patch is nothing to guess.

    References:
        He et al., Masked autoencoders are scalable vision learners, arXiv 2111.06377.
    """
    if patches.shape[-1] == 1:
        return torch.zeros_like(patches)
    variance, mean = torch.var_mean(patches, dim=-1, keepdim=True)
    return (patches - mean) / (variance + _LEAST_VARIANCE).sqrt()
