"""The masked tower: nothing leaks from what is hidden, padding and missing leads have no part, and all is saved."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from biosig.encoders.base import Padding
from biosig.store import MODALITIES
from pretrain.errors import ModelError
from pretrain.masked.masks import hidden
from pretrain.masked.patches import cut
from pretrain.masked.strategies import Autoregressive, LeadWise, Masking, Random
from pretrain.masked.tower import Glimpse
from pretrain.models.foundation import FoundationModel, random_like
from pretrain.saving import save_tensors
from pretrain.specs.architecture import Anchor, MaskedSpec
from tests.pretrain.masked.slow import SAMPLES, batch, cut_slowly, model_of, normalised_slowly

STRATEGIES: dict[str, tuple[Masking, str, dict[str, str]]] = {
    "random": (Random(kind="random", ratio=0.5), "patch_transformer_tiny", {"front_end": "montage_free"}),
    "autoregressive": (Autoregressive(), "patch_transformer_tiny", {"front_end": "leads12"}),
    "lead_wise": (LeadWise(kind="lead_wise"), "lead_transformer_tiny", {}),
}
every = pytest.mark.parametrize("name", STRATEGIES)


def build(name: str, anchor: Anchor = Anchor.ALL) -> FoundationModel:
    strategy, encoder, options = STRATEGIES[name]
    return model_of(MaskedSpec(strategy=strategy, width=64, depth=1, anchor=anchor), encoder=encoder, **options)


def glimpse(model: FoundationModel, inputs: dict[str, Tensor]) -> Glimpse:
    assert model.masked is not None
    found = model.masked(model.signal.encoder, model.signal.intake.admit(inputs))
    assert isinstance(found, Glimpse)
    return found


@every
def test_features_have_their_names_and_shapes(name: str) -> None:
    model, inputs = build(name).eval(), batch()
    hop = model.signal.encoder.hop
    found, n = model(inputs), -(-SAMPLES // hop)
    assert found["predicted"].shape == found["patches"].shape == (4, n, 12, hop)
    assert found["masked"].shape == (4, n, 12)
    assert found["masked"].any()
    assert not found["masked"].all()
    assert found["predicted"].dtype == found["patches"].dtype == torch.float32
    torch.testing.assert_close(
        found["patches"][:1], normalised_slowly(cut_slowly(inputs["signal"][:1], hop)), atol=1e-4, rtol=1e-4
    )


@every
def test_what_is_hidden_has_no_influence(name: str) -> None:
    model, inputs = build(name).eval(), batch()
    found = glimpse(model, inputs)
    secret = found.features["masked"]
    noise = cut(torch.full_like(inputs["signal"], 1e3), model.signal.encoder.hop) * secret[..., None]
    whole = noise.transpose(1, 2).flatten(2)[..., :SAMPLES]
    again = glimpse(model, {**inputs, "signal": inputs["signal"] + whole})
    assert whole.any()
    assert torch.equal(again.features["predicted"], found.features["predicted"])
    assert torch.equal(again.tokens, found.tokens)
    seen = {**inputs, "signal": inputs["signal"] + (1 - whole / 1e3)}
    assert not torch.allclose(glimpse(model, seen).features["predicted"], found.features["predicted"])


@every
def test_the_encoder_computes_only_what_is_seen(name: str) -> None:
    model, inputs, lengths = build(name).eval(), batch(), []
    layers = model.signal.encoder.backbone.layers if name != "lead_wise" else model.signal.encoder.layers
    layers[0].register_forward_hook(lambda _, given, __: lengths.append(given[0].shape[1]))
    found = glimpse(model, inputs)
    shown = ~found.features["masked"]
    most = (shown if name == "lead_wise" else shown.any(2)).flatten(1).sum(1).max()
    assert lengths == [int(most)]


@every
def test_seen_tokens_are_those_of_a_slow_pass(name: str) -> None:
    """One record alone, hidden patches cut out of the sequence by hand, places kept."""
    model, inputs = build(name).eval(), batch(3)
    found = glimpse(model, inputs)
    for record in range(3):
        alone = {key: value[record : record + 1] for key, value in inputs.items()}
        torch.testing.assert_close(glimpse(model, alone).tokens[0], found.tokens[record], atol=1e-5, rtol=1e-4)
    assert torch.equal(found.tokens.any(-1), found.seen)


def test_seeing_everything_is_the_pass_of_the_encoder() -> None:
    for name in STRATEGIES:
        model, inputs = build(name).eval(), batch(3)
        inputs["valid"] = torch.tensor([SAMPLES, SAMPLES - 77, 41])
        encoder = model.signal.encoder
        tokens, kept = model.signal.tokens(inputs)
        given = (inputs["signal"], inputs["position"], inputs["mask"], inputs["modality"])
        if name == "lead_wise":
            every_patch = torch.ones(3, 12, kept.shape[1], dtype=torch.bool)
            seen = encoder.lead_tokens(*given, valid=inputs["valid"], seen=every_patch).mean(1)
        else:
            padding = Padding(inputs["valid"], SAMPLES)
            seen = encoder.backbone(encoder.front_end(*given), padding, torch.ones_like(kept))
        torch.testing.assert_close(seen[kept], tokens[kept], atol=1e-4, rtol=1e-4)


@every
def test_padding_has_no_influence_and_is_never_asked(name: str) -> None:
    model, inputs = build(name).eval(), batch(2)
    hop = model.signal.encoder.hop
    length = 5 * hop + 3
    inputs["valid"] = torch.tensor([SAMPLES, length])
    inputs["signal"][1, :, length:] = 1e3
    found = model(inputs)
    assert not found["masked"][1, 5:].any(), "a patch that reaches into the padding"
    assert found["masked"][1].any()
    alone = {key: value[1:] for key, value in inputs.items()}
    cut_short = model({**alone, "signal": alone["signal"][..., :length]})
    assert torch.equal(found["masked"][1:, :6], cut_short["masked"])
    torch.testing.assert_close(found["predicted"][1:, :6], cut_short["predicted"], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(found["signal"][1:], cut_short["signal"], atol=1e-4, rtol=1e-4)


@every
def test_a_missing_lead_is_never_asked_and_says_nothing(name: str) -> None:
    model, inputs = build(name).eval(), batch()
    inputs["mask"][1, 3] = False
    inputs["mask"][2] = False
    found = model(inputs)
    assert not found["masked"][1, :, 3].any()
    assert found["masked"][1].any()
    assert not found["masked"][2].any(), "a record without any lead"
    inputs["signal"][1, 3] = torch.nan
    again = model(inputs)
    for key in ("predicted", "signal"):
        assert torch.isfinite(found[key]).all()
        torch.testing.assert_close(again[key], found[key])


@every
def test_one_seen_patch_is_enough_and_a_single_patch_is_not_hidden(name: str) -> None:
    model = build(name)
    hop = model.signal.encoder.hop
    two = model(batch(3, samples=2 * hop))
    assert (two["masked"].sum(1) == 1).all()
    assert torch.isfinite(two["predicted"]).all()
    one = model(batch(3, samples=hop))
    assert not one["masked"].any()
    assert torch.isfinite(one["signal"]).all()


@every
def test_masks_follow_the_key_while_training_and_nothing_in_evaluation(name: str) -> None:
    model, inputs = build(name), batch()
    strategy, hop = STRATEGIES[name][0], model.signal.encoder.hop
    keyed = {**inputs, "key": torch.tensor(11)}
    expected = hidden(
        strategy, inputs["valid"] // hop, inputs["mask"], -(-SAMPLES // hop), np.array([[11, r, 0] for r in range(4)])
    )
    before = torch.get_rng_state()
    assert torch.equal(model.train()(keyed)["masked"], expected)
    assert not torch.equal(model({**keyed, "key": torch.tensor(12)})["masked"], expected)
    fixed = model.eval()(keyed)["masked"]
    assert torch.equal(fixed, model({**keyed, "key": torch.tensor(12)})["masked"])
    assert not torch.equal(model({**keyed, "start": inputs["start"] + 1})["masked"], fixed), "another window"
    assert torch.equal(torch.get_rng_state(), before)


@every
def test_the_anchor_is_the_whole_strip_or_what_is_seen(name: str) -> None:
    inputs = batch()
    whole, visible = build(name, Anchor.ALL), build(name, Anchor.VISIBLE)
    visible.load_state_dict(whole.state_dict())
    found = glimpse(visible.train(), inputs)
    expected = visible.signal.pool(found.tokens, found.seen)
    torch.testing.assert_close(visible(inputs)["pooled"], expected)
    # By hand: the mean of the tokens that are not 0.
    by_hand = torch.stack([tokens[seen].mean(0) for tokens, seen in zip(found.tokens, found.seen, strict=True)])
    torch.testing.assert_close(expected, by_hand)
    torch.testing.assert_close(whole.train()(inputs)["pooled"], whole.embed(inputs))
    torch.testing.assert_close(visible.eval()(inputs)["pooled"], whole.embed(inputs))


@every
def test_gradients_reach_encoder_and_decoder(name: str) -> None:
    model, inputs = build(name), batch()
    found = model(inputs)
    (found["predicted"] - found["patches"])[found["masked"]].square().mean().backward()
    still = [key for key, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    # Every position is known here, and no contrast is asked.
    allowed = ("nowhere", "signal.projection")
    assert [key for key in still if not key.endswith(allowed) and "projection" not in key] == []


@every
def test_saved_and_loaded_with_its_decoder(name: str, tmp_path: Path) -> None:
    model, inputs = build(name).eval(), batch()
    model.save_pretrained(tmp_path)
    again = FoundationModel.from_pretrained(tmp_path)
    assert again.config.architecture == model.config.architecture
    assert any(key.startswith("masked.decoder") for key in again.state_dict())
    torch.testing.assert_close(again(inputs)["predicted"], model(inputs)["predicted"])
    fresh = random_like(again, seed=3)
    assert fresh(inputs)["predicted"].shape == model(inputs)["predicted"].shape
    assert not torch.allclose(fresh(inputs)["predicted"], model(inputs)["predicted"])
    with torch.no_grad():
        again.masked.decoder.head.weight.mul_(-1)  # type: ignore[union-attr]
    save_tensors(again.state_dict(), tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="fingerprint: predicted: the answer to the fixed input differs"):
        FoundationModel.from_pretrained(tmp_path)


def test_an_encoder_without_such_patches_is_refused() -> None:
    for encoder, strategy, wanted in (
        ("lead_transformer_tiny", Random(kind="random"), "a patch_transformer"),
        ("patch_transformer_tiny", LeadWise(kind="lead_wise"), "a lead_transformer"),
    ):
        with pytest.raises(ValueError, match=f"masked.strategy {strategy.kind}: expected {wanted} as encoder"):
            model_of(MaskedSpec(strategy=strategy), encoder=encoder)


def test_electrodes_are_masked_as_leads_are() -> None:
    """Nothing in it knows twelve leads: any channels, at any places."""
    strategy, encoder, options = STRATEGIES["random"]
    model, inputs = model_of(MaskedSpec(strategy=strategy, width=64), encoder=encoder, **options).eval(), batch(2, 5)
    inputs["position"] = torch.nn.functional.normalize(torch.randn(2, 5, 3), dim=-1)
    assert MODALITIES[int(inputs["modality"][0, 0])] == "ecg"
    assert model(inputs)["predicted"].shape[2] == 5
