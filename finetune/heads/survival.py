"""Survival: Cox's partial likelihood of who has the event first."""

from __future__ import annotations

from enum import StrEnum

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn


class Ties(StrEnum):
    """What to do with events at the same time."""

    BRESLOW = "breslow"
    EFRON = "efron"


def cox_loss(
    risk: Float[Tensor, " subject"],
    time: Float[Tensor, " subject"],
    event: Bool[Tensor, " subject"],
    *,
    ties: Ties = Ties.EFRON,
) -> Float[Tensor, ""]:
    r"""The negative log partial likelihood, divided by the number of events.

    With R_t = sum of exp(risk) over those whose time is at least t, d_t events at t and D_t the sum of exp(risk) over
    them, an event at t costs

        log R_t - risk (Breslow),    log(R_t - l / d_t D_t) - risk, l = 0 .. d_t - 1 for the events of t (Efron).

    Sums are cumulative in the order of time: O(n log n). Without an event it is 0.

    Args:
        risk: Log hazard ratios; a constant added to all changes nothing.
        time: Of event or censoring.
        event: False where censored.
        ties: At equal times.

    References:
        Cox 1972; Efron, The efficiency of Cox's likelihood function for censored data, 1977.
    """
    order = time.argsort(descending=True)
    risk, event = risk[order], event[order]
    _, moment, sizes = torch.unique_consecutive(time[order], return_inverse=True, return_counts=True)
    at_risk = risk.logcumsumexp(0)[sizes.cumsum(0) - 1][moment]
    cost = at_risk - risk
    if ties is Ties.EFRON:
        # As shares of the risk set, none is above 1: no exponential can overflow.
        shares = torch.where(event, (risk - at_risk).exp(), 0.0)
        dying = torch.zeros_like(sizes, dtype=risk.dtype).index_add(0, moment, shares)[moment]
        deaths = torch.zeros_like(sizes).index_add(0, moment, event.long())
        before = event.long().cumsum(0) - event.long()
        first = (deaths.cumsum(0) - deaths)[moment]
        part = (before - first) / deaths[moment].clamp_min(1)
        cost = cost + torch.log1p(-torch.where(event, part, 0.0) * dying)
    return torch.where(event, cost, 0.0).sum() / event.sum().clamp_min(1)


class CoxLoss(nn.Module):
    """`cox_loss` as a module."""

    def __init__(self, ties: Ties = Ties.EFRON) -> None:
        super().__init__()
        self.ties = ties

    def forward(
        self, risk: Float[Tensor, " subject"], time: Float[Tensor, " subject"], event: Bool[Tensor, " subject"]
    ) -> Float[Tensor, ""]:
        return cox_loss(risk, time, event, ties=self.ties)
