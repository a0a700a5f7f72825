from __future__ import annotations

import pytest
import torch
from torch import nn

from finetune.emotion.training import train


def test_the_weights_that_validated_best_are_kept() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    looks: list[float] = []

    def validate() -> float:
        # Best when the weight is near 0.05; training pulls it on to 1.
        looks.append(float(network.weight))
        return (float(network.weight) - 0.05) ** 2

    stopped = train(network, lambda _: ((network.weight - 1) ** 2).sum(), validate, steps=1000, learning_rate=5e-3)
    assert not network.training
    best = min(looks, key=lambda weight: (weight - 0.05) ** 2)
    assert float(network.weight) == pytest.approx(best)
    assert stopped.validation_loss == pytest.approx((best - 0.05) ** 2)
    # Three looks in vain, 20 steps each.
    assert stopped.steps == stopped.best_step + 60 < 1000


def test_a_training_that_only_harms_leaves_what_came() -> None:
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    stopped = train(network, lambda _: ((network.weight - 1) ** 2).sum(), lambda: abs(float(network.weight)), steps=100)
    assert float(network.weight) == 0
    assert (stopped.best_step, stopped.steps) == (0, 60)


def test_the_loss_is_told_how_far_the_training_is() -> None:
    network, told = nn.Linear(1, 1), []

    def loss_of(done: float) -> torch.Tensor:
        told.append(done)
        return network.weight.square().sum()

    train(network, loss_of, lambda: float(network.weight.square()), steps=10)
    assert told == pytest.approx([step / 10 for step in range(10)])
