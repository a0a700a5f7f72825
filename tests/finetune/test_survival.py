"""Cox's loss and the concordance index against loops and by hand; regression with missing targets."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from finetune.heads.regression import GaussianLoss, HuberLoss, RegressionHead
from finetune.heads.survival import CoxLoss, Ties, cox_loss
from finetune.metrics.concordance import concordance_index


def survivors(n: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Risks, times with many ties, events."""
    generator = np.random.default_rng(seed)
    return (
        generator.normal(size=n).round(1),
        generator.integers(0, n // 3, n).astype(float),
        generator.random(n) < 0.6,
    )


def cox_by_loops(risk: Tensor, time: Tensor, event: Tensor, ties: Ties) -> float:
    total = 0.0
    for moment in time[event].unique():
        dead = [i for i in range(len(risk)) if event[i] and time[i] == moment]
        living = sum(math.exp(risk[i].item()) for i in range(len(risk)) if time[i] >= moment)
        dying = sum(math.exp(risk[i].item()) for i in dead)
        for place, i in enumerate(dead):
            share = place / len(dead) if ties is Ties.EFRON else 0.0
            total += math.log(living - share * dying) - risk[i].item()
    return total / max(int(event.sum()), 1)


@pytest.mark.parametrize("ties", list(Ties))
@pytest.mark.parametrize("seed", range(4))
def test_coxs_loss_is_the_formula(seed: int, ties: Ties) -> None:
    risk, time, event = (torch.from_numpy(part) for part in survivors(30, seed))
    assert CoxLoss(ties)(risk, time, event).item() == pytest.approx(cox_by_loops(risk, time, event, ties), rel=1e-9)


def test_coxs_loss_by_hand() -> None:
    time, event = torch.tensor([1.0, 1.0, 2.0]), torch.tensor([True, True, False])
    nothing = torch.zeros(3)
    assert cox_loss(nothing, time, event, ties=Ties.BRESLOW).item() == pytest.approx(math.log(3))
    assert cox_loss(nothing, time, event).item() == pytest.approx((math.log(3) + math.log(2)) / 2)
    risk = torch.tensor([math.log(2), 0.0, 0.0])
    apart = cox_loss(risk, torch.tensor([1.0, 2.0, 3.0]), torch.tensor([True, False, True]))
    assert apart.item() == pytest.approx((math.log(4 / 2) + math.log(1)) / 2)


@pytest.mark.parametrize("ties", list(Ties))
def test_only_differences_of_risks_matter_and_none_is_too_large(ties: Ties) -> None:
    risk, time, event = (torch.from_numpy(part) for part in survivors(30, 0))
    loss = cox_loss(risk, time, event, ties=ties)
    torch.testing.assert_close(cox_loss(risk + 1e4, time, event, ties=ties), loss)
    order = torch.randperm(30, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(cox_loss(risk[order], time[order], event[order], ties=ties), loss)
    large = (500 * risk).requires_grad_()
    cox_loss(large, time, event, ties=ties).backward()
    assert large.grad is not None
    assert large.grad.isfinite().all()


def test_without_an_event_there_is_no_loss() -> None:
    risk = torch.ones(4, requires_grad=True)
    loss = cox_loss(risk, torch.arange(4.0), torch.zeros(4, dtype=torch.bool))
    loss.backward()
    assert loss.item() == 0
    assert risk.grad is not None
    assert risk.grad.abs().sum() == 0


def concordance_by_loops(risk: np.ndarray, time: np.ndarray, event: np.ndarray) -> float:
    correct, pairs = 0.0, 0
    for i in range(len(risk)):
        for j in range(len(risk)):
            if event[i] and (time[i] < time[j] or (time[i] == time[j] and not event[j])):
                pairs += 1
                correct += 1.0 if risk[i] > risk[j] else 0.5 if risk[i] == risk[j] else 0.0
    return correct / pairs if pairs else float("nan")


@pytest.mark.parametrize("seed", range(6))
def test_concordance_is_the_count_of_pairs(seed: int) -> None:
    risk, time, event = survivors(60, seed)
    assert concordance_index(risk, time, event) == pytest.approx(concordance_by_loops(risk, time, event), abs=1e-12)


def test_concordance_by_hand_and_at_its_limits() -> None:
    time, event = np.array([1.0, 2.0, 3.0, 4.0]), np.array([True, False, True, True])
    # Comparable: the first with three others, the third with the fourth. Of the four, one is in the wrong order.
    assert concordance_index(np.array([3.0, 4.0, 2.0, 1.0]), time, event) == 0.75
    assert concordance_index(-time, time, event) == 1.0
    assert concordance_index(time, time, event) == 0.0
    assert concordance_index(np.zeros(4), time, event) == 0.5
    assert math.isnan(concordance_index(time, time, np.zeros(4, bool)))


def test_missing_targets_change_nothing() -> None:
    torch.manual_seed(0)
    mean, log_variance = RegressionHead(5, 2)(torch.randn(6, 5))
    target = torch.randn(6, 2)
    target[2:, 1] = torch.nan
    huber, gaussian = HuberLoss(0.7)(mean, target), GaussianLoss()(mean, log_variance, target)
    there = ~target.isnan()
    torch.testing.assert_close(huber, torch.nn.functional.huber_loss(mean[there], target[there], delta=0.7))
    wanted = torch.nn.functional.gaussian_nll_loss(mean[there], target[there], log_variance[there].exp())
    torch.testing.assert_close(gaussian, wanted)
    grads = torch.autograd.grad(huber + gaussian, [mean, log_variance])
    assert all(grad.isfinite().all() and grad[2:, 1].abs().sum() == 0 for grad in grads)


def test_without_a_target_there_is_no_loss() -> None:
    mean = torch.ones(3, 2)
    assert HuberLoss()(mean, mean * torch.nan).item() == 0
    assert GaussianLoss()(mean, mean, mean * torch.nan).item() == 0


def test_the_variance_of_least_loss_is_the_squared_error() -> None:
    losses = [GaussianLoss()(torch.zeros(1, 1), torch.tensor([[v]]).log(), torch.full((1, 1), 3.0)) for v in (8, 9, 10)]
    assert losses[1] == min(losses)
