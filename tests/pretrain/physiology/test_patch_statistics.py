"""Statistics of patches: those of a loop, exact on sines, silent on silence."""

from __future__ import annotations

import cmath
import math
from itertools import pairwise

import pytest
import torch

from pretrain.masked.patches import cut
from pretrain.physiology.patch_statistics import BANDS, NAMES, beats_in_patches, patch_statistics


def slowly(x: list[float], rate: float) -> list[float]:
    """Of one patch of one channel, by the definitions."""
    n = len(x)
    mean = math.fsum(x) / n
    x = [value - mean for value in x]
    energy = math.fsum(value**2 for value in x) / n
    crossings = sum(1 for a, b in pairwise(x) if a * b < 0) / (n - 1)
    found = [max(x) - min(x), math.log(energy + 1e-6), crossings]
    for low, high in BANDS:
        power = 0.0
        for k in range(n // 2 + 1):
            if low <= k * rate / n < high:
                power += abs(sum(v * cmath.exp(-2j * math.pi * k * t / n) for t, v in enumerate(x))) ** 2
        found.append(math.log(2 / n**2 * power + 1e-6))
    return found


@pytest.mark.parametrize(("rate", "hop"), [(100.0, 20), (250.0, 75)])
def test_they_are_those_of_a_loop(rate: float, hop: int) -> None:
    draw = torch.Generator().manual_seed(0)
    patches = torch.randn(2, 3, 4, hop, generator=draw)
    mask = torch.tensor([[True, True, False, True], [False, True, False, False]])
    found = patch_statistics(patches, mask, rate)
    assert found.shape == (2, 3, len(NAMES))
    for record in range(2):
        there = mask[record].nonzero().flatten().tolist()
        for patch in range(3):
            each = [slowly(patches[record, patch, channel].tolist(), rate) for channel in there]
            expected = [math.fsum(column) / len(there) for column in zip(*each, strict=True)]
            torch.testing.assert_close(found[record, patch], torch.tensor(expected), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("frequency", [5.0, 10.0, 25.0])
def test_a_sine_has_its_power_in_its_band(frequency: float) -> None:
    time = torch.arange(100) / 100.0
    sine = 2.0 * torch.sin(2 * math.pi * frequency * time + 0.3)
    found = dict(
        zip(NAMES, patch_statistics(sine[None, None, None], torch.ones(1, 1).bool(), 100.0)[0, 0], strict=True)
    )
    assert found["energy"].exp() == pytest.approx(2.0, rel=1e-4)
    assert found["zero_crossings"] == pytest.approx(2 * frequency / 100, abs=0.02)
    for low, high in BANDS:
        power = float(found[f"power_{low:g}_{high:g}"].exp())
        assert power == pytest.approx(2.0 if low <= frequency < high else 1e-6, rel=1e-2)


def test_what_is_not_there_does_not_count() -> None:
    patches, mask = torch.randn(1, 2, 3, 20), torch.tensor([[True, False, True]])
    expected = patch_statistics(patches[:, :, [0, 2]], mask[:, [0, 2]], 100.0)
    patches[:, :, 1] = torch.nan
    torch.testing.assert_close(patch_statistics(patches, mask, 100.0), expected)
    assert patch_statistics(patches, torch.zeros(1, 3).bool(), 100.0).isnan().all()
    silent = patch_statistics(torch.ones(1, 1, 2, 20), torch.ones(1, 2).bool(), 100.0)[0, 0]
    assert silent.tolist() == pytest.approx([0, math.log(1e-6), 0, *[math.log(1e-6)] * 3])


def test_a_patch_too_short_for_a_band_is_refused() -> None:
    with pytest.raises(ValueError, match="5 samples at 100 Hz have no frequency between 3 and 8 Hz"):
        patch_statistics(torch.zeros(1, 1, 1, 5), torch.ones(1, 1).bool(), 100.0)


def test_beats_fall_into_their_patches() -> None:
    beats = torch.zeros(2, 25, dtype=torch.int8)
    beats[0, [0, 9, 24]] = 1
    beats[1] = -1
    assert beats_in_patches(beats, 10)[0].tolist() == [1, 0, 1]
    assert beats_in_patches(beats, 10)[1].isnan().all()
    assert cut(torch.zeros(1, 1, 25), 10).shape[1] == 3
