"""Which validation is the best, what a checkpoint remembers, and which weights become the model."""

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console
from safetensors.torch import load_file
from torch.testing import assert_close

from pretrain.errors import TrainingError
from pretrain.models.foundation import FoundationModel
from pretrain.recipe import Recipe
from pretrain.specs.execution import Better, Watch
from pretrain.training.history import Best, History, best_of
from pretrain.training.session import pretrain


@pytest.mark.parametrize(
    ("better", "values", "expected"),
    [
        (Better.LOWER, [3.0, 2.0, 2.0, 4.0], Best(1, 2.0)),
        (Better.HIGHER, [3.0, 2.0, 4.0, 4.0], Best(2, 4.0)),
        (Better.LOWER, [math.nan, 5.0, -math.inf, math.nan], Best(1, 5.0)),
        (Better.HIGHER, [math.inf, math.nan], None),
    ],
)
def test_the_best_is_the_first_of_the_best_that_are_finite(
    better: Better, values: list[float], expected: Best | None
) -> None:
    best, watch = None, Watch(metric="loss", better=better)
    for step, value in enumerate(values):
        best = best_of(best, step, {"loss": value, "other": 0.0}, watch)
    assert best == expected


def test_a_number_that_no_validation_has_is_named() -> None:
    with pytest.raises(TrainingError, match=r"training\.watch\.metric: expected one of a/loss, loss, got 'b/loss'"):
        best_of(None, 1, {"loss": 1.0, "a/loss": 1.0}, Watch(metric="b/loss"))


def test_a_history_comes_back_from_json_to_the_bit() -> None:
    history = History({"loss": 0.1 + 0.2}, {"loss": 1 / 3}, Best(7, 2 / 3), {"loss": (0.7, 3.0)})
    assert History.of_json(json.loads(json.dumps(history.to_json(), allow_nan=False))) == history
    assert History.of_json(History().to_json()) == History()
    broken = History.of_json(json.loads(json.dumps(History({}, {"loss": math.nan}).to_json(), allow_nan=False)))
    assert math.isnan(broken.validation["loss"])


def test_the_model_is_that_of_the_best_validation_if_asked(
    tiny: Callable[..., Recipe], store: Path, tmp_path: Path
) -> None:
    def run(name: str, *overrides: str, resume: bool = False) -> Path:
        recipe = tiny("optimiser.steps=6", "training.validate_every=2", "training.watch.better=higher", *overrides)
        return pretrain(recipe, [store], tmp_path / name, console=Console(quiet=True), resume=resume).model

    best = run("run", "training.final=best")
    checkpoints = best.parent / "checkpoints"
    assert [path.name for path in sorted(checkpoints.iterdir())] == ["step-00000002", "step-00000004", "step-00000006"]
    weights = load_file(checkpoints / "step-00000002" / "weights.safetensors")
    found = load_file(best / "model.safetensors")
    assert_close(found, {name: weights[f"model.{name}"] for name in found}, rtol=0, atol=0)
    loaded = FoundationModel.from_pretrained(best)
    assert loaded.config.provenance is not None
    assert loaded.config.provenance.steps == 2
    with pytest.raises(TrainingError, match=r"cannot resume with another recipe: training\.final was 'best'"):
        run("run", resume=True)


def test_the_best_needs_something_to_go_by(tiny: Callable[..., Recipe], store: Path, tmp_path: Path) -> None:
    recipe = tiny("training.watch.metric=nothing/loss", "optimiser.steps=2")
    with pytest.raises(TrainingError, match=r"training\.watch\.metric: expected one of .*, got 'nothing/loss'"):
        pretrain(recipe, [store], tmp_path / "run", console=Console(quiet=True))
