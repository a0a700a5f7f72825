"""An encoder and a linear head, trained on an outcome until validation stops it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Int
from torch import Tensor, nn

from biosig.store import Store
from finetune.diagnosis.reading import device
from finetune.embedding import mean_over_windows
from finetune.emotion.training import Stopped, train
from finetune.heads.linear import LinearHead
from finetune.outcomes.linear import Scale, loss, side_loss, standard
from finetune.outcomes.task import OutcomeTask
from finetune.protocols import Role
from pretrain.models.intake import Intake
from pretrain.models.towers import SignalTower


@dataclass(frozen=True)
class Budget:
    """What a training may spend.

    Attributes:
        steps: At most.
        batch_size: Records a step. Of survival these are who is compared: a small batch has few events.
        check_every: Steps between looks at validation.
        patience: Looks without a smaller loss before it stops.
        learning_rate: Of AdamW, after a warm-up, falling by a cosine.
        half: Whether the encoder computes in bfloat16.
    """

    steps: int = 120
    batch_size: int = 32
    check_every: int = 20
    patience: int = 3
    learning_rate: float = 3e-4
    half: bool = False


class Regressor(nn.Module):
    """A batch of windows -> one number each.

    Args:
        tower: The encoder, which is trained.
        head: Fitted to its features; copied.
    """

    def __init__(self, tower: SignalTower, head: LinearHead) -> None:
        super().__init__()
        self.tower, self.head = tower, deepcopy(head).float()

    def forward(self, batch: dict[str, Tensor]) -> Float[Tensor, "window 1"]:
        number: Tensor = self.head(self.tower.pool(*self.tower.tokens(batch)))
        return number


@dataclass(frozen=True)
class Trained:
    """How a training ended, and its seconds."""

    stopped: Stopped
    seconds: float


def tune(
    network: Regressor,
    intake: Intake,
    store: Store,
    task: OutcomeTask,
    scale: Scale,
    *,
    seed: int,
    budget: Budget,
    groups: Sequence[dict[str, Any]] | None = None,
) -> Trained:
    """Train on a random window of each training record; keep the weights of the least validation loss.

    The weights that the network came with count as well: it is left no worse than its probe, on validation.

    Args:
        network: Changed in place.
        intake: Of the model.
        store: Checked against it.
        task: The test side is not looked at.
        scale: Unit of the network's output.
        seed: Of the order and the windows.
        budget: When to stop.
        groups: Of the encoder's parameters, each with its rate `lr`; all move alike by default.
    """
    began = time.perf_counter()
    where, generator = device(), np.random.default_rng(seed)
    network.to(where)
    value, event = (part.to(where) for part in standard(task, scale))
    order = _batches(task.rows[Role.TRAIN], budget.batch_size, generator)

    def loss_of(_: float) -> Tensor:
        rows = next(order)
        room = np.maximum(store.samples[rows] - intake.samples, 0)
        windows = intake.windows(store, rows, generator.integers(0, room, endpoint=True))
        with torch.autocast(where.type, torch.bfloat16, enabled=budget.half):
            said = network({name: part.to(where) for name, part in windows.items()})
        chosen = torch.from_numpy(rows).to(where)
        return loss(said[:, 0].float(), value[chosen].float(), event[chosen], task.target.kind)

    read = reader(network, intake, store, half=budget.half)
    moving = None
    if groups is not None:
        moving = [*groups, {"params": list(network.head.parameters()), "lr": budget.learning_rate}]
    stopped = train(
        network,
        loss_of,
        lambda: side_loss(read(task.rows[Role.VALIDATION]), task, Role.VALIDATION, scale),
        steps=budget.steps,
        learning_rate=budget.learning_rate,
        check_every=budget.check_every,
        patience=budget.patience,
        groups=moving,
    )
    return Trained(stopped, time.perf_counter() - began)


def reader(
    network: Regressor, intake: Intake, store: Store, *, half: bool
) -> Callable[[Int[np.ndarray, " row"]], Float32[np.ndarray, " row"]]:
    """What the network says of records: the mean over the windows that cover each."""
    where = device()

    def read(rows: Int[np.ndarray, " row"]) -> Float32[np.ndarray, " row"]:
        with torch.autocast(where.type, torch.bfloat16, enabled=half):
            return mean_over_windows(network, intake.plan(store, rows), where)[:, 0]

    return read


def _batches(
    rows: Int[np.ndarray, " chosen"], size: int, generator: np.random.Generator
) -> Iterator[Int[np.ndarray, " row"]]:
    """Shuffled batches for ever; no record twice in one, for nobody outlives himself."""
    while True:
        shuffled = generator.permutation(rows)
        for first in range(0, max(len(rows) - size, 0) + 1, size):
            yield shuffled[first : first + size]
