"""What a model answers to a fixed input: stored with the weights, asked again when they are loaded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from pretrain.errors import ModelError

if TYPE_CHECKING:
    from pretrain.models.foundation import FoundationModel


@torch.no_grad()
def fingerprint(model: FoundationModel) -> dict[str, tuple[float, ...]]:
    """One vector for each tower and one for the pooled features, rounded to 7 digits; tokens count one by one.

    The input is made of sines, without any generator of random numbers, whose streams change between versions.
    """
    training, device = model.training, model.device
    model.eval().cpu()
    try:
        answers = model.features(_fixed_batch(model))
    finally:
        model.train(training).to(device)
    return {
        name: tuple(float(f"{x:.7g}") for x in _mix(values.double().flatten(0, -2).numpy()))
        for name, values in answers.items()
        if values.ndim > 1
    }


def check_fingerprint(model: FoundationModel, stored: Mapping[str, tuple[float, ...]], tolerance: float) -> None:
    """Ask the model again.

    Raises:
        ModelError: If an answer differs from the stored one by more than `tolerance` of its length: the weights were
            changed, or the code computes something else than when they were made.
    """
    now = fingerprint(model)
    for name, before in stored.items():
        a, b = np.array(before), np.array(now.get(name, ()))
        if a.shape != b.shape:
            raise ModelError(f"fingerprint: {name}: expected {a.size} numbers, got {b.size}")
        difference = float(np.linalg.norm(a - b) / max(float(np.linalg.norm(a)), 1e-12))
        if not difference <= tolerance:
            raise ModelError(
                f"fingerprint: {name}: the answer to the fixed input differs by {difference:.2g} of its length "
                f"(allowed {tolerance:g}): these are not the weights, or not the code, that were saved"
            )


def _fixed_batch(model: FoundationModel) -> dict[str, torch.Tensor]:
    intake = model.config.intake
    samples = intake.samples
    positions, modality = intake.example()
    channels = len(modality)
    time = np.arange(samples) / intake.sampling_rate
    rows = [[np.sin((1 + row + 0.37 * c) * 2.1 * time + c) for c in range(channels)] for row in range(2)]
    signal = torch.tensor(np.array(rows), dtype=torch.float32)
    batch = {
        "signal": signal,
        "mask": torch.ones(2, channels, dtype=torch.bool),
        "position": torch.tensor(positions).expand(2, -1, -1),
        "modality": torch.tensor(modality).expand(2, -1),
        "valid": torch.tensor([samples, samples]),
    }
    if model.config.report_encoder is not None:
        dim = model.config.report_encoder.dim
        batch["report"] = (
            torch.stack([torch.sin(torch.arange(dim) * (0.7 + row)) for row in range(2)]) * (2 / dim) ** 0.5
        )
    return batch


def _mix(rows: np.ndarray) -> np.ndarray:
    """A weighted sum of the rows that none of them can leave unnoticed."""
    return np.cos(1.0 + np.arange(len(rows))) @ rows
