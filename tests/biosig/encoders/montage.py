"""Small batches of any montage."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from biosig import encoders
from biosig.encoders import Encoder

# Each network at its smallest, by the name it is registered under.
SMALL: dict[str, dict[str, Any]] = {
    "resnet1d18": {"width": 8},
    "resnet1d34": {"width": 8},
    "resnet1d50": {"width": 8},
    "eeg_conv": {"width": 16, "n_chans": 12},
    "patch_transformer_tiny": {"width": 64, "depth": 2},
    "patch_transformer_small": {"width": 64, "depth": 2},
    "patch_transformer_base": {"width": 64, "depth": 2},
    "lead_transformer_tiny": {"width": 64, "depth": 2},
    "lead_transformer_small": {"width": 64, "depth": 2},
    "lead_transformer_base": {"width": 64, "depth": 2},
}


def build(name: str, *, sfreq: float = 100.0, seed: int = 0, **options: Any) -> Encoder:
    """A small encoder; one that takes any montage by itself has no front end to choose."""
    if name.startswith("lead_transformer"):
        options.pop("front_end", None)
    torch.manual_seed(seed)
    return encoders.build(name, sfreq=sfreq, **{**SMALL[name], **options})


def batch(records: int = 3, channels: int = 12, times: int = 300, *, seed: int = 0) -> tuple[Tensor, ...]:
    """Signal, positions, mask and modality; every channel there."""
    generator = torch.Generator().manual_seed(seed)
    positions = functional.normalize(torch.randn(records, channels, 3, generator=generator), dim=-1)
    return (
        torch.randn(records, channels, times, generator=generator),
        positions,
        torch.ones(records, channels, dtype=torch.bool),
        torch.randint(0, 3, (records, channels), generator=generator),
    )
