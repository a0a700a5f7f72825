"""Augmentations: seeded, and harmless to what is marked."""

import pytest
import torch

from pretrain.augment import augment
from pretrain.specs import Gain, LeadMask, Noise

STEPS = [Gain(kind="gain"), Noise(kind="noise", sigma=0.5), LeadMask(kind="lead_mask", probability=0.9)]


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    signal = torch.randn(16, 12, 50, generator=torch.Generator().manual_seed(1))
    mask = torch.ones(16, 12, dtype=torch.bool)
    mask[3, 4:] = False
    return signal * mask[..., None], mask


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_chance_comes_from_the_generator_alone() -> None:
    torch.manual_seed(1)
    first = augment(*batch(), STEPS, generator(7))
    torch.manual_seed(2)
    again, other = augment(*batch(), STEPS, generator(7)), augment(*batch(), STEPS, generator(8))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


def test_the_batch_itself_is_not_changed() -> None:
    signal, mask = batch()
    augment(signal, mask, STEPS, generator(7))
    assert torch.equal(signal, batch()[0])
    assert torch.equal(mask, batch()[1])


def test_a_hidden_channel_is_zero_and_marked_and_one_stays() -> None:
    signal, mask = batch()
    masked, kept = augment(signal, mask, STEPS[2:], generator(7))
    assert not (kept & ~mask).any(), "a missing channel came back"
    assert kept.any(1).all(), "a record lost all its channels"
    assert kept.sum() < mask.sum() / 2
    assert torch.equal(masked, signal * kept[..., None])


def test_noise_does_not_fill_missing_channels() -> None:
    signal, mask = batch()
    noisy, _ = augment(signal, mask, STEPS[1:2], generator(7))
    assert (noisy[~mask] == 0).all()
    assert (noisy[mask] != signal[mask]).any()


def test_a_gain_keeps_the_geometry_of_the_leads() -> None:
    signal, mask = batch()
    scaled, _ = augment(signal, mask, STEPS[:1], generator(7))
    ratio = (scaled / signal)[:3].flatten(1)
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
    assert ratio[0, 0].item() != pytest.approx(ratio[1, 0].item())
