"""Signal-language contrast against a hand-written one."""

from __future__ import annotations

import torch

from pretrain.objectives import SignalLanguage
from tests.pretrain.objectives.dense import dense_loss, unit


def test_equal_reports_are_positives_and_missing_ones_take_no_part() -> None:
    ids = torch.tensor([3, -1, 8, 3, 5, -1])
    signal, text = unit(6, seed=0), unit(6, seed=1)
    loss = SignalLanguage(temperature=0.1)({"signal": signal, "text": text}, {"report_id": ids})["report"]
    target = torch.tensor([[1, 0, 1, 0], [0, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 1]])
    told = [0, 2, 3, 4]
    slow = dense_loss(signal[told], text[told], torch.tensor(10.0), target)
    torch.testing.assert_close(loss, slow)
    for fast_gradient, slow_gradient in zip(
        torch.autograd.grad(loss, (signal, text)), torch.autograd.grad(slow, (signal, text)), strict=True
    ):
        torch.testing.assert_close(fast_gradient, slow_gradient, atol=1e-6, rtol=1e-5)
