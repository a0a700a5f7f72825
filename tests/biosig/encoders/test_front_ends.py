"""Front ends: any montage, in any order, with anything missing."""

from __future__ import annotations

import math

import pytest
import torch

from biosig.channels import LEADS_12, positions
from biosig.encoders import Leads12, MontageFree
from biosig.recording import Modality
from tests.biosig.encoders.montage import batch, build


def montage_free(channels: int = 12) -> MontageFree:
    torch.manual_seed(0)
    return MontageFree(channels)


def test_the_order_of_channels_does_not_matter() -> None:
    encoder, inputs = build("resnet1d18"), batch()
    inputs[2][1, 4:9] = False
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(encoder(*(x[:, order] for x in inputs)), encoder(*inputs), atol=1e-4, rtol=1e-4)


def test_it_matters_where_a_sensor_is() -> None:
    front_end, (signal, where, mask, modality) = montage_free(), batch()
    moved = torch.cat([where[:, 1:2], where[:, :1], where[:, 2:]], dim=1)
    assert not torch.allclose(
        front_end(signal, moved, mask, modality), front_end(signal, where, mask, modality), atol=0.1
    )


def test_it_matters_what_a_sensor_measures() -> None:
    front_end, (signal, where, mask, _) = montage_free(), batch()
    ecg, eeg = torch.zeros(3, 12, dtype=torch.long), torch.ones(3, 12, dtype=torch.long)
    mixed = torch.cat([ecg[:, :6], eeg[:, 6:]], dim=1)
    assert not torch.allclose(front_end(signal, where, mask, mixed), front_end(signal, where, mask, ecg), atol=0.01)


@pytest.mark.parametrize("junk", [1e6, math.nan, math.inf])
def test_a_masked_channel_is_as_if_it_were_not_there(junk: float) -> None:
    front_end, (signal, where, mask, modality) = montage_free(), batch()
    mask[:, [2, 7, 8]] = False
    here = mask[0]
    signal[:, ~here], where[:, ~here] = junk, junk
    out = front_end(signal.requires_grad_(), where, mask, modality)
    removed = front_end(signal[:, here], where[:, here], mask[:, here], modality[:, here])
    torch.testing.assert_close(out, removed)
    out.square().sum().backward()
    assert signal.grad is not None
    assert not signal.grad[:, ~here].any()
    assert all(torch.isfinite(p.grad).all() for p in front_end.parameters() if p.grad is not None)


@pytest.mark.parametrize("left", [1, 3, 11])
def test_dropping_channels_keeps_the_scale(left: int) -> None:
    # Every channel sees the same wave: whichever are there, a virtual channel shows it as large as its gain.
    front_end = montage_free()
    torch.nn.init.zeros_(front_end.gain.weight)
    _, where, mask, modality = batch()
    wave = torch.randn(1, 1, 50).expand(3, 12, 50)
    mask[:, left:] = False
    torch.testing.assert_close(front_end(wave, where, mask, modality), wave)


def test_no_channel_at_all_gives_zeros_and_no_nan() -> None:
    front_end, (signal, where, mask, modality) = montage_free(), batch()
    mask[1] = False
    out = front_end(signal, where, mask, modality)
    assert not out[1].any()
    assert torch.isfinite(out).all()
    out.square().sum().backward()
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in (front_end.queries, front_end.gain.weight))


def test_unknown_positions_are_zero_or_nan() -> None:
    front_end, (signal, where, mask, modality) = montage_free(), batch()
    where[:, 3] = 0
    zero = front_end(signal, where, mask, modality)
    where[:, 3] = math.nan
    torch.testing.assert_close(front_end(signal, where, mask, modality), zero)
    where[:, 3] = 0.1
    assert not torch.allclose(front_end(signal, where, mask, modality), zero)


def test_leads_stay_distinct() -> None:
    where = torch.from_numpy(positions(LEADS_12, Modality.ECG))[None]
    modality = torch.zeros(1, 12, dtype=torch.long)
    mixing = montage_free().mixing(where, torch.ones(1, 12, dtype=torch.bool), modality)[0]
    strength = torch.linalg.svdvals(mixing)
    assert strength[-1] / strength[0] > 2e-3
    assert mixing.abs().amax(dim=1).mean() > 0.2
    # The two nearest ones, 6 degrees apart.
    one, v6 = mixing[:, 0], mixing[:, 11]
    assert (one - v6).norm() / one.norm() > 0.1


def test_a_plain_montage_is_itself_with_zeros_for_what_is_masked() -> None:
    signal, where, mask, _ = batch()
    mask[0, 5] = False
    signal[0, 5] = math.nan
    out = Leads12()(signal, where, mask)
    assert not out[0, 5].any()
    assert torch.equal(out[mask], signal[mask])
    with pytest.raises(ValueError, match="leads12: expected 12 channels, got 8; montage_free takes any number"):
        Leads12()(signal[:, :8], where[:, :8], mask[:, :8])
