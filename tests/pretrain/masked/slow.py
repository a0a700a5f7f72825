"""What hides, cuts and normalises patches, written as loops."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from biosig.channels import LEADS_12, positions
from biosig.preprocess import Preprocessing
from biosig.recording import Modality
from biosig.store import MODALITIES
from pretrain.models.config import ModelConfig
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.specs.architecture import Architecture, MaskedSpec, PhysiologySpec, SignalSpec

RATE, SAMPLES = 100.0, 300


def batch(records: int = 4, channels: int = 12, samples: int = SAMPLES, *, seed: int = 0) -> dict[str, Tensor]:
    """Twelve-lead strips of noise; every channel there."""
    generator = torch.Generator().manual_seed(seed)
    names = LEADS_12[:channels]
    return {
        "signal": torch.randn(records, channels, samples, generator=generator),
        "mask": torch.ones(records, channels, dtype=torch.bool),
        "position": torch.from_numpy(positions(names, Modality.ECG)).float().expand(records, -1, -1).clone(),
        "modality": torch.full((records, channels), MODALITIES.index(Modality.ECG)),
        "valid": torch.full((records,), samples),
        "row": torch.arange(records),
        "start": torch.zeros(records, dtype=torch.long),
    }


def model_of(
    masked: MaskedSpec | None = None,
    *,
    encoder: str = "patch_transformer_tiny",
    physiology: PhysiologySpec | None = None,
    **options: Any,
) -> FoundationModel:
    """A small model, the same for the same arguments."""
    intake = Intake(
        sampling_rate=RATE, window_seconds=SAMPLES / RATE, modalities=(Modality.ECG,), preprocessing=Preprocessing()
    )
    signal = SignalSpec(encoder=encoder, options={"width": 64, "depth": 2, **options})
    architecture = Architecture(dim=16, signal=signal, masked=masked, physiology=physiology)
    torch.manual_seed(0)
    return FoundationModel(ModelConfig(architecture=architecture, intake=intake))


def cut_slowly(signal: Tensor, hop: int) -> Tensor:
    """Patches of each record and channel, one after another."""
    records, channels, samples = signal.shape
    n = math.ceil(samples / hop)
    found = torch.zeros(records, n, channels, hop)
    for r in range(records):
        for c in range(channels):
            for t in range(samples):
                found[r, t // hop, c, t % hop] = signal[r, c, t]
    return found


def normalised_slowly(patches: Tensor) -> Tensor:
    found = torch.zeros_like(patches)
    for index in np.ndindex(*patches.shape[:-1]):
        x = [float(value) for value in patches[index]]
        mean = math.fsum(x) / len(x)
        variance = math.fsum((value - mean) ** 2 for value in x) / (len(x) - 1)
        found[index] = torch.tensor([(value - mean) / math.sqrt(variance + 1e-6) for value in x])
    return found


def masked_error_slowly(predicted: Tensor, patches: Tensor, masked: Tensor) -> float:
    errors = [
        math.fsum((float(a) - float(b)) ** 2 for a, b in zip(predicted[index], patches[index], strict=True))
        / predicted.shape[-1]
        for index in np.ndindex(*masked.shape)
        if masked[index]
    ]
    return math.fsum(errors) / len(errors)
