"""A pretraining inside a fold of a protocol: from chosen records to a model in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from pretrain.data.examples import Examples
from pretrain.models.foundation import FoundationModel
from pretrain.specs.recipe import Recipe
from pretrain.training.rng import rng_state, set_rng_state
from pretrain.training.session import train


def pretrain_on(
    recipe: Recipe,
    paths: Sequence[Path],
    examples: Examples,
    *,
    folder: Path | None = None,
    progress: bool = False,
) -> FoundationModel:
    """Pretrain on the records of a fold, whatever roles the stores gave them.

    The model depends on recipe, stores and examples alone; the random state of the caller is left as it was. A
    leave-one-subject-out experiment calls this for every fold: stores are opened by their tables, their digests are not
    compared, and there is one checkpoint, at the end.

    Args:
        recipe: What to do.
        paths: Stores.
        examples: Of each store, the records that train and those that are watched. Nobody may be in both.
        folder: For the log and the checkpoint; a temporary one that is removed if None.
        progress: Whether to show a bar.

    Returns:
        The model, on the CPU, in evaluation mode. It knows whom it has seen (`training_set`).

    Raises:
        TrainingError: If examples, stores and recipe do not fit together, or a loss is not finite.
    """
    once = recipe.training.model_copy(update={"checkpoint_every": recipe.optimiser.steps})
    recipe = recipe.model_copy(update={"training": once})
    tensors, numbers = rng_state()
    try:
        with tempfile.TemporaryDirectory(prefix="biosig-pretrain-") as temporary:
            out = folder or Path(temporary) / "run"
            return train(recipe, paths, out, console=Console(stderr=True, quiet=not progress), examples=examples).model
    finally:
        set_rng_state(tensors, numbers)
