"""What moves and how fast, for every adaptation and kind of encoder."""

from __future__ import annotations

import pytest
import torch

from biosig.preprocess import Preprocessing
from biosig.recording import Modality
from finetune.adaptation.encoder import adapt
from finetune.diagnosis.choices import Adaptation
from pretrain.models.intake import Intake
from pretrain.models.towers import SignalTower
from pretrain.specs.architecture import SignalSpec, TokenPooling

RATE = 1e-3


def tower(encoder: str = "resnet1d18", pooling: TokenPooling = TokenPooling.MEAN) -> SignalTower:
    torch.manual_seed(0)
    options = {"n_chans": 4} | ({"depth": 3} if "transformer" in encoder else {"width": 8})
    intake = Intake(
        sampling_rate=100, window_seconds=2, modalities=(Modality.ECG,), preprocessing=Preprocessing(steps=())
    )
    return SignalTower(SignalSpec(encoder=encoder, options=options, pooling=pooling), 16, intake)


@pytest.mark.parametrize("encoder", ["resnet1d18", "patch_transformer_tiny", "eeg_conv"])
@pytest.mark.parametrize("how", Adaptation)
def test_groups_hold_what_moves_and_the_projection_never_does(how: Adaptation, encoder: str) -> None:
    one = tower(encoder)
    found = adapt(one, how, learning_rate=RATE)
    moving = {parameter for group in found.groups for parameter in group["params"]}
    assert moving == {parameter for parameter in one.parameters() if parameter.requires_grad}
    assert not moving & set(one.projection.parameters())
    assert sum(parameter.numel() for parameter in moving) == sum(block.trained for block in found.blocks)
    assert bool(moving) == (how is not Adaptation.PROBE)
    assert sum(block.parameters for block in found.blocks) == sum(p.numel() for p in one.encoder.parameters())


def test_the_earlier_the_slower() -> None:
    found = adapt(tower(), Adaptation.FULL, learning_rate=RATE, layer_decay=0.5)
    rates = [group["lr"] for group in found.groups]
    assert rates[-1] == RATE
    assert rates == pytest.approx([RATE * 0.5 ** (len(rates) - 1 - place) for place in range(len(rates))])
    assert [block.name for block in found.blocks][:2] == ["front_end", "backbone.stem"]
    assert found.blocks[-1].name == "backbone.blocks.7"


def test_the_last_blocks_are_those_at_the_end_and_pooling_is_one() -> None:
    found = adapt(tower(pooling=TokenPooling.ATTENTION), Adaptation.LAST, learning_rate=RATE, last=2)
    assert [block.name for block in found.blocks if block.trained] == ["backbone.blocks.7", "attention"]
    assert all(block.trained in {0, block.parameters} for block in found.blocks)


def test_low_rank_additions_are_few_and_of_one_rate() -> None:
    one = tower()
    whole = sum(parameter.numel() for parameter in one.encoder.parameters())
    found = adapt(one, Adaptation.LORA, learning_rate=RATE, rank=1)
    assert 0 < sum(block.trained for block in found.blocks) < whole / 2
    assert {group["lr"] for group in found.groups} == {RATE}


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="last: expected 1 to 10 blocks, got 11"):
        adapt(tower(), Adaptation.LAST, learning_rate=RATE, last=11)
    with pytest.raises(ValueError, match="layer_decay: expected a number above 0"):
        adapt(tower(), Adaptation.FULL, learning_rate=RATE, layer_decay=0.0)
