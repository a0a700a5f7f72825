"""Models that nobody has trained, made in a moment: enough to be saved, sent and exported."""

from __future__ import annotations

import torch

from biosig.preprocess import Preprocessing, Resample
from pretrain.models.config import ModelConfig
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.recipe import parse
from tests.pretrain.tiny import TINY


def untrained(*overrides: str, rate: float = 100.0) -> FoundationModel:
    """The signal tower of the tiny recipe, with fields of the recipe changed."""
    recipe = parse(TINY, overrides=["model.text=null", "model.concept=null", *overrides])
    intake = Intake.of(recipe, Preprocessing(steps=(Resample(rate=rate),)))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return FoundationModel(ModelConfig(architecture=recipe.model, intake=intake)).eval()
