"""A model with its objectives: the module that a training step runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn

from pretrain.errors import LossError
from pretrain.models.foundation import FoundationModel
from pretrain.parallel.distributed import ALONE, Gathered, Processes
from pretrain.training.rng import draw_key, seeded
from pretrain.training.timing import Clock, Part

# Keep the random numbers of the towers apart from those of the objectives.
_TOWERS, _OBJECTIVES = 0, 1


class Learner(nn.Module):
    """Batch -> named, unweighted losses and their weighted sum.

    Where processes share a batch, each embeds its own records, and all compute the losses of all records.

    A forward pass takes one number from torch's random state, the key, and every draw within is a function of it: of
    the key alone in the objectives, so that all processes drop the same numbers of the gathered vectors; of the key,
    the process and the part of the batch in the towers. The state is the same afterwards in all processes, however many
    there are and whatever they drew.

    Args:
        model: The towers.
        objectives: By name; each maps features and batch to named losses.
        weights: The factor of each objective in the sum.

    Attributes:
        bf16: Whether the towers compute in bfloat16. What comes in stays float32: sixteen bits hold eight of an ECG.
        processes: Who shares a batch; this one alone at first.
        towers: What runs in place of the model, computing the same; none at first.
    """

    def __init__(
        self, model: FoundationModel, objectives: Mapping[str, nn.Module], weights: Mapping[str, float]
    ) -> None:
        super().__init__()
        self.model = model
        self.objectives = nn.ModuleDict(objectives)
        self.weights = dict(weights)
        self.bf16 = False
        self.processes: Processes = ALONE
        self.towers: Callable[[Mapping[str, Tensor]], dict[str, Tensor]] | None = None
        self.clock = Clock()

    def forward(
        self,
        batch: Mapping[str, Tensor],
        *,
        key: int | None = None,
        part: int = 0,
        gradients: Mapping[str, Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """The losses as `objective/name`, and `loss`, their weighted sum.

        Args:
            batch: Records of this process.
            key: Of the random numbers; drawn from torch's state by default.
            part: Number of the part of a batch, where it is embedded in parts.
            gradients: Those by the features, where they are known: `loss` is then a sum whose gradient by the weights
                is what these features contribute, and no objective is asked.
        """
        key = draw_key() if key is None else key
        features = self.features(batch, key, part)
        if gradients is None:
            return self.losses(features, batch, key)
        return {"loss": sum(((features[name] * grad).sum() for name, grad in gradients.items()), _zero(features))}

    def features(self, batch: Mapping[str, Tensor], key: int, part: int = 0) -> dict[str, Tensor]:
        """What the towers make of records of this process: the same for the same key and part."""
        device = batch["signal"].device.type
        with (
            self.clock.part(Part.FORWARD),
            seeded(key, _TOWERS, self.processes.rank, part),
            torch.autocast(device, torch.bfloat16, enabled=self.bf16),
        ):
            # What a record is asked depends on key and record alone, however a batch is shared.
            return (self.towers or self.model)({**batch, "key": torch.tensor(key)})

    def losses(self, features: Mapping[str, Tensor], batch: Mapping[str, Tensor], key: int) -> dict[str, Tensor]:
        """The losses of the records of all processes.

        What an objective leaves out, because the batch holds nothing for it, is not among them and adds nothing to
        `loss`. Where none finds anything, that is 0 with a gradient of 0.

        Raises:
            LossError: If an objective refuses them.
        """
        whole, told = Gathered(features, self.processes, self.model.shared), Gathered(batch, self.processes)
        losses: dict[str, Tensor] = {}
        total = _zero(features)
        # Temperatures turn small errors of a similarity into large ones: losses are float32 whatever the towers were.
        device = features["signal"].device.type
        with self.clock.part(Part.LOSS), seeded(key, _OBJECTIVES), torch.autocast(device, enabled=False):
            for name, objective in self.objectives.items():
                try:
                    parts = objective(whole, told)
                except ValueError as error:
                    raise LossError(f"{name}: {error}") from error
                for part, value in parts.items():
                    losses[f"{name}/{part}"] = value
                    total = total + self.weights[name] * value
        # Whoever asks for the gradient gets one: DDP waits for it.
        return {"loss": total if losses else features["signal"].sum().float() * 0, **losses}


def _zero(features: Mapping[str, Tensor]) -> Tensor:
    return features["signal"].new_zeros((), dtype=torch.float32)
