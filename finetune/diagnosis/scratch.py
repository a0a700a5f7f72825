"""The rival that every pretrained encoder must beat: the same architecture, trained on the labels alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from finetune.adaptation.criterion import masked_bce
from finetune.heads.base import Head
from finetune.metrics.ranking import macro, rank_metrics
from finetune.protocols import Role, Task


@dataclass(frozen=True)
class Budget:
    """What a training from scratch may spend: the same number of steps at every label fraction.

    Attributes:
        steps: Optimiser steps at most; with few labels these are many epochs.
        batch_size: Records a step.
        check_every: Steps between looks at validation.
        patience: Looks without a better validation score before it stops.
        learning_rate: Of AdamW, after a warm-up, falling by a cosine to zero over `steps`.
        weight_decay: Of AdamW.
        warmup: Steps.
        half: Whether the encoder computes in bfloat16, as pretraining does where the processor has it.
    """

    steps: int = 120
    batch_size: int = 16
    check_every: int = 20
    patience: int = 3
    learning_rate: float = 5e-4
    weight_decay: float = 0.05
    warmup: int = 10
    half: bool = False

    def factor(self, step: int) -> float:
        """The learning rate of a step, as a share of the highest."""
        if step < self.warmup:
            return (step + 1) / self.warmup
        return 0.5 * (1 + float(np.cos(np.pi * (step - self.warmup) / max(self.steps - self.warmup, 1))))


@dataclass(frozen=True)
class Trained:
    """What came of a training.

    Attributes:
        network: Features and head with the weights of the best validation score.
        steps: Steps that were taken.
        best_step: The step whose weights were kept; 0 is the probe of the fresh encoder.
        validation_auroc: Macro AUROC on validation there.
        validation: The scores of the validation records there.
    """

    network: nn.Module
    steps: int
    best_step: int
    validation_auroc: float
    validation: Float[np.ndarray, "row concept"]


class Classifier(nn.Module):
    """An encoder and a head: a batch of a store -> logits.

    Args:
        encoder: The module that is trained.
        features: A method of it, from a batch to what the head takes: `(B, dim)`, or tokens and which of them count.
        head: Already fitted to the features of the fresh encoder. All weights then start where the linear probe of a
            random encoder ends, so that no step is spent on the head, and the rival is never weaker than that probe.

    References:
        Kumar et al., Fine-tuning can distort pretrained features and underperform out-of-distribution (first the
        probe, then all weights), arXiv 2202.10054.
    """

    def __init__(
        self,
        encoder: nn.Module,
        features: Callable[[dict[str, Tensor]], Tensor | tuple[Tensor, ...]],
        head: Head,
    ) -> None:
        super().__init__()
        self.encoder, self._features = encoder, features
        self.head = deepcopy(head).float()  # `float` works in place

    def forward(self, batch: dict[str, Tensor]) -> Float[Tensor, "batch concept"]:
        inputs = self._features(batch)
        logits: Tensor = self.head(*inputs) if isinstance(inputs, tuple) else self.head(inputs)
        return logits


def train(
    network: Classifier,
    batch_of: Callable[[Int[np.ndarray, " row"], np.random.Generator], dict[str, Tensor]],
    predict: Callable[[nn.Module, Int[np.ndarray, " row"]], Float[np.ndarray, "row concept"]],
    task: Task,
    train_rows: Int[np.ndarray, " chosen"],
    *,
    seed: int,
    budget: Budget,
    groups: Sequence[dict[str, Any]] | None = None,
    criterion: Callable[[Tensor, Tensor, Tensor], Tensor] = masked_bce,
) -> Trained:
    """Train the weights, and keep those of the best validation macro AUROC.

    Args:
        network: A fresh encoder and its probe; its seed is the caller's.
        batch_of: A training batch of store rows, with a random window of longer records.
        predict: Scores of store rows by a network in evaluation mode.
        task: Labels and roles; the test side is not looked at.
        train_rows: The rows whose labels may be used.
        seed: Of the order of records and of windows.
        budget: When to stop.
        groups: Of the encoder's parameters, each with its rate `lr`, where not all of them move, or not as fast as the
            head. All move alike by default.
        criterion: The loss of logits, labels, and which of them are known; a cross-entropy a concept by default.
    """
    device = next(network.parameters()).device
    generator = np.random.default_rng(seed)
    moving = network.parameters() if groups is None else [*groups, {"params": list(network.head.parameters())}]
    optimizer = torch.optim.AdamW(moving, lr=budget.learning_rate, weight_decay=budget.weight_decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, budget.factor)
    validation = task.rows[Role.VALIDATION]
    best_scores = predict(network.eval(), validation)
    best, best_step, best_weights = _score(best_scores, task), 0, deepcopy(network.state_dict())
    order = _batches(train_rows, budget.batch_size, generator)
    for step in range(1, budget.steps + 1):
        network.train()
        rows = next(order)
        with torch.autocast(device.type, torch.bfloat16, enabled=budget.half):
            logits = network(batch_of(rows, generator))
        labels, known = (torch.from_numpy(part[rows]).to(device) for part in (task.labels, task.known))
        loss = criterion(logits.float(), labels, known)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % budget.check_every == 0 or step == budget.steps:
            scores = predict(network.eval(), validation)
            if (score := _score(scores, task)) > best:
                best, best_step, best_weights, best_scores = score, step, deepcopy(network.state_dict()), scores
            elif step - best_step >= budget.patience * budget.check_every:
                break
    network.load_state_dict(best_weights)
    return Trained(network.eval(), step, best_step, best, best_scores)


def _score(scores: Float[np.ndarray, "row concept"], task: Task) -> float:
    """Macro AUROC on validation."""
    rows = task.rows[Role.VALIDATION]
    return float(macro(rank_metrics(scores, task.labels[rows], task.known[rows]).auroc[task.scored])[0])


def _batches(
    rows: Int[np.ndarray, " chosen"], size: int, generator: np.random.Generator
) -> Iterator[Int[np.ndarray, " row"]]:
    """Shuffled batches for ever: every record once before any comes again."""
    queue = np.empty(0, dtype=np.int64)
    while True:
        while len(queue) < size:
            queue = np.concatenate([queue, generator.permutation(rows)])
        yield queue[:size]
        queue = queue[size:]
