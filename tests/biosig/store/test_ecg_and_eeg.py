"""ECG and EEG recorded together: one store, one batch, one encoder that hears both."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from biosig.encoders import Encoder, build, pool
from biosig.preprocess import Preprocessing, Resample
from biosig.recording import Modality
from biosig.store import MODALITIES, Store, batch, trials
from biosig.store.writer import prepare
from tests.biosig.corpora.synthetic_eeg import eegmat

RATE = 128.0
LENGTH = 512
ECG, EEG = MODALITIES.index(Modality.ECG), MODALITIES.index(Modality.EEG)


def stored(source: Path, tmp_path: Path) -> Store:
    steps = Preprocessing(steps=(Resample(rate=RATE),))
    prepare("eegmat", source, tmp_path / "eegmat.store", preprocessing=steps, workers=0, progress=False)
    return Store(tmp_path / "eegmat.store")


def windows(store: Store, count: int) -> dict[str, Tensor]:
    """The first windows of as many records."""
    return batch(store, range(count), [0] * count, LENGTH)


def encoder() -> Encoder:
    torch.manual_seed(0)
    return build("resnet1d18", sfreq=RATE, front_end="montage_free", n_chans=12, width=8).eval()


def encoded(model: Encoder, inputs: dict[str, Tensor], mask: Tensor | None = None) -> Tensor:
    """One vector a window."""
    chosen = inputs["mask"] if mask is None else mask
    tokens = model(inputs["signal"], inputs["position"], chosen, inputs["modality"], inputs["valid"])
    return pool(tokens, model.token_mask(inputs["valid"], inputs["signal"].shape[-1]))


def check_both_are_heard(inputs: dict[str, Tensor]) -> None:
    """Each modality changes what comes out, by its samples and by being there at all."""
    model, mask = encoder(), inputs["mask"]
    kinds = {kind: mask & (inputs["modality"] == kind) for kind in (ECG, EEG)}
    assert kinds[ECG].sum(dim=1).tolist() == [1] * len(mask)
    assert kinds[EEG].sum(dim=1).tolist() == [20] * len(mask)
    whole = encoded(model, inputs)
    assert torch.isfinite(whole).all()
    for kind in (ECG, EEG):
        other = {**inputs, "signal": torch.where(kinds[kind][..., None], -inputs["signal"], inputs["signal"])}
        assert ((encoded(model, other) - whole).abs().amax(dim=1) > 1e-4).all(), MODALITIES[kind]
        # What is masked has no influence, whatever it holds; what is not, has.
        without = encoded(model, inputs, mask & ~kinds[kind])
        assert ((without - whole).abs().amax(dim=1) > 1e-4).all(), MODALITIES[kind]
        torch.testing.assert_close(encoded(model, other, mask & ~kinds[kind]), without)


def check_gradients_reach_both(inputs: dict[str, Tensor]) -> None:
    signal = inputs["signal"].clone().requires_grad_()
    encoded(encoder(), {**inputs, "signal": signal}).square().sum().backward()
    assert signal.grad is not None
    size = signal.grad.abs().sum(dim=-1)
    assert (size[inputs["mask"]] > 0).all()


def test_a_tiny_corpus_goes_through_one_store_and_one_encoder(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    eegmat(tmp_path / "source")
    inputs = windows(stored(tmp_path / "source", tmp_path), 3)
    assert inputs["signal"].shape == (3, 21, LENGTH)
    # Two seconds were written: the rest is padding.
    assert inputs["valid"].tolist() == [256] * 3
    check_both_are_heard(inputs)
    check_gradients_reach_both(inputs)


@pytest.mark.real
def test_the_real_corpus_goes_through_one_store_and_one_encoder(biosig_data: Path, tmp_path: Path) -> None:
    store = stored(biosig_data / "eeg" / "eegmat", tmp_path)
    assert len(store) == 16
    inputs = windows(store, 4)
    # A millivolt of ECG and 50 microvolts of EEG are both of order 1 to a network.
    for kind in (ECG, EEG):
        spread = inputs["signal"][inputs["modality"] == kind].std(dim=-1)
        assert ((spread > 0.02) & (spread < 2)).all()
    check_both_are_heard(inputs)
    check_gradients_reach_both(inputs)
    # Of the stimulus nothing is missing, and it ends before the filling.
    table = trials(store)
    assert set(table["stimulus"]) == {"rest", "arithmetic"}
    assert (table["samples"] < store.samples[table["row"]]).all()
    assert table["samples"].tolist() == [23180, 7812] * 8
