"""Models that nobody has trained, made in a moment: enough to be saved, sent and exported."""

from __future__ import annotations

import torch

from biosig.preprocess import Preprocessing, Resample
from pretrain.models.config import ModelConfig, Provenance, StoreUse
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.models.leakage import TrainingSet
from pretrain.recipe import parse
from tests.pretrain.tiny import TINY


def untrained(*overrides: str, rate: float = 100.0) -> FoundationModel:
    """The signal tower of the tiny recipe, with fields of the recipe changed."""
    recipe = parse(TINY, overrides=["model.text=null", "model.concept=null", *overrides])
    intake = Intake.of(recipe, Preprocessing(steps=(Resample(rate=rate),)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FoundationModel(ModelConfig(architecture=recipe.model, intake=intake)).eval()


def trained() -> FoundationModel:
    """As after a training on one person of a corpus, though its weights are random."""
    model = untrained("model.signal={encoder: eeg_conv, options: {width: 8}}")
    model.training_set = TrainingSet(frozenset({"0123456789abcdef"}), frozenset({"fedcba9876543210"}))
    use = StoreUse(
        corpus="ludb",
        sha256="a" * 64,
        folds={"train": (1,)},
        records={"train": 3, "validation": 1},
        subjects={"train": 1, "validation": 1},
    )
    origin = Provenance(
        recipe={"name": "tiny", "title": "A test", "objectives": [{"name": "signal_language"}]},
        stores=(use,),
        training_set=model.training_set.sha256,
        versions={"biosig": "0.1.0"},
        precision="float32",
        steps=3,
    )
    model.config = model.config.model_copy(update={"provenance": origin})
    return model
