"""Encoders for the rows: of random weights, or pretrained without labels on the training side of a fold."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Int64

from biosig.errors import BiosigError
from biosig.recording import Modality
from biosig.store import Store
from finetune.emotion.bench import Bench, Work
from pretrain import recipe as recipes
from pretrain.data.examples import Examples
from pretrain.models.intake import Intake
from pretrain.models.towers import SignalTower
from pretrain.sampling.samplers import WHOLE, validation_samplers
from pretrain.specs.recipe import Recipe

#: The recipe whose architecture all encoders share.
ARCHITECTURE = "temporal_asynchronous_eeg"


@lru_cache(maxsize=16)
def recipe_for(name: str, rate: float, steps: int | None, seed: int) -> Recipe:
    """A shipped recipe at the rate of the store, with the steps and the seed that are wanted."""
    overrides = [f"data.sampling_rate={rate:g}", f"seed={seed}"]
    if steps is not None:
        warmup = min(recipes.load(name).optimiser.warmup_steps, steps // 10)
        overrides += [f"optimiser.steps={steps}", f"optimiser.warmup_steps={warmup}"]
    return recipes.load(name, overrides)


def training_rows(work: Work) -> Int64[np.ndarray, " row"]:
    """Records of which every labelled trial is on the training side.

    A record that also holds a trial of another side would show the encoder what it is tested on.

    Raises:
        BiosigError: If no record is left, naming one that is on two sides.
    """
    train = np.zeros(len(work.trials), bool)
    train[list(work.fold.train)] = True
    inside, outside = np.unique(work.trials.row[train]), np.unique(work.trials.row[~train])
    rows = np.setdiff1d(inside, outside)
    if not len(rows):
        mixed = work.bench.store.record(int(inside[0]))
        raise BiosigError(
            f"fold {work.fold.name}: record {mixed} holds trials of several sides, and so does every other: there is "
            "nothing to pretrain on; leave out the rows that pretrain"
        )
    return rows


def random_tower(work: Work) -> SignalTower:
    """The architecture of the pretrained encoders with random weights: the row that each of them must beat."""
    recipe = _recipe(work.bench, ARCHITECTURE, work.seed)
    store = work.bench.store
    intake = Intake(
        sampling_rate=store.sampling_rate,
        window_seconds=recipe.data.window_seconds,
        modalities=(Modality.EEG,),
        preprocessing=store.info.preprocessing,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(work.seed)
        return SignalTower(recipe.model.signal, recipe.model.dim, intake).eval()


def pretrained_tower(work: Work, name: str) -> SignalTower:
    """An encoder after a pretraining without labels on the records of the training side; frozen."""
    from pretrain.within import pretrain_on  # noqa: PLC0415 -- the rows that need it are few and slow

    rows = training_rows(work)
    examples = Examples(train=(rows,), validation=(np.zeros(0, dtype=np.int64),), duplicates=0)
    recipe = _filled(_recipe(work.bench, name, work.seed), work.bench.store, rows)
    model = pretrain_on(recipe, [work.bench.experiment.store], examples)
    return model.signal.eval().requires_grad_(requires_grad=False)


def _filled(recipe: Recipe, store: Store, rows: Int64[np.ndarray, " row"]) -> Recipe:
    """The recipe with a batch that so few stimuli can fill, where its own is too large for them."""
    sampler = validation_samplers(recipe, [store], [rows]).get(WHOLE)  # the one that takes what there is
    if sampler is None or sampler.size >= recipe.optimiser.batch_size:
        return recipe
    smaller = recipe.optimiser.model_copy(update={"batch_size": sampler.size})
    return recipe.model_copy(update={"optimiser": smaller})


def _recipe(bench: Bench, name: str, seed: int) -> Recipe:
    return recipe_for(name, bench.store.sampling_rate, bench.experiment.budget.pretrain_steps, seed)
