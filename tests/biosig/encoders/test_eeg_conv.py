"""The network for EEG: one set of weights for every cap, tokens at the rate asked for, and how far a token sees."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from biosig import encoders
from biosig.channels import positions
from biosig.recording import Modality
from biosig.store import MODALITIES

CAPS = {
    14: "AF3 F7 F3 FC5 T7 P7 O1 O2 P8 T8 FC6 F4 F8 AF4",
    19: "Fp1 Fp2 F7 F3 Fz F4 F8 T3 C3 Cz C4 T4 T5 P3 Pz P4 T6 O1 O2",
    32: "Fp1 AF3 F3 F7 FC5 FC1 C3 T7 CP5 CP1 P3 P7 PO3 O1 Oz Pz Fp2 AF4 Fz F4 F8 FC6 FC2 Cz C4 T8 CP6 CP2 P4 P8 PO4 O2",
    62: "Fp1 Fpz Fp2 AF3 AF4 F7 F5 F3 F1 Fz F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCz FC2 FC4 FC6 FT8 T7 C5 C3 C1 Cz C2 C4 C6 T8"
    " TP7 CP5 CP3 CP1 CPz CP2 CP4 CP6 TP8 P7 P5 P3 P1 Pz P2 P4 P6 P8 PO7 PO5 PO3 POz PO4 PO6 PO8 O1 Oz O2 CB1 CB2",
}
SFREQ = 128.0


def build(seed: int = 0, **options: float) -> encoders.Encoder:
    torch.manual_seed(seed)
    return encoders.build("eeg_conv", **{"sfreq": SFREQ, **options}).eval()


def scalp(cap: int, fields: int = 3) -> tuple[Tensor, ...]:
    """The same few sources, seen by the electrodes of a cap."""
    names = CAPS[cap].split()
    assert len(names) == cap
    where = torch.from_numpy(np.nan_to_num(positions(names, Modality.EEG)))
    signals = []
    for field in range(fields):
        generator = torch.Generator().manual_seed(field)
        sources = functional.normalize(torch.randn(4, 3, generator=generator), dim=1)
        signals.append(torch.exp(3 * (where @ sources.T - 1)) @ torch.randn(4, 640, generator=generator))
    modality = torch.full((fields, cap), MODALITIES.index(Modality.EEG))
    return torch.stack(signals), where.expand(fields, -1, -1), torch.ones(fields, cap, dtype=torch.bool), modality


@torch.no_grad()
def centred(encoder: encoders.Encoder, cap: int) -> Tensor:
    tokens = encoder(*scalp(cap))
    return functional.normalize(tokens - tokens.mean(1, keepdim=True), dim=2)


@pytest.mark.parametrize("seed", [0, 1])
def test_the_same_weights_see_the_same_sources_through_every_cap(seed: int) -> None:
    encoder = build(seed)
    reference = centred(encoder, 62)
    for cap in (14, 19, 32):
        alike = torch.einsum("atd,btd->abt", centred(encoder, cap), reference).mean(2)
        own = alike.diagonal()
        others = alike[~torch.eye(3, dtype=torch.bool)]
        assert own.min() > 0.6, cap
        assert others.max() < 0.3, cap


@pytest.mark.parametrize(
    ("sfreq", "rate", "hop"), [(128, 16, 8), (128, 8, 16), (250, 16, 16), (200, 16, 12), (500, 10, 48)]
)
def test_tokens_come_at_the_rate_asked_for(sfreq: float, rate: float, hop: int) -> None:
    encoder = build(sfreq=sfreq, token_rate=rate)
    assert encoder.hop == hop
    assert sfreq / hop == pytest.approx(rate, rel=0.06)
    assert encoder(torch.zeros(1, 14, 5 * int(sfreq)), *scalp(14, 1)[1:]).shape[1] == -(-5 * int(sfreq) // hop)


def test_a_token_sees_so_far_and_no_farther() -> None:
    # Without the norms, whose statistics are of the whole record.
    encoder = build()
    backbone = encoder.backbone
    for norm in [module for module in backbone.modules() if isinstance(module, torch.nn.GroupNorm)]:
        norm.forward = lambda x, there=None: x  # type: ignore[method-assign, assignment]
    signal = torch.randn(1, 16, 1280, generator=torch.Generator().manual_seed(0)).requires_grad_()
    tokens = backbone(signal)
    (gradient,) = torch.autograd.grad(tokens[0, 80].sum(), signal)
    seen = gradient[0].abs().sum(0).nonzero().flatten() - 80 * encoder.hop
    # 1 + 3 + 6 + 12 tokens to either side, the frames of the last one, and half a filter.
    assert seen.min() == -22 * 8 - 16
    assert seen.max() == 22 * 8 + 4 + 16


def test_options_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="token_rate: expected tokens a second up to 32, got 40"):
        build(token_rate=40)
    with pytest.raises(ValueError, match="token_rate: expected tokens a second up to 32, got 0"):
        build(token_rate=0)
    with pytest.raises(ValueError, match="dilations: expected whole numbers from 1, got 1, 0"):
        encoders.build("eeg_conv", sfreq=SFREQ, dilations=[1, 0])
