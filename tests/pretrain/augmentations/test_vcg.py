"""The heart turned in the chest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from biosig.channels import LEADS_12
from biosig.leads import DOWER, TWELVE_FROM_EIGHT, turn
from pretrain.augmentations import Strips, VcgRotation, augment
from pretrain.augmentations.vcg import _TWELVE_FROM_VCG, _VCG_FROM_EIGHT, addition
from tests.pretrain.augmentations.strips import PAIRS, SAMPLES, many, strips

EIGHT = [0, 1, 6, 7, 8, 9, 10, 11]
#: Edenbrandt and Pahlm (1988); columns V1 to V6, I, II.
PUBLISHED = np.array(
    [
        [-0.172, -0.074, 0.122, 0.231, 0.239, 0.194, 0.156, -0.010],
        [0.057, -0.019, -0.106, -0.022, 0.041, 0.048, -0.227, 0.887],
        [-0.229, -0.310, -0.246, -0.063, 0.055, 0.108, 0.022, 0.102],
    ]
)


def hearts(count: int) -> Strips:
    """Twelve leads that obey Einthoven and Goldberger, and are more than a dipole."""
    given = many(LEADS_12, count)
    eight = torch.randn(count, 8, SAMPLES, generator=torch.Generator().manual_seed(1))
    return replace(given, signal=torch.from_numpy(TWELVE_FROM_EIGHT).float() @ eight)


def turned(signal: Tensor, change: np.ndarray) -> Tensor:
    """By the same change of the vectorcardiogram in all records, as the augmentation does it."""
    changes = torch.from_numpy(change).float().expand(len(signal), 3, 3)
    return signal + addition(signal[:, EIGHT], changes, _TWELVE_FROM_VCG.expand(len(signal), -1, -1))


def written_out(signal: Tensor, change: np.ndarray) -> np.ndarray:
    """Take the vectorcardiogram out, turn it, put it back; the limb leads by their laws. In double precision."""
    eight = signal[:, EIGHT].double().numpy()
    vcg = np.linalg.lstsq(DOWER, eight.transpose(1, 0, 2).reshape(8, -1), rcond=None)[0]
    rest = eight.transpose(1, 0, 2).reshape(8, -1) - DOWER @ vcg
    i, ii, *chest = DOWER @ (change @ vcg) + rest
    twelve = [i, ii, ii - i, -(i + ii) / 2, i - ii / 2, ii - i / 2, *chest]
    return np.stack(twelve).reshape(12, len(signal), -1).transpose(1, 0, 2)


def test_the_inverse_of_dower_is_the_published_one() -> None:
    columns = [2, 3, 4, 5, 6, 7, 0, 1]
    np.testing.assert_allclose(_VCG_FROM_EIGHT.numpy()[:, columns], PUBLISHED, atol=6e-4)


def test_no_turn_is_no_change() -> None:
    given = hearts(4)
    assert torch.equal(augment(given, [VcgRotation(degrees=0, scale=1)], range(4)).signal, given.signal)


def test_a_turn_is_what_its_formula_says() -> None:
    given = hearts(3).signal
    change = turn(25, about=0) @ np.diag([1.2, 0.9, 1.0]) @ turn(-40, about=2)
    np.testing.assert_allclose(turned(given, change).numpy(), written_out(given, change), atol=1e-5)


def test_turning_back_gives_the_old_leads() -> None:
    given = hearts(3).signal
    change = turn(25, about=1) @ np.diag([1.3, 0.8, 1.0])
    assert_close(turned(turned(given, change), np.linalg.inv(change)), given, rtol=0, atol=1e-5)


def test_a_dipole_stays_a_dipole_and_is_turned() -> None:
    dipole = torch.randn(2, 3, SAMPLES, generator=torch.Generator().manual_seed(1))
    change = turn(30, about=2)
    expected = _TWELVE_FROM_VCG @ torch.from_numpy(change).float() @ dipole
    assert_close(turned(_TWELVE_FROM_VCG @ dipole, change), expected, rtol=0, atol=1e-5)


def test_einthoven_and_goldberger_hold_afterwards() -> None:
    changed = augment(hearts(50), [VcgRotation(degrees=45, scale=1.5)], range(50)).signal
    assert_close(torch.from_numpy(TWELVE_FROM_EIGHT).float() @ changed[:, EIGHT], changed, rtol=0, atol=1e-5)
    assert (changed - hearts(50).signal).abs().mean() > 0.1


def test_what_no_dipole_explains_stays() -> None:
    given = hearts(5)
    eight = given.signal[:, EIGHT]
    rest = eight - torch.from_numpy(DOWER).float() @ (_VCG_FROM_EIGHT @ eight)
    alone = replace(given, signal=torch.from_numpy(TWELVE_FROM_EIGHT).float() @ rest)
    changed = augment(alone, [VcgRotation(degrees=90, scale=2)], range(5)).signal
    assert_close(changed, alone.signal, rtol=0, atol=1e-5)


def test_angles_and_factors_are_as_large_as_asked_for() -> None:
    # A unit vector along each axis, one after the other: what they become are the columns of the change.
    axes = torch.zeros(400, 12, SAMPLES)
    axes[..., :3] = _TWELVE_FROM_VCG
    given = replace(many(LEADS_12, 400), signal=axes)

    def changes(step: VcgRotation) -> Tensor:
        return _VCG_FROM_EIGHT @ augment(given, [step], range(400)).signal[:, EIGHT, :3]

    rotations = changes(VcgRotation(degrees=20, scale=1))
    assert_close(rotations @ rotations.mT, torch.eye(3).expand(400, 3, 3), rtol=0, atol=1e-4)
    assert_close(torch.linalg.det(rotations), torch.ones(400), rtol=0, atol=1e-4)
    angle = torch.rad2deg(((torch.einsum("bii->b", rotations) - 1) / 2).clamp(-1, 1).acos())
    # Three turns of 20 degrees make at most about 37 together.
    assert 25 < angle.max() < 40
    assert angle.min() < 8

    factors = torch.diagonal(changes(VcgRotation(degrees=0, scale=2)), dim1=1, dim2=2)
    assert 0.5 - 1e-4 < factors.min() < 0.52
    assert 1.95 < factors.max() < 2 + 1e-4
    assert (factors < 1).float().mean() == pytest.approx(0.5, abs=0.06)


def test_only_records_with_eight_leads_are_turned() -> None:
    given = strips()
    changed = augment(given, [VcgRotation()], range(len(given)))
    moved = (changed.signal != given.signal).any(2)
    # Twelve leads in two orders, and one record without III and aVF, which follow from the others.
    assert moved.any(1).tolist() == [True, True, True] + [False] * 8
    assert torch.equal(moved[:3], given.mask[:3])
    assert torch.equal(changed.mask, given.mask)


def test_the_order_of_the_leads_makes_no_difference() -> None:
    order = torch.randperm(12, generator=torch.Generator().manual_seed(1))
    given = hearts(3)
    other = replace(given, signal=given.signal[:, order], names=(tuple(LEADS_12[k] for k in order),) * 3)
    straight, mixed = (augment(each, [VcgRotation()], [7, 8, 9]).signal for each in (given, other))
    assert_close(mixed, straight[:, order], rtol=0, atol=1e-6)


def test_eeg_beside_it_is_left_alone() -> None:
    given = many(PAIRS + LEADS_12, 3)
    changed = augment(given, [VcgRotation()], range(3)).signal
    assert torch.equal(changed[:, : len(PAIRS)], given.signal[:, : len(PAIRS)])
    assert (changed[:, len(PAIRS) :] != given.signal[:, len(PAIRS) :]).any(2).all()
