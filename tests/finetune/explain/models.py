"""Models whose explanation is known."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from biosig.channels import LEADS_12
from biosig.recording import Modality, Recording
from finetune.explain.question import Logits, Question

RATE, SECONDS = 50.0, 6.0


def question(
    logits: Logits, *, seed: int = 0, leads: tuple[str, ...] = LEADS_12, missing: tuple[int, ...] = ()
) -> Question:
    """Random walks that return, in the model's units."""
    generator = np.random.default_rng(seed)
    signal = np.cumsum(generator.normal(size=(len(leads), int(RATE * SECONDS))), axis=1).astype(np.float32)
    signal -= signal.mean(1, keepdims=True)
    signal /= 3 * signal.std()
    mask = torch.ones(len(leads), dtype=torch.bool)
    mask[list(missing)] = False
    signal[list(missing)] = 0
    recording = Recording(1000 * signal, leads, RATE, (Modality.ECG,) * len(leads), record_id="walk")
    return Question(recording, torch.from_numpy(signal), mask, logits)


def linear(weights: Tensor) -> Logits:
    """w . x and -2 w . x + 1, of the leads that are there."""

    def logits(signals: Tensor, masks: Tensor) -> Tensor:
        said = (weights * signals * masks[..., None]).sum((1, 2))
        return torch.stack([said, 1 - 2 * said], dim=1)

    return logits


def energy_of(lead: int, begin: float, end: float) -> Logits:
    """The roughness of one lead between two seconds: of nothing else."""

    def logits(signals: Tensor, masks: Tensor) -> Tensor:
        steps = signals[:, lead, int(begin * RATE) : int(end * RATE)].diff(dim=1)
        return (10 * steps.square().sum(1) * masks[:, lead])[:, None]

    return logits


class Network(nn.Module):
    """A small convolutional network of masked leads."""

    def __init__(self, leads: int = 12) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(
            nn.Conv1d(leads, 16, 9, padding=4), nn.ReLU(), nn.Conv1d(16, 16, 9, padding=4), nn.GELU()
        )
        self.out = nn.Linear(16, 3)

    def forward(self, signals: Tensor, masks: Tensor) -> Tensor:
        hidden: Tensor = self.layers(signals * masks[..., None])
        out: Tensor = self.out(3 * hidden.mean(2))
        return out
