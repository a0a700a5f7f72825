"""Integrated gradients and occlusion on models whose explanation is known, and on a network by their axioms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from finetune.explain.choices import Baseline
from finetune.explain.gradients import TOLERANCE, baseline_of, integrated_gradients
from finetune.explain.occlusion import occlusion
from tests.finetune.explain.models import RATE, SECONDS, Network, energy_of, linear, question

WEIGHTS = torch.randn(12, int(RATE * SECONDS), generator=torch.Generator().manual_seed(1))
LEAD, BEGIN, END = 7, 2.0, 3.0


@pytest.mark.parametrize("baseline", Baseline)
@pytest.mark.parametrize("concept", [0, 1])
def test_of_a_linear_model_they_are_weight_times_difference(baseline: Baseline, concept: int) -> None:
    asked = question(linear(WEIGHTS))
    found = integrated_gradients(asked, concept, baseline=baseline)
    expected = (1, -2)[concept] * WEIGHTS * (asked.signal - baseline_of(asked, baseline))
    np.testing.assert_allclose(found.values, expected, atol=1e-5)
    np.testing.assert_allclose(found.leads, expected.sum(1), atol=1e-4)
    assert found.gap < 1e-5


def test_of_a_curved_model_they_are_the_integral_by_quadrature() -> None:
    torch.manual_seed(0)
    asked = question(lambda x, mask: torch.tanh((x * WEIGHTS * mask[..., None]).sum((1, 2)) / 8)[:, None])
    found = integrated_gradients(asked, 0, baseline=Baseline.ZERO, tolerance=1e-4)
    inner = float((asked.signal * WEIGHTS).sum() / 8)
    slope = quad(lambda s: 1 - np.tanh(s * inner) ** 2, 0, 1)[0]
    np.testing.assert_allclose(found.values, slope * asked.signal * WEIGHTS / 8, atol=1e-4)


@pytest.mark.parametrize("baseline", Baseline)
def test_they_sum_to_what_the_answer_changes_by(baseline: Baseline) -> None:
    network = Network().eval()
    for seed in range(3):
        asked = question(network, seed=seed, missing=(3,))
        found = integrated_gradients(asked, 1, baseline=baseline)
        base = baseline_of(asked, baseline)
        with torch.no_grad():
            change = network(torch.stack([asked.signal, base]), asked.mask.expand(2, -1))[:, 1]
        assert found.answer - found.reference == pytest.approx(float(change[0] - change[1]), abs=1e-5)
        assert abs(found.values.sum() - (found.answer - found.reference)) <= TOLERANCE * abs(float(change.diff()))
        assert found.gap <= TOLERANCE
        assert not found.values[3].any()


def test_an_integral_that_is_cut_short_says_how_far_off_it_is() -> None:
    norm = question(linear(WEIGHTS)).signal[0].norm()
    # The gradient jumps from 0 to 40 at a tenth of the way.
    asked = question(lambda x, _: (40 * (x[:, 0].norm(dim=1) / norm - 0.1).clamp_min(0))[:, None])
    found = integrated_gradients(asked, 0, baseline=Baseline.ZERO, most=4)
    assert found.steps == 4
    assert found.gap == pytest.approx(abs(found.values.sum() - 36) / 36, rel=1e-4)
    assert found.gap > TOLERANCE


def test_a_network_that_normalises_is_integrated_where_it_changes() -> None:
    # All of the change lies in the first ten thousandth of the way.
    asked = question(lambda x, _: (5 * x[:, 0, 0] / (x[:, 0].norm(dim=1) + 1e-4))[:, None])
    found = integrated_gradients(asked, 0, baseline=Baseline.ZERO)
    assert found.gap <= TOLERANCE
    assert found.steps < 120
    assert found.values.sum() == pytest.approx(found.answer, rel=TOLERANCE)


def test_both_point_at_the_lead_and_second_that_a_model_looks_at() -> None:
    asked = question(energy_of(LEAD, BEGIN, END))
    inside = np.zeros((12, int(RATE * SECONDS)), bool)
    inside[LEAD, int(BEGIN * RATE) : int(END * RATE)] = True
    gradients = integrated_gradients(asked, 0)
    assert not gradients.values[~inside].any()
    assert gradients.busiest(END - BEGIN) == pytest.approx(BEGIN, abs=0.1)
    occluded = occlusion(asked, 0)
    around = inside.copy()  # a stretch that only touches the second is shared out over all of itself
    around[LEAD, int((BEGIN - 0.4) * RATE) : int((END + 0.4) * RATE)] = True
    assert not occluded.values[~around].any()
    assert occluded.values[inside].sum() > 0.7 * occluded.values.sum() > 0
    for found in (gradients, occluded):
        assert found.shares()[LEAD] == pytest.approx(1)
        assert np.nanargmax(found.leads) == LEAD
    assert occluded.leads[LEAD] == pytest.approx(asked.answer(0))
    np.testing.assert_array_equal(np.delete(occluded.leads, LEAD), 0)


def test_a_lead_is_left_out_by_the_mask_and_never_by_zeros() -> None:
    asked_about = []

    def logits(signals: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
        asked_about.append((signals.clone(), masks.clone()))
        return signals.sum((1, 2))[:, None]

    asked = question(logits, missing=(2,))
    found = occlusion(asked, 0)
    signals, masks = (torch.cat(parts) for parts in zip(*asked_about, strict=True))
    without = masks.sum(1) == 10
    assert without.sum() == 11
    for signal in signals[without]:
        torch.testing.assert_close(signal, asked.signal, rtol=0, atol=0)
    for signal in signals[~without][1:]:  # the first is the recording itself
        leads = torch.nonzero((signal != asked.signal).any(1)).flatten()
        assert len(leads) == 1
        assert signal[leads[0]].any()
    assert np.isnan(found.leads[2])
    assert not found.values[2].any()


def test_the_only_lead_is_never_left_out() -> None:
    asked = question(linear(WEIGHTS[:1]), leads=("II",))
    found = occlusion(asked, 0)
    assert np.isnan(found.leads).all()
    assert found.values.any()


def test_a_straight_line_loses_nothing() -> None:
    asked = question(lambda x, _: x.diff(dim=2).diff(dim=2).square().sum((1, 2))[:, None])
    asked.signal[:] = torch.linspace(-1, 1, asked.signal.shape[1])
    np.testing.assert_allclose(occlusion(asked, 0, window=1.0, stride=0.5).values, 0, atol=1e-6)


def test_what_is_asked_together_makes_no_difference() -> None:
    network = Network().eval()
    asked = question(network)
    one, other = (integrated_gradients(asked, 0, batch_size=size) for size in (1, 16))
    np.testing.assert_allclose(one.values, other.values, atol=1e-6)
    one, other = (occlusion(asked, 0, window=1.0, stride=1.0, batch_size=size) for size in (1, 64))
    np.testing.assert_allclose(one.values, other.values, atol=1e-6)
    np.testing.assert_allclose(one.leads, other.leads, atol=1e-5)


def test_no_gradient_stays_behind() -> None:
    network = Network()
    integrated_gradients(question(network), 0)
    assert all(weight.grad is None for weight in network.parameters())


def test_a_stride_beyond_the_window_is_refused() -> None:
    with pytest.raises(ValueError, match="stride: expected seconds above 0 and at most the window"):
        occlusion(question(linear(WEIGHTS)), 0, window=0.2, stride=0.4)
