"""A model whose architecture names tokens gives them, from one pass of the encoder, and others stay as they were."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from biosig.preprocess import Preprocessing
from biosig.recording import Modality
from biosig.store import MODALITIES
from pretrain.errors import ModelError
from pretrain.models.config import ModelConfig
from pretrain.models.foundation import FoundationModel, random_like
from pretrain.models.intake import Intake
from pretrain.models.towers import TokenTower
from pretrain.objectives import TemporalAsynchronous
from pretrain.specs.architecture import Architecture, Projection, SignalSpec, TokenSpec
from pretrain.training.learner import Learner
from tests.pretrain.objectives.dense import unit
from tests.unsealed import unsealed

EEG = MODALITIES.index(Modality.EEG)


def build(token: TokenSpec | None = None, *, encoder: str = "eeg_conv", width: int = 16) -> FoundationModel:
    signal = SignalSpec(encoder=encoder, options={"width": width})
    intake = Intake(sampling_rate=128, window_seconds=2, modalities=(Modality.EEG,), preprocessing=Preprocessing())
    torch.manual_seed(0)
    return FoundationModel(ModelConfig(architecture=Architecture(dim=16, signal=signal, token=token), intake=intake))


def batch(records: int = 4, channels: int = 14, times: int = 256) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return {
        "signal": torch.randn(records, channels, times, generator=generator),
        "mask": torch.ones(records, channels, dtype=torch.bool),
        "position": unit(channels, 3, seed=1).detach().expand(records, -1, -1),
        "modality": torch.full((records, channels), EEG),
        "valid": torch.full((records,), times),
        "moment": torch.arange(records) // 2,
        "subject": torch.arange(records) % 2,
    }


@pytest.mark.parametrize("projection", Projection)
@pytest.mark.parametrize("centre", [True, False])
def test_tokens_are_unit_vectors_at_the_encoders_rate(projection: Projection, centre: bool) -> None:
    model = build(TokenSpec(dim=8, projection=projection, centre=centre)).eval()
    features = model(batch())
    assert features["tokens"].shape == (4, 32, 8)
    assert features["token_rate"].shape == ()
    assert features["token_rate"] == 16.0 == model.signal.token_rate
    torch.testing.assert_close(features["tokens"].norm(dim=2), torch.ones(4, 32))
    torch.testing.assert_close(model.tokens(batch()), features["tokens"])
    assert model.embed(batch()).shape == (4, 16)
    assert build(TokenSpec(), encoder="resnet1d18").signal.token_rate == pytest.approx(128 / 24)


def test_tokens_are_there_only_where_asked_for() -> None:
    model = build()
    assert set(model(batch())) == {"signal", "pooled"}
    assert not any(name.startswith("token.") for name in model.state_dict())
    with pytest.raises(ModelError, match=r"the model gives no tokens: its architecture has no `token`"):
        model.tokens(batch())


def test_the_encoder_runs_once() -> None:
    model, runs = build(TokenSpec()), []
    model.signal.encoder.register_forward_hook(lambda *_: runs.append(1))
    model(batch())
    assert len(runs) == 1


def test_signal_features_do_not_depend_on_tokens() -> None:
    with_tokens, without = build(TokenSpec()).eval(), build().eval()
    without.load_state_dict({k: v for k, v in with_tokens.state_dict().items() if not k.startswith("token.")})
    torch.testing.assert_close(with_tokens(batch())["signal"], without(batch())["signal"])


def test_padding_has_no_token_and_no_influence() -> None:
    model, inputs = build(TokenSpec(dim=8)).eval(), batch(2)
    inputs["valid"] = torch.tensor([256, 150])
    inputs["signal"][1, :, 150:] = 1e3
    tokens = model.tokens(inputs)
    kept = -(-150 // 8)
    assert not tokens[1, kept:].any()
    torch.testing.assert_close(tokens[1, :kept].norm(dim=1), torch.ones(kept))
    cut = {**inputs, "signal": inputs["signal"][1:, :, :150], "valid": torch.tensor([150])}
    cut |= {name: inputs[name][1:] for name in ("mask", "position", "modality")}
    torch.testing.assert_close(tokens[1:, :kept], model.tokens(cut), atol=1e-4, rtol=1e-4)
    tokens.square().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_the_contrast_refuses_padding_and_names_the_window() -> None:
    model, inputs = build(TokenSpec()), batch()
    inputs["valid"] = torch.tensor([256, 256, 150, 256])
    with pytest.raises(ValueError, match=r"window 2: expected 32 tokens, got 19 and padding; sample windows that lie"):
        TemporalAsynchronous()(model(inputs), inputs)
    with pytest.raises(ValueError, match=r"expected features of a tokens tower, got those of signal, pooled; give"):
        TemporalAsynchronous()(build()(batch()), batch())


def test_centring_takes_away_what_a_window_has_throughout() -> None:
    tokens, kept = torch.randn(3, 10, 16, generator=torch.Generator().manual_seed(0)), torch.ones(3, 10).bool()
    kept[1, 6:] = False
    constant = 5 * torch.randn(3, 1, 16, generator=torch.Generator().manual_seed(1))
    for centre in (True, False):
        torch.manual_seed(0)
        tower = TokenTower(TokenSpec(centre=centre), 16)
        one, other = tower(tokens, kept), tower(tokens + constant, kept)
        assert torch.allclose(one, other, atol=1e-5) is centre


@pytest.mark.parametrize("alignment", ["pooled", "synchronous", "top_k", "coherent", "banded"])
def test_a_training_step_reaches_the_encoder(alignment: str) -> None:
    model = build(TokenSpec())
    learner = Learner(model, {"moments": TemporalAsynchronous.build({"alignment": alignment})}, {"moments": 1.0})
    losses = learner(batch())
    assert set(losses) == {"loss", "moments/moment"}
    losses["loss"].backward()
    used = [name for name, p in learner.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0]
    assert "model.signal.encoder.backbone.filters.weight" in used
    assert "model.token.projection.layers.weight" in used
    assert "objectives.moments.logit_scale.log_scale" in used


def test_the_projection_of_tokens_is_measured() -> None:
    model = build(TokenSpec())
    assert model.token is not None
    inputs = batch()
    inputs["valid"] = torch.tensor([256, 256, 256, 128])
    model.measure([inputs], torch.zeros(0, 0).numpy())
    with torch.no_grad():
        tokens, kept = model.eval().signal.tokens(inputs)
    torch.testing.assert_close(model.token.projection.mean, tokens[kept].mean(0))
    torch.testing.assert_close(model.token.projection.deviation, tokens[kept].std(0))


def test_saved_and_loaded_with_its_tokens(tmp_path: Path) -> None:
    model = build(TokenSpec(dim=8)).eval()
    model.save_pretrained(tmp_path)
    assert len(json.loads((tmp_path / "config.json").read_text())["fingerprint"]["tokens"]) == 8
    again = FoundationModel.from_pretrained(tmp_path)
    torch.testing.assert_close(again.tokens(batch()), model.tokens(batch()))
    assert random_like(again, 1).tokens(batch()).shape == (4, 32, 8)
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["token.projection.layers.weight"][0] *= -1
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="fingerprint: tokens: the answer to the fixed input differs by"):
        FoundationModel.from_pretrained(tmp_path)


def test_a_model_saved_before_there_were_tokens_is_loaded(tmp_path: Path) -> None:
    build().save_pretrained(tmp_path)
    path = tmp_path / "config.json"
    content = unsealed(path)
    assert content["architecture"].pop("token") is None
    path.write_text(json.dumps(content))
    assert FoundationModel.from_pretrained(tmp_path).token is None
