"""MAR-ECG as its recipe says: it learns, each part can be switched off, and real recordings go through it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from rich.console import Console

import ontology
from biosig.preprocess import Preprocessing, Resample
from biosig.store import Store, prepare
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import RecipeError
from pretrain.models.foundation import FoundationModel
from pretrain.recipe import load
from pretrain.specs.recipe import Recipe
from pretrain.training.learner import Learner
from pretrain.training.session import build_learner, pretrain

SMALL = [
    "data.sampling_rate=100",
    "data.window_seconds=4",
    "model.signal.options.width=64",
    "model.signal.options.depth=2",
    "model.masked.width=64",
    "model.masked.depth=1",
    "optimiser.batch_size=16",
    "optimiser.warmup_steps=2",
    "training.precision=float32",
    "training.device=cpu",
]
PARTS = ("masked_prediction", "graph_smoothed", "patch_physiology", "rhythm_physiology")


def started(recipe: Recipe, store: Path) -> tuple[Learner, PretrainingData]:
    graph = ontology.cardiac()
    data = PretrainingData([store], recipe, graph, None)
    torch.manual_seed(0)
    return build_learner(recipe, data, graph, None), data


def test_every_part_can_be_switched_off(beating: Path) -> None:
    learner, data = started(load("mar_ecg", SMALL), beating)
    torch.manual_seed(3)
    whole = learner(data.train_batch(0))
    assert {name.split("/")[0] for name in whole} == {"loss", *PARTS}
    for part in PARTS:
        without, _ = started(load("mar_ecg", [*SMALL, f"objectives.{part}.weight=0"]), beating)
        torch.manual_seed(3)
        losses = without(data.train_batch(0))
        assert {name.split("/")[0] for name in losses} == {"loss", *PARTS} - {part}
        weights = learner.weights
        rest = sum(float(whole[name].detach()) * weights[name.split("/")[0]] for name in losses if name != "loss")
        assert float(losses["loss"].detach()) == pytest.approx(rest, rel=1e-5), "the others are as they were"


def test_a_part_switched_off_can_take_its_tower_along(beating: Path, store: Path) -> None:
    off = ["objectives.patch_physiology.weight=0", "objectives.rhythm_physiology.weight=0", "model.physiology=null"]
    learner, data = started(load("mar_ecg", [*SMALL, *off]), store)
    assert learner.model.physiology is None, "and the store needs no beats"
    assert set(learner(data.train_batch(0))) >= {"masked_prediction/patch", "graph_smoothed/concept"}
    learner, data = started(
        load("mar_ecg", [*SMALL, "objectives.masked_prediction.weight=0", "model.masked=null"]), beating
    )
    assert learner.model.masked is None
    assert not any("masked" in name for name in learner(data.train_batch(0)))
    learner, data = started(
        load("mar_ecg", [*SMALL, "objectives.rhythm_physiology.weight=0", "model.physiology.heads=[patch]"]), beating
    )
    assert learner.model.physiology is not None
    assert learner.model.physiology.rhythm is None


def test_a_tower_that_is_missing_is_named(beating: Path, tmp_path: Path) -> None:
    recipe = load("mar_ecg", [*SMALL, "model.masked=null"])
    with pytest.raises(RecipeError, match="masked_prediction: expected features of a predicted tower"):
        pretrain(recipe, [beating], tmp_path / "run", console=Console(quiet=True))


def test_nothing_is_left_when_all_is_switched_off() -> None:
    with pytest.raises(RecipeError, match="objectives: expected at least one objective of a weight above 0"):
        load("mar_ecg", [f"objectives.{part}.weight=0" for part in PARTS])
    with pytest.raises(RecipeError, match=r"objectives\.0\.weight: .*got -1"):
        load("mar_ecg", ["objectives.masked_prediction.weight=-1"])


@pytest.mark.real
def test_real_recordings_are_prepared_with_beats_and_train(biosig_data: Path, tmp_path: Path) -> None:
    steps = Preprocessing(steps=(Resample(rate=250.0),))
    source = biosig_data / "ecg" / "cinc2021"
    prepare(
        "cinc2021",
        source,
        tmp_path / "store",
        preprocessing=steps,
        limit=40,
        statistics=True,
        workers=0,
        progress=False,
    )
    store = Store(tmp_path / "store")
    counts = [len(store.beats(row).peaks) for row in range(len(store))]
    assert sum(map(bool, counts)) >= 36, "nearly all of them beat"
    rates = store.records["heart_rate"].dropna()
    assert ((rates > 25) & (rates < 250)).all()
    small = [
        "model.signal.options.width=64",
        "model.signal.options.depth=1",
        "optimiser.batch_size=8",
        "optimiser.steps=3",
    ]
    recipe = load("mar_ecg", [*small, "optimiser.warmup_steps=1", "training.precision=float32"])
    summary = pretrain(recipe, [tmp_path / "store"], tmp_path / "run", console=Console(quiet=True))
    assert {name.split("/")[0] for name in summary.outcome.losses} == {"loss", *PARTS}
    assert all(math.isfinite(value) for value in summary.outcome.losses.values())
    assert FoundationModel.from_pretrained(summary.model).masked is not None
