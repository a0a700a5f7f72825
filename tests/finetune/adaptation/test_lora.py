"""Low-rank additions: nothing at first, the product by hand, merged without a trace."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from biosig import encoders
from finetune.adaptation.lora import LowRank, add_low_rank, merge_low_rank


def network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv1d(3, 8, 5, padding=2), nn.GELU(), nn.Flatten(), nn.Linear(80, 4))


def test_a_network_begins_as_it_was_and_only_the_additions_move() -> None:
    x, net = torch.randn(2, 3, 10), network()
    before = net(x)
    names = set(net.state_dict())
    added = add_low_rank(net, rank=2)
    torch.testing.assert_close(net(x), before)
    assert sum(one.numel() for one in added) == 2 * (8 + 15) + 2 * (4 + 80)
    assert {one for one in net.parameters() if one.requires_grad} == set(added)
    net(x).square().sum().backward()
    assert all(one.grad is not None for one in added)
    merge_low_rank(net)
    assert set(net.state_dict()) == names
    torch.testing.assert_close(net(x), before)
    assert all(one.requires_grad for one in net.parameters())


@pytest.mark.parametrize("shape", [(6, 5), (6, 5, 3)])
def test_the_addition_is_the_product(shape: tuple[int, ...]) -> None:
    weight = torch.randn(shape)
    addition = LowRank(weight, rank=2, alpha=6.0)
    nn.init.normal_(addition.up)
    expected = weight.flatten(1).clone()
    for output in range(6):
        for place in range(expected.shape[1]):
            expected[output, place] += 3.0 * sum(addition.up[output, r] * addition.down[r, place] for r in range(2))
    torch.testing.assert_close(addition(weight), expected.view(shape))
    assert torch.linalg.matrix_rank((addition(weight) - weight).flatten(1)) == 2


def test_what_was_learnt_is_kept_by_the_merge() -> None:
    x, net = torch.randn(4, 3, 10), network()
    optimiser = torch.optim.Adam(add_low_rank(net, rank=2), lr=0.05)
    start = net(x).square().mean().item()
    for _ in range(20):
        optimiser.zero_grad()
        net(x).square().mean().backward()
        optimiser.step()
    learnt = net(x)
    assert learnt.square().mean() < start / 2
    merge_low_rank(net)
    torch.testing.assert_close(net(x), learnt)


def test_a_rank_beyond_the_matrix_is_all_of_it() -> None:
    addition = LowRank(torch.zeros(3, 7), rank=100, alpha=1.0)
    assert addition.down.shape == (3, 7)
    assert addition.scale == pytest.approx(1 / 3)


@pytest.mark.parametrize("name", ["resnet1d18", "patch_transformer_tiny", "eeg_conv"])
def test_every_kind_of_encoder_takes_them(name: str) -> None:
    encoder = encoders.build(name, sfreq=100, n_chans=4, **({"depth": 1} if "transformer" in name else {"width": 8}))
    batch = (torch.randn(2, 4, 300), torch.randn(2, 4, 3), torch.ones(2, 4, dtype=torch.bool))
    encoder.eval()
    before = encoder(*batch)
    assert add_low_rank(encoder, rank=2)
    torch.testing.assert_close(encoder(*batch), before)
    encoder(*batch).sum().backward()


def test_a_rank_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="rank: expected at least 1, got 0"):
        add_low_rank(network(), rank=0)
