"""A model with its objectives: the module that a training step runs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from pretrain.model import FoundationModel


class Learner(nn.Module):
    """Batch -> named, unweighted losses and their weighted sum.

    Args:
        model: The towers.
        objectives: By name; each maps features and batch to named losses.
        weights: The factor of each objective in the sum.

    Attributes:
        bf16: Whether the towers compute in bfloat16. What comes in stays float32: sixteen bits hold eight of an ECG.
    """

    def __init__(
        self, model: FoundationModel, objectives: Mapping[str, nn.Module], weights: Mapping[str, float]
    ) -> None:
        super().__init__()
        self.model = model
        self.objectives = nn.ModuleDict(objectives)
        self.weights = dict(weights)
        self.bf16 = False

    def forward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The losses as `objective/name`, and `loss`, their weighted sum."""
        device = batch["signal"].device.type
        with torch.autocast(device, torch.bfloat16, enabled=self.bf16):
            features = self.model(batch)
        losses: dict[str, Tensor] = {}
        total = batch["signal"].new_zeros((), dtype=torch.float32)
        # Temperatures turn small errors of a similarity into large ones: losses are float32 whatever the towers were.
        with torch.autocast(device, enabled=False):
            for name, objective in self.objectives.items():
                for part, value in objective(features, batch).items():
                    losses[f"{name}/{part}"] = value
                    total = total + self.weights[name] * value
        return {"loss": total, **losses}
