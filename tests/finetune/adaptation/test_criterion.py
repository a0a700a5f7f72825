"""Masked losses against loops, and what is done about rare findings against scikit-learn and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from biosig.errors import BiosigError
from finetune.adaptation.criterion import MOST, Criterion, log_odds, masked_bce, positive_weights
from finetune.diagnosis.choices import Imbalance, Loss
from finetune.heads.linear import fit_linear
from finetune.heads.prototypes import ntce
from finetune.probe import fit_probe
from finetune.protocols import Role, Task
from tests.finetune.fakes import features_of


def rare(seed: int = 0, rows: int = 60) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Logits; labels, of which the last concept has few; and which are known."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, 3, generator=generator, dtype=torch.float64)
    labels = torch.rand(rows, 3, generator=generator) < torch.tensor([0.5, 0.2, 0.05])
    return logits, labels, torch.rand(rows, 3, generator=generator) < 0.8


def test_the_cross_entropy_is_the_mean_over_known_pairs() -> None:
    logits, labels, known = rare()
    weight = torch.tensor([1.0, 2.0, 9.0], dtype=torch.float64)
    terms = [
        (weight[k].item() if y else 1.0) * math.log1p(math.exp(-z if y else z))
        for row, labelled, there in zip(logits.tolist(), labels.tolist(), known.tolist(), strict=True)
        for k, (z, y, told) in enumerate(zip(row, labelled, there, strict=True))
        if told
    ]
    assert masked_bce(logits, labels, known, weight).item() == pytest.approx(sum(terms) / len(terms))
    assert masked_bce(logits, labels, torch.zeros_like(known)).item() == 0


def test_positives_weigh_as_much_as_negatives_up_to_a_limit() -> None:
    _, labels, known = rare()
    weights = positive_weights(labels, known)
    for column in range(2):
        told = labels[:, column][known[:, column]]
        assert weights[column].item() * told.sum().item() == pytest.approx((~told).sum().item())
    one = torch.zeros(1000, 2, dtype=torch.bool)
    one[0, 0] = True
    assert positive_weights(one, torch.ones_like(one)).tolist() == [MOST, 1.0]


def test_log_odds_are_finite_where_nobody_has_the_finding() -> None:
    labels = torch.zeros(8, 1, dtype=torch.bool)
    assert log_odds(labels, torch.ones_like(labels)).item() == pytest.approx(math.log(1 / 9))
    labels[:4] = True
    assert log_odds(labels, torch.ones_like(labels)).item() == 0


def test_a_weighted_probe_is_scikit_learns() -> None:
    x = torch.from_numpy(np.random.default_rng(1).normal(size=(80, 5)))
    labels = (x[:, :1] + torch.from_numpy(np.random.default_rng(2).normal(size=(80, 1)))) > 1.2
    known = torch.ones_like(labels)
    weight = positive_weights(labels, known)
    (head,) = fit_linear(x, labels, known, grid=[0.3], positive_weight=weight)
    standard = ((x - x.mean(0)) / x.std(0, correction=0)).numpy()
    sample = np.where(labels[:, 0].numpy(), weight.item(), 1.0)
    expected = LogisticRegression(C=0.3, tol=1e-10, max_iter=1000).fit(standard, labels[:, 0].numpy(), sample)
    np.testing.assert_allclose(head.linear.weight.detach().numpy(), expected.coef_, atol=1e-4)
    np.testing.assert_allclose(head.linear.bias.detach().numpy(), expected.intercept_, atol=1e-4)


def test_an_adjusted_probe_ranks_the_same_and_is_shifted_by_the_log_odds(task: Task) -> None:
    features, rows = features_of(task, signal=0.5), task.rows[Role.TRAIN]
    labels, known = (torch.from_numpy(part[rows]) for part in (task.labels, task.known))
    adjusted = Criterion.of(Loss.BCE, Imbalance.LOGIT_ADJUSTMENT, labels, known)
    plain, moved = (fit_probe(features, task, rows, criterion=one).head for one in (None, adjusted))
    torch.testing.assert_close(moved.linear.weight, plain.linear.weight)
    torch.testing.assert_close(moved.linear.bias + log_odds(labels, known), plain.linear.bias)
    # What training makes small is then what the plain probe has: it starts where it should.
    x = torch.from_numpy(features[rows]).double()
    assert adjusted(moved(x), labels, known).item() == pytest.approx(masked_bce(plain(x), labels, known).item())


def test_the_contrast_of_logits_is_that_of_cosines_and_knows_no_bias() -> None:
    cosines, labels, known = rare()
    bias = torch.tensor([3.0, -2.0, 0.5], dtype=torch.float64)
    for imbalance in (Imbalance.NONE, Imbalance.LOGIT_ADJUSTMENT):
        found = Criterion.of(Loss.NTCE, imbalance, labels, known)(cosines / 0.1 + bias, labels, known)
        torch.testing.assert_close(found, ntce(cosines, labels, known, temperature=0.1))


def test_pairs_of_positives_have_no_weights() -> None:
    _, labels, known = rare()
    with pytest.raises(BiosigError, match="expected none with the loss ntce"):
        Criterion.of(Loss.NTCE, Imbalance.POSITIVE_WEIGHTS, labels, known)
