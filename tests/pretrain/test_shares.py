"""What processes read of a batch is the batch, whatever their number."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

import ontology
from biosig.preprocess import Preprocessing
from biosig.simulate import Experiment, write_experiment
from biosig.store import prepare
from pretrain.data.pretraining import PretrainingData
from pretrain.parallel.distributed import Processes
from pretrain.recipe import Recipe, parse
from pretrain.sampling.samplers import WHOLE

EVERY = "data.augment=[{kind: gain}, {kind: noise}, {kind: lead_mask, probability: 0.5}]"

EEG = """
name: eeg
title: A test
ontology: none
data: {sampling_rate: 250, window_seconds: 2, modalities: [eeg], sampler: {kind: moments}}
model: {dim: 8, signal: {encoder: eeg_conv, options: {width: 8}}, token: {}}
objectives: [{name: temporal_asynchronous}]
optimiser: {steps: 2, batch_size: 10}
"""


def data_of(recipe: Recipe, store: Path) -> PretrainingData:
    return PretrainingData([store], recipe, ontology.cardiac(), None)


@pytest.mark.parametrize("count", [2, 3, 13])
def test_shares_of_a_batch_are_the_batch(tiny: Callable[..., Recipe], store: Path, count: int) -> None:
    data = data_of(tiny(EVERY, "optimiser.batch_size=13"), store)
    for step in (0, data.batches_per_epoch, 7):
        whole = data.train_batch(step)
        shares = [data.train_batch(step, Processes(rank, count)) for rank in range(count)]
        assert max(len(share["row"]) for share in shares) == -(-13 // count)
        for name, value in whole.items():
            assert torch.equal(torch.cat([share[name] for share in shares]), value), name


def test_shares_of_validation_are_the_whole(tiny: Callable[..., Recipe], store: Path) -> None:
    data = data_of(tiny("optimiser.batch_size=5"), store)
    assert data.validation[WHOLE].size == 5
    whole = list(data.validation_batches())
    shares = [list(data.validation_batches(Processes(rank, 2))) for rank in range(2)]
    assert len(whole) == len(shares[0]) == len(shares[1]) > 0
    for number, batch in enumerate(whole):
        assert_close(torch.cat([share[number]["signal"] for share in shares]), batch["signal"], rtol=0, atol=0)


def test_augmentation_of_a_record_does_not_depend_on_its_neighbours(tiny: Callable[..., Recipe], store: Path) -> None:
    data = data_of(tiny(EVERY), store)
    plain = data_of(tiny("data.augment=[]"), store).train_batch(0)
    changed = data.train_batch(0)
    assert not (changed["signal"] == plain["signal"]).all(dim=2).any(), "everything has noise"
    gains = (changed["signal"] / plain["signal"]).nanmedian(2).values
    assert len(torch.unique((100 * gains[:, 0]).round())) > 5, "each record has a gain of its own"
    assert (changed["mask"].sum(1) < plain["mask"].sum(1)).float().mean() > 0.8


def test_shares_of_moments_are_the_batch(tmp_path: Path) -> None:
    experiment = Experiment(subjects=4, stimuli=2, duration=15.0, electrodes=("Fz", "Cz", "Pz", "Oz"))
    write_experiment(tmp_path / "files", experiment, workers=1, progress=False)
    prepare(
        "simulated-eeg",
        tmp_path / "files",
        tmp_path / "store",
        preprocessing=Preprocessing(),
        workers=0,
        progress=False,
    )
    data = PretrainingData([tmp_path / "store"], parse(EEG), None, None)
    whole = data.train_batch(1)
    assert whole["moment"].tolist() == whole["moment"].view(-1, 2)[:, :1].repeat(1, 2).flatten().tolist()
    for count in (2, 3):
        shares = [data.train_batch(1, Processes(rank, count)) for rank in range(count)]
        for name, value in whole.items():
            assert torch.equal(torch.cat([share[name] for share in shares]), value), name
