"""What makes the batches of an epoch: windows in any order, adjacent ones, or subjects at the same moments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from jaxtyping import Int64
from torch import Tensor

from biosig.store import Store, Windows
from pretrain.errors import TrainingError
from pretrain.sampling.groups import rows_of_groups
from pretrain.sampling.mixing import Mixed
from pretrain.sampling.moments import Moments
from pretrain.sampling.order import whole_batches
from pretrain.sampling.segments import Segments
from pretrain.sampling.tempered import Tempered
from pretrain.specs.recipe import Crop, Recipe
from pretrain.specs.samplers import Group, MixedSampler, MomentSampler, PlainSampler, SegmentSampler, UniformSampler

#: The name of the only group, where records are not grouped.
WHOLE = ""
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
        TrainingError: If no stimulus was met by enough subjects, they do not fill a batch, no record is long enough, or
            a group has no records.
    """
    data = recipe.data
    if not isinstance(data.sampler, MixedSampler):
        return _plain(recipe, data.sampler, data.window_seconds, stores, rows, watched=False)
    groups = {group.name: group for group in data.sampler.groups}
    found = rows_of_groups(data.sampler.groups, stores, rows, data.modalities)
    if empty := next((name for name, those in found.items() if not any(map(len, those))), None):
        raise TrainingError(
            f"data.sampler.groups.{empty}: none of {sum(map(len, rows))} records that train belongs to it; "
            "leave it out of the recipe, or give a store for it"
        )
    samplers = {
        name: _plain(recipe, groups[name].sampler, _seconds(recipe, groups[name]), stores, those, watched=False)
        for name, those in found.items()
    }
    left_out = sum(map(len, rows)) - sum(len(some) for those in found.values() for some in those)
    return Mixed(samplers, data.sampler.temperature, left_out=left_out)


def validation_samplers(recipe: Recipe, stores: Sequence[Store], rows: Rows) -> dict[str, Sampler]:
    """The same for records that are watched, one for each group, with smaller batches where there are few.

    Without groups there is one of the name `WHOLE`. A group is missing if a contrast needs more of it: moments need
    subjects who met the same ones, and one subject alone has nobody to be compared with. Stores are not mixed by
    temperature: every window counts once.
    """
    data = recipe.data
    asked: dict[str, tuple[PlainSampler, float, Rows]]
    if isinstance(data.sampler, MixedSampler):
        found = rows_of_groups(data.sampler.groups, stores, rows, data.modalities)
        asked = {
            group.name: (group.sampler, _seconds(recipe, group), found[group.name]) for group in data.sampler.groups
        }
    else:
        asked = {WHOLE: (data.sampler, data.window_seconds, rows)}
    samplers = {}
    for name, (spec, seconds, those) in asked.items():
        try:
            sampler = _plain(recipe, spec, seconds, stores, those, watched=True) if any(map(len, those)) else None
        except TrainingError:
            continue
        if sampler is not None and sampler.size > 1:
            samplers[name] = sampler
    return samplers


def lacks(sampler: Sampler) -> str:
    """Why records that validate make no batch of a group, to go after their mention."""
    match sampler:
        case Moments(subjects=subjects):
            return f"are not of {subjects} subjects who met the same stimuli"
        case Segments(segments=segments):
            return f"are all shorter than {segments} windows"
        case _:
            return "do not hold the two windows that a contrast needs"


def _seconds(recipe: Recipe, group: Group) -> float:
    return group.window_seconds or recipe.data.window_seconds


def _plain(
    recipe: Recipe, spec: PlainSampler, seconds: float, stores: Sequence[Store], rows: Rows, *, watched: bool
) -> Sampler:
    """Of one group. What is watched stands side by side, in smaller batches if need be."""
    size, train = recipe.optimiser.batch_size, not watched and recipe.data.crop is Crop.RANDOM
    match spec:
        case MomentSampler():
            subjects, apart = spec.subjects_per_moment, spec.apart_seconds
            return Moments(
                stores,
                rows,
                seconds=seconds,
                moments=size // subjects,
                subjects=subjects,
                apart=apart,
                fewer=watched,
            )
        case SegmentSampler():
            return Segments(
                stores, rows, seconds=seconds, size=size, segments=spec.segments, train=train, fewer=watched
            )
        case UniformSampler():
            windows = Windows(stores, rows, seconds=seconds, train=train)
            if watched:
                return Uniform(windows, min(size, len(windows)))
            return Tempered(windows, size, spec.temperature) if spec.temperature > 1 else Uniform(windows, size)
