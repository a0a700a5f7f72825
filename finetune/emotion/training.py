"""A short training that validation stops: the weights that validated best are kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

_CHECK_EVERY = 20
_PATIENCE = 3
_WARMUP = 10


@dataclass(frozen=True)
class Stopped:
    """How a training ended.

    Attributes:
        steps: Taken.
        best_step: Whose weights were kept.
        validation_loss: There.
    """

    steps: int
    best_step: int
    validation_loss: float


def train(
    network: nn.Module,
    loss_of: Callable[[float], Tensor],
    validate: Callable[[], float],
    *,
    steps: int,
    learning_rate: float = 1e-3,
    weight_decay: float = 0.05,
    check_every: int = _CHECK_EVERY,
    patience: int = _PATIENCE,
    groups: Sequence[dict[str, Any]] | None = None,
) -> Stopped:
    """AdamW with a warm-up and a cosine to zero; looks at validation now and then, stops after some looks in vain.

    The network is left in evaluation mode with the weights of the least validation loss, those it came with included.

    Args:
        network: What is trained.
        loss_of: The loss of the next batch; it is told how far the training is, from 0 to 1.
        validate: The validation loss of the network as it is, in evaluation mode.
        steps: At most.
        learning_rate: After the warm-up.
        weight_decay: Of all weights.
        check_every: Steps between looks.
        patience: Looks without a smaller loss before it stops.
        groups: Of parameters, each with a rate `lr` of its own, where not all move, or not all as fast.
    """
    moving = network.parameters() if groups is None else groups
    optimiser = torch.optim.AdamW(moving, lr=learning_rate, weight_decay=weight_decay)
    rates = [group["lr"] for group in optimiser.param_groups]
    best, best_step, weights = _look(network, validate), 0, deepcopy(network.state_dict())
    taken = 0
    for step in range(1, steps + 1):
        done = (step - 1) / steps
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * min(1.0, step / _WARMUP) * (1 + np.cos(np.pi * done)) / 2
        network.train()
        loss = loss_of(done)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        taken = step
        if step % check_every == 0 or step == steps:
            found = _look(network, validate)
            if found < best:
                best, best_step, weights = found, step, deepcopy(network.state_dict())
            elif step - best_step >= patience * check_every:
                break
    network.load_state_dict(weights)
    network.eval()
    return Stopped(taken, best_step, best)


def _look(network: nn.Module, validate: Callable[[], float]) -> float:
    network.eval()
    with torch.inference_mode():
        return validate()
