"""Signal-language contrast against a hand-written one."""

from __future__ import annotations

import pytest
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


def test_latent_views_are_a_second_loss_on_every_record() -> None:
    signal, batch = unit(6, dim=64, seed=0), {"report_id": torch.tensor([0, 0, 1, -1, -1, -1])}
    features = {"signal": signal, "text": unit(6, dim=64, seed=1)}
    objective = SignalLanguage(latent_views=True, dropout=0.3)
    torch.manual_seed(0)
    first, again = objective(features, batch)["latent_views"], objective(features, batch)["latent_views"]
    assert first != again
    (gradient,) = torch.autograd.grad(first, signal)
    assert (gradient.abs().sum(1) > 0).all()
    # In evaluation there is no dropout: both views are the vector.
    still = objective.eval()(features, batch)["latent_views"]
    torch.testing.assert_close(still, dense_loss(signal, signal, torch.tensor(1 / 0.07), torch.eye(6)))


def test_latent_views_only_where_asked_for() -> None:
    features = {"signal": unit(3, seed=0), "text": unit(3, seed=1)}
    batch = {"report_id": torch.arange(3)}
    assert set(SignalLanguage()(features, batch)) == {"report"}
    assert set(SignalLanguage.build({"latent_views": True})(features, batch)) == {"report", "latent_views"}
    assert [name for name, _ in SignalLanguage().named_parameters()] == ["logit_scale.log_scale"]


@pytest.mark.parametrize("dropout", [0, 1])
def test_dropout_is_a_share(dropout: float) -> None:
    with pytest.raises(ValueError, match=r"^dropout: "):
        SignalLanguage.build({"dropout": dropout})
