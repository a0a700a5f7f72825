"""What begins later, what is silent, what is hidden, and gains."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from biosig.channels import LEADS_12
from pretrain.augmentations import ChannelDropout, Gain, LeadMask, SignFlip, TimeMask, TimeShift, augment
from tests.pretrain.augmentations.strips import ODD, PAIRS, RATE, RECORDS, SAMPLES, many, strips


def test_a_shift_is_a_later_window_and_the_rest_is_padding() -> None:
    given = strips()
    shifts = set()
    for key in range(40):
        later = augment(given, [TimeShift(seconds=0.2)], [key] * len(given))
        for row, (old, new) in enumerate(zip(given.signal, later.signal, strict=True)):
            shift = int(given.valid[row] - later.valid[row])
            left = int(later.valid[row])
            assert torch.equal(new[:, :left], old[:, shift : shift + left])
            assert not new[:, left:].any()
            shifts.add(shift)
    # Up to 50 samples, but never more than half of the 77 of one record.
    assert shifts <= set(range(51))
    assert len(shifts) > 20
    short = [row for row, (_, valid, _) in enumerate(RECORDS) if valid == 77]
    assert int(augment(given, [TimeShift(seconds=60)], range(len(given))).valid[short[0]]) >= 39


def test_a_shift_moves_all_channels_alike() -> None:
    ramp = torch.arange(1, SAMPLES + 1).float().expand(30, 6, SAMPLES).contiguous()
    later = augment(replace(many(ODD, 30), signal=ramp), [TimeShift()], range(30))
    assert (later.signal == later.signal[:, :1]).all()
    # From 0 to half a second, all alike likely.
    first = later.signal[:, 0, 0] - 1
    assert first.max() <= 0.5 * RATE
    assert first.mean() == pytest.approx(62.5, abs=25)


def test_one_stretch_is_silent_in_all_channels() -> None:
    ones = replace(many(LEADS_12, 300), signal=torch.ones(300, 12, SAMPLES))
    ones = ones.take(torch.arange(300))
    silent = augment(ones, [TimeMask(seconds=0.4)], range(300)).signal == 0
    assert (silent == silent[:, :1]).all()
    edges = silent[:, 0].int().diff(dim=1).abs().sum(1)
    assert edges.max() <= 2
    lengths = silent[:, 0].sum(1).float()
    assert lengths.max() == 100
    assert lengths.mean() == pytest.approx(50, abs=6)
    # Wherever it fits: neither end is spared, and the middle is hit most.
    hits = silent[:, 0].float().mean(0)
    assert hits[:50].sum() > 0
    assert hits[-50:].sum() > 0


def test_a_silent_stretch_lies_within_what_is_valid() -> None:
    given = strips()
    for key in range(50):
        changed = augment(given, [TimeMask(seconds=60)], [key] * len(given))
        silenced = (changed.signal == 0) & (given.signal != 0)
        assert torch.equal(changed.valid, given.valid)
        assert (silenced.any(1).sum(1) <= given.valid // 2).all()


def test_lead_mask_hides_each_channel_with_its_probability() -> None:
    given = many(LEADS_12, 2000)
    hidden = ~augment(given, [LeadMask(probability=0.3)], range(2000)).mask
    assert hidden.float().mean(0).numpy() == pytest.approx(0.3, abs=0.05)
    most = augment(given, [LeadMask(probability=0.999)], range(2000)).mask
    assert (most.sum(1) >= 1).all()
    assert most.sum(1).float().mean() < 1.1
    assert most.float().mean(0).numpy() == pytest.approx(1 / 12, abs=0.03), "any channel may be the last"


def test_dropout_leaves_one_electrode_even_where_there_are_leads() -> None:
    given = many(LEADS_12 + PAIRS, 200)
    left = augment(given, [ChannelDropout(share=0.99)], range(200)).mask
    assert left[:, :12].all()
    assert (left[:, 12:].sum(1) >= 1).all()
    assert left[:, 12:].sum(1).float().mean() < 1.5


def test_a_gain_keeps_the_geometry() -> None:
    given = many(LEADS_12, 500)
    ratio = (augment(given, [Gain(sigma=0.2)], range(500)).signal / given.signal).flatten(1)
    torch.testing.assert_close(ratio, ratio[:, :1].expand_as(ratio))
    assert ratio[:, 0].log().std() == pytest.approx(0.2, rel=0.1)
    assert ratio[:, 0].log().mean() == pytest.approx(0, abs=0.03)


def test_a_flip_turns_electrodes_upside_down_and_nothing_else() -> None:
    given = many(ODD, 200)
    changed = augment(given, [SignFlip()], range(200)).signal
    sign = changed / given.signal
    assert (sign[:, [0, 4]] == 1).all(), "a lead and a trigger"
    assert (sign == sign[..., :1]).all()
    assert (sign[:, [1, 2, 3, 5]] == sign[:, 1:2]).all()
    assert (sign[:, 1, 0] == -1).float().mean() == pytest.approx(0.5, abs=0.12)
