"""Spectra of EEG changed, and hemispheres swapped."""

from __future__ import annotations

import csv
from dataclasses import replace
from importlib.resources import files

import pytest
import torch
from torch.testing import assert_close

from pretrain.augmentations import BandStop, HemisphereSwap, PhaseSurrogate, augment
from pretrain.augmentations.hemispheres import mirrored
from tests.pretrain.augmentations.strips import PAIRS, RATE, SAMPLES, many, strips

SWAP = HemisphereSwap(probability=1)


def test_the_mirror_image_of_every_electrode_is_on_the_other_side() -> None:
    with (files("biosig") / "electrodes_1005.csv").open(encoding="ascii") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    where = {row["name"]: torch.tensor([float(row[axis]) for axis in "xyz"]) for row in rows}
    for name, place in where.items():
        other = where[mirrored(name)]
        assert mirrored(mirrored(name)) == name
        assert_close(other, place * torch.tensor([-1.0, 1.0, 1.0]), rtol=0, atol=0.06)


def test_left_and_right_change_places() -> None:
    given = many(PAIRS, 2)
    changed = augment(given, [SWAP], [1, 2]).signal
    order = [PAIRS.index(name) for name in ("Fp2", "Fp1", "F4", "F3", "Cz", "P8", "P7", "O2", "O1")]
    assert torch.equal(changed, given.signal[:, order])


def test_derivations_are_mirrored_with_their_sign() -> None:
    names = ("Fp1-F7", "F8-Fp2", "C3-C4", "Fz-Cz", "T7-C3", "EEG 12")
    given = strips(((names, SAMPLES, ()),), channels=8)
    changed = augment(given, [SWAP], [1])
    old, new = given.signal[0], changed.signal[0]
    assert torch.equal(new[0], -old[1])
    assert torch.equal(new[1], -old[0])
    assert torch.equal(new[2], -old[2])
    assert torch.equal(new[3], old[3])
    # Nobody recorded T8-C4; nobody knows where the last one is.
    assert changed.mask[0].tolist() == [True, True, True, True, False, True, False, False]
    assert not new[4].any()
    assert torch.equal(new[5], old[5])


def test_a_missing_mirror_image_is_missing() -> None:
    given = strips(((PAIRS, SAMPLES, ("P7",)),), channels=9)
    changed = augment(given, [SWAP], [1])
    assert [name for name, there in zip(PAIRS, changed.mask[0], strict=True) if not there] == ["P7", "P8"]


def test_a_record_without_pairs_is_left() -> None:
    for names, missing in ((("Cz", "F3", "P8"), ()), (("F3", "F4", "Cz"), ("F4",)), (("A1", "A2", "A3", "A4"), ())):
        given = strips(((names, SAMPLES, missing),), channels=5)
        changed = augment(given, [SWAP], [1])
        assert torch.equal(changed.signal, given.signal), names
        assert torch.equal(changed.mask, given.mask)


@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES - 1])
def test_a_stopped_band_is_empty_and_the_rest_is_as_it_was(samples: int) -> None:
    given = many(PAIRS, 50, samples=samples)
    before = torch.fft.rfft(given.signal)
    after = torch.fft.rfft(augment(given, [BandStop(width=5)], range(50)).signal)
    # A coefficient that was next to nothing before may be so by rounding: most channels decide.
    gone = (after.abs() < 1e-3 * before.abs()).float().mean(1) > 0.5
    frequencies = torch.fft.rfftfreq(samples, 1 / RATE)
    for empty in gone:
        stopped = frequencies[empty]
        assert stopped.max() - stopped.min() <= 5
        assert empty.int().diff().abs().sum() <= 2
    assert after.abs().movedim(1, 2)[gone].max() < 1e-5 * before.abs().mean()
    assert_close(after.movedim(1, 2)[~gone], before.movedim(1, 2)[~gone], rtol=1e-4, atol=1e-3)
    middles = torch.stack([frequencies[empty].mean() for empty in gone])
    assert middles.min() < 15
    assert middles.max() > 110


@pytest.mark.parametrize("samples", [SAMPLES, SAMPLES - 1])
def test_a_surrogate_has_the_same_spectra_and_cross_spectra(samples: int) -> None:
    given = many(PAIRS, 3, samples=samples)
    made = augment(given, [PhaseSurrogate()], range(3)).signal
    before, after = torch.fft.rfft(given.signal), torch.fft.rfft(made)
    assert_close(after.abs(), before.abs(), rtol=1e-3, atol=1e-3)
    assert_close(after * after[:, :1].conj(), before * before[:, :1].conj(), rtol=1e-3, atol=0.1)
    assert_close(made.mean(-1), given.signal.mean(-1), rtol=0, atol=1e-5)
    alike = torch.nn.functional.cosine_similarity(made, given.signal, dim=2)
    assert alike.abs().max() < 0.3, "nothing is left of the course in time"


def test_weak_phases_change_little() -> None:
    given = many(PAIRS, 3)
    nearly = augment(given, [PhaseSurrogate(strength=1e-6)], range(3)).signal
    assert_close(nearly, given.signal, rtol=0, atol=1e-4)
    half = augment(given, [PhaseSurrogate(strength=0.5)], range(3)).signal
    # The mean cosine of U(-pi / 2, pi / 2) is 2 / pi.
    alike = torch.nn.functional.cosine_similarity(half, given.signal, dim=2)
    assert alike.mean() == pytest.approx(0.637, abs=0.05)


def test_padding_is_no_part_of_a_spectrum() -> None:
    shorter = strips(((PAIRS, 301, ()),), channels=9)
    alone = replace(shorter, signal=shorter.signal[..., :301])
    step = PhaseSurrogate()
    made = augment(shorter, [step], [3]).signal[0, :, :301]
    assert_close(torch.fft.rfft(made).abs(), torch.fft.rfft(alone.signal[0]).abs(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("step", [BandStop(), PhaseSurrogate()], ids=lambda step: step.kind)
def test_a_window_of_one_sample(step: BandStop | PhaseSurrogate) -> None:
    given = strips(((PAIRS, 1, ()),), channels=9)
    changed = augment(given, [step], [1])
    assert changed.signal.isfinite().all()
    assert not changed.signal[..., 1:].any()
