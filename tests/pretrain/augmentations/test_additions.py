"""What is added: its spectrum, its size, and the laws that leads obey."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from biosig.channels import LEADS_12
from biosig.spectral import BANDS
from pretrain.augmentations import AUGMENTATIONS, Strips, augment
from pretrain.augmentations.noise import band_noise
from pretrain.augmentations.waves import waves
from tests.pretrain.augmentations.strips import PAIRS, many

ALL = LEADS_12 + PAIRS


def added(kind: str, given: Strips, **options: Any) -> Tensor:
    """What a step adds to silence."""
    silent = replace(given, signal=torch.zeros_like(given.signal))
    return augment(silent, [AUGMENTATIONS[kind].model_validate(options)], range(len(given))).signal


def share_of_power(signal: Tensor, rate: float, low: float, high: float) -> Tensor:
    """Of each channel, in a band with both its edges."""
    power = torch.fft.rfft(signal.double()).abs().square()
    frequencies = torch.fft.rfftfreq(signal.shape[-1], 1 / rate)
    inside = (frequencies >= low) & (frequencies <= high)
    return power[..., inside].sum(-1) / power.sum(-1)


@pytest.mark.parametrize("kind", ["mains", "muscle", "baseline_wander"])
def test_noise_from_electrodes_obeys_einthoven_and_goldberger(kind: str) -> None:
    lead = dict(zip(LEADS_12, added(kind, many(LEADS_12, 20), amplitude=1.0).unbind(1), strict=True))
    for expected, found in (
        (lead["II"] - lead["I"], lead["III"]),
        (-(lead["I"] + lead["II"]) / 2, lead["aVR"]),
        (lead["I"] - lead["II"] / 2, lead["aVL"]),
        (lead["II"] - lead["I"] / 2, lead["aVF"]),
    ):
        torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    # Chest leads share Wilson's terminal, and are not the same.
    assert (lead["V1"] - lead["V2"]).std() > 0.1


@pytest.mark.parametrize("kind", ["noise", "muscle", "mains", "baseline_wander", "band_noise"])
def test_the_size_is_that_of_the_option(kind: str) -> None:
    field = "sigma" if kind == "noise" else "amplitude"
    given = many(ALL, 600, samples=1000)
    concerned = AUGMENTATIONS[kind]().concerned(given)[0]
    size = added(kind, given, **{field: 2.0}).square().mean((0, 2)).sqrt()
    # The mean square of U(0, 2) is 4 / 3; goldberger's and chest leads see less of their electrodes.
    smaller = {name: 0.75**0.5 if name.startswith("aV") else (2 / 3) ** 0.5 for name in LEADS_12[3:]}
    factor = torch.tensor([1.0 if kind == "noise" else smaller.get(name, 1.0) for name in ALL])
    harmonics = (1 + 1 / 4 + (1 / 9 + 0) / 2) ** 0.5 if kind == "mains" else 1.0
    expected = (4 / 3) ** 0.5 * factor * harmonics
    torch.testing.assert_close(size[concerned], expected[concerned], rtol=0.15, atol=0)
    tiny = added(kind, given, **{field: 1e-6})
    assert 0 < tiny.abs().max() < 1e-5


def test_white_noise_is_white_and_apart() -> None:
    noise = added("noise", many(ALL, 50, samples=1000), sigma=1.0)
    assert share_of_power(noise, 250, 0, 62.4).mean() == pytest.approx(0.5, abs=0.01)
    across = np.corrcoef(noise[0].numpy()) - np.eye(len(ALL))
    assert np.abs(across).max() < 5 / 1000**0.5


def test_mains_are_lines() -> None:
    given = many(ALL, 40, samples=1000)
    for frequency in (50.0, 60.0):
        hum = added("mains", given, frequencies=[frequency], harmonics=1)
        assert (share_of_power(hum, 250, frequency - 0.1, frequency + 0.1) > 1 - 1e-5).all()
        both = added("mains", given, frequencies=[frequency], harmonics=3)
        # The second has half the size, a quarter of the power; the third is beyond half the rate.
        assert share_of_power(both, 250, 2 * frequency, 2 * frequency).numpy() == pytest.approx(0.2, abs=1e-4)
    drawn = share_of_power(added("mains", given), 250, 49.9, 50.1)[:, 0] > 0.5
    assert 8 < drawn.sum() < 32


def test_a_rate_that_cannot_have_it_does_not_get_it() -> None:
    for kind in ("mains", "muscle"):
        assert not added(kind, many(ALL, 5, rate=40.0)).any(), kind
        assert added(kind, many(ALL, 5, rate=200.0)).any(1).all(), kind
    assert not added("mains", many(ALL, 5, rate=100.0), frequencies=[50.0]).any()
    assert not added("band_noise", many(PAIRS, 5, rate=7.0)).any()


def test_muscles_stay_in_their_band() -> None:
    noise = added("muscle", many(ALL, 10, samples=999), low=30.0, high=70.0)
    assert (share_of_power(noise, 250, 30, 70) > 1 - 1e-5).all()
    assert share_of_power(noise, 250, 50, 70).mean() == pytest.approx(0.5, abs=0.05)


def test_wander_is_slow() -> None:
    wander = added("baseline_wander", many(LEADS_12, 20, samples=30_000), low=0.05, high=0.7)
    # Without its window a line would reach far beyond itself.
    seen = wander * torch.hann_window(wander.shape[-1])
    assert (share_of_power(seen, 250, 0, 0.75) > 1 - 1e-5).all()
    assert (share_of_power(seen, 250, 0, 0.4) < 1 - 1e-3).any()
    # Within ten seconds it is no constant.
    assert (wander[..., :2500].std(-1) > 0).all()


def test_noise_of_the_eeg_is_of_one_band() -> None:
    noise = added("band_noise", many(PAIRS, 60, samples=1000))
    within = torch.stack([share_of_power(noise, 250, *band) for band in BANDS.values()])
    assert (within.amax(0) > 1 - 1e-5).all()
    chosen = within.argmax(0)
    assert (chosen == chosen[:, :1]).all(), "one band for all channels of a record"
    assert set(chosen[:, 0].tolist()) == set(range(len(BANDS)))
    slow = added("band_noise", many(PAIRS, 60, samples=1000, rate=64.0))
    assert (share_of_power(slow, 64, 1, 31) > 1 - 1e-5).all()


@pytest.mark.parametrize("samples", [60, 61])
def test_band_noise_is_the_sum_written_out(samples: int) -> None:
    bins, rate = samples // 2 + 1, 20.0
    drawn = torch.randn(2, 3, 2 * bins, generator=torch.Generator().manual_seed(1))
    bands = torch.tensor([[2.0, 5.0], [0.0, 10.0]])
    made = band_noise(drawn, bands, samples, rate)
    for record, (low, high) in enumerate(bands.tolist()):
        inside = [k for k in range(bins) if low <= k * rate / samples <= high and 0 < k < samples / 2]
        for row in range(3):
            slow = sum(
                drawn[record, row, 2 * k].double() * np.cos(2 * np.pi * k * np.arange(samples) / samples)
                - drawn[record, row, 2 * k + 1].double() * np.sin(2 * np.pi * k * np.arange(samples) / samples)
                for k in inside
            ) / len(inside) ** 0.5  # fmt: skip
            np.testing.assert_allclose(made[record, row].numpy(), np.asarray(slow), atol=1e-5)


def test_waves_are_the_sum_written_out() -> None:
    generator = torch.Generator().manual_seed(1)
    coefficients, frequencies = torch.randn(2, 5, 6, generator=generator), torch.rand(2, 3, generator=generator)
    seconds = torch.arange(50) / 10
    made = waves(coefficients, frequencies, seconds)
    slow = torch.zeros(2, 5, 50, dtype=torch.float64)
    for record in range(2):
        for channel in range(5):
            for wave in range(3):
                angle = 2 * np.pi * frequencies[record, wave].double() * seconds
                a, b = coefficients[record, channel, wave], coefficients[record, channel, 3 + wave]
                slow[record, channel] += a * angle.cos() + b * angle.sin()
    torch.testing.assert_close(made, slow.float(), rtol=0, atol=1e-5)
