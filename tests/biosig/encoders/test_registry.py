"""What every encoder promises, whichever it is."""

from __future__ import annotations

import pytest
import torch

from biosig.encoders import ENCODERS, FRONT_ENDS
from biosig.encoders import build as build_any
from ontology.registry import UnknownNameError
from tests.biosig.encoders.montage import SMALL, batch, build

every = pytest.mark.parametrize("name", ENCODERS)
every_front_end = pytest.mark.parametrize("front_end", FRONT_ENDS)


def test_every_encoder_is_tested() -> None:
    assert set(SMALL) == set(ENCODERS)


@every
@pytest.mark.parametrize("channels", [1, 2, 12, 19, 64])
def test_any_number_of_channels_gives_finite_tokens(name: str, channels: int) -> None:
    encoder = build(name)
    tokens = encoder(*batch(2, channels))
    assert tokens.shape == (2, encoder.n_tokens(300), encoder.dim)
    assert torch.isfinite(tokens).all()


@every
@pytest.mark.parametrize("sfreq", [50.0, 64.0, 100.0, 250.0, 360.0, 500.0, 1000.0])
@pytest.mark.parametrize("seconds", [0.011, 0.97, 2.0])
def test_tokens_are_counted_by_a_formula_and_come_at_about_one_rate(name: str, sfreq: float, seconds: float) -> None:
    encoder, times = build(name, sfreq=sfreq), max(1, round(sfreq * seconds))
    assert encoder(*batch(1, 2, times)).shape[1] == encoder.n_tokens(times) == -(-times // encoder.hop)
    lowest, highest = {"eeg": (12.4, 16.7), "lead": (3.3, 3.4)}.get(name.split("_", maxsplit=1)[0], (4.5, 8.1))
    assert lowest < sfreq / encoder.hop < highest


@every
@every_front_end
def test_gradients_reach_every_parameter_and_the_signal(name: str, front_end: str) -> None:
    encoder, (signal, *rest) = build(name, front_end=front_end), batch()
    rest[0][:, 0] = 0  # a sensor of unknown position
    encoder(signal.requires_grad_(), *rest).square().sum().backward()
    still = [key for key, parameter in encoder.named_parameters() if parameter.grad is None or not parameter.grad.any()]
    assert still == []
    assert signal.grad is not None
    assert signal.grad.any(-1).all()


@every
@every_front_end
def test_a_record_does_not_depend_on_its_neighbours(name: str, front_end: str) -> None:
    encoder, inputs = build(name, front_end=front_end), batch(4)
    alone = torch.cat([encoder(*(x[i : i + 1] for x in inputs)) for i in range(4)])
    torch.testing.assert_close(encoder(*inputs), alone, atol=1e-4, rtol=1e-4)


@every
@every_front_end
def test_padding_has_no_influence_where_lengths_are_given(name: str, front_end: str) -> None:
    encoder, (signal, *rest) = build(name, front_end=front_end), batch(4)
    lengths = [300, 177, 160, 1]
    valid = torch.tensor(lengths)
    for record, length in enumerate(lengths):
        signal[record, :, length:] = 1e3
    tokens, there = encoder(signal, *rest, valid=valid), encoder.token_mask(valid, 300)
    for record, length in enumerate(lengths):
        cut = encoder(signal[record : record + 1, :, :length], *(x[record : record + 1] for x in rest))[0]
        assert there[record].sum() == len(cut)
        torch.testing.assert_close(tokens[record][there[record]], cut, atol=1e-4, rtol=1e-4)


@every
def test_lengths_without_padding_change_nothing(name: str) -> None:
    encoder, inputs = build(name), batch()
    assert torch.equal(encoder(*inputs), encoder(*inputs, valid=torch.full((3,), 300)))


@every
@every_front_end
def test_bfloat16_by_autocast_and_by_weights(name: str, front_end: str) -> None:
    encoder, (signal, positions, mask, modality) = build(name, front_end=front_end), batch()
    exact = encoder(signal, positions, mask, modality)
    with torch.autocast("cpu", torch.bfloat16):
        cast = encoder(signal, positions, mask, modality)
    low = encoder.bfloat16()(signal.bfloat16(), positions, mask, modality, valid=torch.tensor([300, 300, 200]))
    assert low.dtype is torch.bfloat16
    for tokens in (cast, low[:2]):
        near = torch.nn.functional.cosine_similarity(tokens.float().flatten(1), exact[: len(tokens)].flatten(1))
        assert near.min() > 0.98


@every
def test_weights_travel_and_a_seed_decides_them(name: str) -> None:
    one, same, other = build(name, seed=1), build(name, seed=1), build(name, seed=2)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), same.state_dict().values(), strict=True))
    inputs = batch()
    assert not torch.allclose(one(*inputs), other(*inputs))
    other.load_state_dict(one.state_dict())
    assert torch.equal(one(*inputs), other(*inputs))


@every
def test_training_and_evaluation_agree(name: str) -> None:
    encoder, inputs = build(name), batch()
    assert torch.equal(encoder.train()(*inputs), encoder.eval()(*inputs))


@every
@pytest.mark.parametrize("sfreq", [0, -100, float("nan"), float("inf")])
def test_a_rate_is_positive(name: str, sfreq: float) -> None:
    with pytest.raises(ValueError, match="sfreq: expected a positive rate in Hz"):
        build(name, sfreq=sfreq)


@every
def test_a_width_is_a_multiple(name: str) -> None:
    with pytest.raises(ValueError, match=r"width: expected a multiple of \d+, got 12"):
        build(name, width=12)


def test_a_wrong_name_is_answered_with_the_near_one() -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'resnet1d18'"):
        build_any("resnet1d19", sfreq=100)
    with pytest.raises(UnknownNameError, match="no front end named 'leads'"):
        build_any("resnet1d18", sfreq=100, front_end="leads")
    with pytest.raises(TypeError, match="widht"):
        build_any("resnet1d18", sfreq=100, widht=8)
    with pytest.raises(TypeError, match="sfreq"):
        build_any("resnet1d18")
