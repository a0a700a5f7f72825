"""Hidden patches can be learnt: of a few windows, whose gaps stay where they are, they are soon known."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from pretrain.data.pretraining import PretrainingData
from pretrain.objectives.masked_prediction import masked_error
from pretrain.recipe import load
from pretrain.training.session import build_learner

SMALL = [
    *("data.sampling_rate=100", "data.window_seconds=4", "optimiser.batch_size=4"),
    *("model.signal.options.width=64", "model.signal.options.depth=1", "model.masked.width=64", "model.masked.depth=1"),
]
ALONE = ["objectives.graph_smoothed.weight=0", "ontology=none", "model.concept=null", "model.physiology=null"]
ALONE += ["objectives.patch_physiology.weight=0", "objectives.rhythm_physiology.weight=0"]
CASES = {
    "st_mem": ["model.signal.encoder=lead_transformer_tiny", "model.masked.strategy.ratio=0.5"],
    "mar_ecg": ALONE,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_error_of_hidden_patches_falls_far_below_that_of_their_mean(name: str, beating: Path) -> None:
    recipe = load(name, [*SMALL, *CASES[name]])
    data = PretrainingData([beating], recipe, None, None)
    torch.manual_seed(0)
    model = build_learner(recipe, data, None, None).model.train()
    batch = dict(data.train_parts(0)) | {"key": torch.tensor(3)}
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.0)
    # Towards small steps: whether a spike of the loss meets the last one is chance.
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, total_iters=500)
    for _ in range(500):
        found = model(batch)
        error = masked_error(found["predicted"], found["patches"], found["masked"])
        optimiser.zero_grad()
        error.backward()
        optimiser.step()
        schedule.step()
    # Patches are normalised one by one: their mean is 0, and their spread what a guess of it misses.
    spread = found["patches"][found["masked"]].square().mean()
    assert 0.9 < spread <= 1.0
    assert error < 0.7 * spread
