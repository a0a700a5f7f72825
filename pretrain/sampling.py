"""What makes the batches of an epoch: windows in any order, adjacent ones, or subjects at the same moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Int64
from torch import Tensor

from biosig.store import Store, Windows
from pretrain.errors import TrainingError
from pretrain.moments import Moments
from pretrain.order import whole_batches
from pretrain.segments import Segments
from pretrain.specs import Crop, MomentSampler, Recipe, SegmentSampler

#: The moment of a window that stands for none.
NO_MOMENT = -1

Rows = Sequence[Int64[np.ndarray, " row"]]


class Sampler(Protocol):
    """Batches of an epoch. There is no state: batch `place` is a function of seed, epoch and place."""

    def __len__(self) -> int:
        """How many windows the records hold side by side."""

    @property
    def size(self) -> int:
        """Windows in every batch."""

    @property
    def batches_per_epoch(self) -> int:
        """How many batches an epoch has."""

    @property
    def note(self) -> str:
        """What is left out, in one line; empty where nothing is."""

    def batch(self, place: int, *, seed: int, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        """What `biosig.store.collate` gives, and what the sampler knows of a window. Only a part of it is read.

        The same windows are the batch whichever part of it is asked for.
        """


class Uniform:
    """Every window once an epoch, in any order; what is left over of an epoch is not used in it.

    Args:
        windows: What to draw from.
        size: Windows in a batch.
    """

    note = ""

    def __init__(self, windows: Windows, size: int) -> None:
        self.windows, self.size = windows, size

    def __len__(self) -> int:
        return len(self.windows)

    @property
    def batches_per_epoch(self) -> int:
        """Whole batches."""
        return len(self.windows) // self.size

    def batch(self, place: int, *, seed: int, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        """See `Sampler.batch`."""
        items = whole_batches(len(self.windows), self.size, seed, epoch)[place][part]
        return self.windows.batch(items, seed=seed, epoch=epoch)


def training_sampler(recipe: Recipe, stores: Sequence[Store], rows: Rows) -> Sampler:
    """The sampler that a recipe asks for.

    Raises:
        TrainingError: If no stimulus was met by enough subjects, they do not fill a batch, or no record is long enough.
    """
    spec, size = recipe.data, recipe.optimiser.batch_size
    if isinstance(spec.sampler, MomentSampler):
        return _moments(recipe, spec.sampler, stores, rows, fewer=False)
    if isinstance(spec.sampler, SegmentSampler):
        return _segments(recipe, spec.sampler, stores, rows, fewer=False)
    windows = Windows(stores, rows, seconds=spec.window_seconds, train=spec.crop is Crop.RANDOM)
    return Uniform(windows, size)


def validation_sampler(recipe: Recipe, stores: Sequence[Store], rows: Rows) -> Sampler | None:
    """The same for records that are watched, with smaller batches where there are few; None if a contrast needs more.

    Moments need subjects who met the same ones: one validation subject alone has nobody to be compared with.
    """
    spec, size = recipe.data, recipe.optimiser.batch_size
    if not any(map(len, rows)):
        return None
    try:
        if isinstance(spec.sampler, MomentSampler):
            return _moments(recipe, spec.sampler, stores, rows, fewer=True)
        if isinstance(spec.sampler, SegmentSampler):
            return _segments(recipe, spec.sampler, stores, rows, fewer=True)
    except TrainingError:
        return None
    windows = Windows(stores, rows, seconds=spec.window_seconds, train=False)
    return Uniform(windows, min(size, len(windows))) if len(windows) > 1 else None


def _moments(recipe: Recipe, sampler: MomentSampler, stores: Sequence[Store], rows: Rows, *, fewer: bool) -> Moments:
    return Moments(
        stores,
        rows,
        seconds=recipe.data.window_seconds,
        moments=recipe.optimiser.batch_size // sampler.subjects_per_moment,
        subjects=sampler.subjects_per_moment,
        apart=sampler.apart_seconds,
        fewer=fewer,
    )


def _segments(recipe: Recipe, sampler: SegmentSampler, stores: Sequence[Store], rows: Rows, *, fewer: bool) -> Segments:
    return Segments(
        stores,
        rows,
        seconds=recipe.data.window_seconds,
        size=recipe.optimiser.batch_size,
        segments=sampler.segments,
        train=not fewer and recipe.data.crop is Crop.RANDOM,
        fewer=fewer,
    )
