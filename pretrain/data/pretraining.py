"""Stores -> batches: signals with report vectors, labels and what is known, in an order fixed by seed and epoch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from biosig.preprocess import Preprocessing
from biosig.store import Store
from ontology.graph import ConceptGraph
from pretrain.augmentations import Strips, augment
from pretrain.data.examples import Examples
from pretrain.data.labels import Labels, Reports
from pretrain.data.parts import Parts
from pretrain.data.prefetch import prefetch
from pretrain.data.views import ALL_LEADS, shown
from pretrain.errors import TrainingError
from pretrain.models.intake import Intake
from pretrain.models.leakage import TrainingSet, check_subjects
from pretrain.models.text import ReportEncoder
from pretrain.parallel.distributed import ALONE, Processes
from pretrain.physiology.windows import WindowPhysiology
from pretrain.sampling.mixing import Mixed
from pretrain.sampling.samplers import NO_MOMENT, WHOLE, Sampler, lacks, training_sampler, validation_samplers
from pretrain.sampling.segments import NO_SEGMENT
from pretrain.specs.recipe import Recipe
from pretrain.specs.views import LeadViews

# Keep the numbers of augmentations apart from those that draw order and windows.
_AUGMENT, _VALIDATION_VIEWS = 2, 5
# Windows that tell what is typical.
_TYPICAL = 256
# Of a large store, the whole table would not fit in memory.
_LABELLED_BY = ("record", "corpus", "sub_corpus", "codes", "concepts", "report")


class PretrainingData:
    """Several stores as one set of training and one of validation windows.

    Stores are concatenated and sampled as the recipe says. Batch `n` of epoch `e` depends on `(seed, e, n)` and on
    nothing else.

    Args:
        paths: The stores.
        recipe: Rate, window, crop, sampler, augmentation, batch size, seed.
        graph: Labels are over its observed concepts; None makes none.
        encoder: The frozen report encoder; None without a text tower.
        examples: Which records train and validate; those of the roles of each store's split by default.
        progress: Whether to show the encoding of reports.

    Raises:
        TrainingError: If a store is given twice, rates or preprocessing differ, a subject is on both sides, too few
            windows train, or too few subjects met the same stimuli.
    """

    def __init__(
        self,
        paths: Sequence[Path],
        recipe: Recipe,
        graph: ConceptGraph | None,
        encoder: ReportEncoder | None,
        *,
        examples: Examples | None = None,
        progress: bool = False,
    ) -> None:
        self.recipe, self.spec = recipe, recipe.data
        self.stores = {str(path): Store(path) for path in paths}
        if not paths or len(self.stores) < len(paths):
            raise TrainingError("expected at least one store, and each of them once")
        self.intake = Intake.of(recipe, _common_preprocessing(self.stores, self.spec.sampling_rate))
        opened = list(self.stores.values())
        if examples is None:
            check_subjects(self.stores)
            self.examples = Examples.of(self.stores, self.spec.modalities)
        else:
            examples.check(self.stores, self.spec.modalities)
            self.examples = examples
        if not any(map(len, self.examples.train)):
            raise TrainingError(
                f"{', '.join(self.stores)}: no record trains: of {sum(map(len, opened)):,} records "
                f"{sum(map(len, self.examples.validation)):,} validate, the others are for testing or have no "
                f"{' or '.join(self.spec.modalities)} channel (biosig audit STORE shows the split, which is by person)"
            )
        self.train = training_sampler(recipe, opened, self.examples.train)
        size = recipe.optimiser.batch_size
        if not self.batches_per_epoch:
            raise TrainingError(
                f"{', '.join(self.stores)}: {len(self.train)} windows train, fewer than optimiser.batch_size ({size})"
            )
        self.validation = validation_samplers(recipe, opened, self.examples.validation)
        table = pd.concat([store.frame(*_LABELLED_BY) for store in opened], ignore_index=True)
        used = self.examples.used(opened)
        people = [person for store in opened for person in store.subjects]
        numbers = {person: number for number, person in enumerate(dict.fromkeys(people))}
        self._subjects = np.array([numbers[person] for person in people], dtype=np.int64)
        self._names = table["record"]
        self._channels = [store.layouts[number][0] for store in opened for number in store.layout_of]
        self.labels = Labels.of(table, graph, self.spec.labels)
        # Reports of the test role are not even encoded.
        texts = [text if use else "" for text, use in zip(table["report"], used, strict=True)]
        self.reports = Reports.of(texts, encoder, progress=progress)
        self.physiology = WindowPhysiology(opened) if recipe.model.physiology is not None else None

    @property
    def batches_per_epoch(self) -> int:
        """Batches of an epoch; see `pretrain.sampling.samplers`."""
        return self.train.batches_per_epoch

    @property
    def notes(self) -> tuple[str, ...]:
        """What the sampler leaves out, a line each."""
        notes = [self.train.note] if self.train.note else []
        if any(map(len, self.examples.validation)):
            for name, sampler in self.groups.items():
                if name not in self.validation:
                    what = f"nothing of the group {name}" if name else "nothing"
                    notes.append(f"{what} is validated, for the records that validate {lacks(sampler)}")
        return tuple(notes)

    @property
    def groups(self) -> Mapping[str, Sampler]:
        """The samplers of the groups that batches are made of, by name; the only one is called `WHOLE`."""
        return self.train.groups if isinstance(self.train, Mixed) else {WHOLE: self.train}

    @property
    def shares(self) -> Mapping[str, float]:
        """How often each group comes."""
        return self.train.shares if isinstance(self.train, Mixed) else {WHOLE: 1.0}

    def group(self, step: int) -> str:
        """The group of a step, counted from 0."""
        return self.train.drawn(step, self.recipe.seed)[0] if isinstance(self.train, Mixed) else WHOLE

    def epoch(self, step: int) -> int:
        """Which epoch a step, counted from 0, belongs to."""
        return step // self.batches_per_epoch

    def position(self, step: int) -> dict[str, int]:
        """Where the sampler is before a step."""
        epoch, batch = divmod(step, self.batches_per_epoch)
        position = {"epoch": epoch, "batch": batch, "windows": len(self.train)}
        if isinstance(self.train, Mixed):
            position |= {f"batches of {name}": n for name, n in self.train.taken(step, self.recipe.seed).items()}
        return position

    def names(self, batch: Mapping[str, Tensor]) -> list[str]:
        """The record ids of a batch."""
        return [str(name) for name in self._names.iloc[batch["row"].numpy()]]

    def train_batch(self, step: int, processes: Processes = ALONE, part: slice | None = None) -> dict[str, Tensor]:
        """The batch of a training step, counted from 0, or of several processes' batch the part of this one.

        Args:
            step: Which.
            processes: Who shares it.
            part: Only these windows of the whole batch.
        """
        seed = self.recipe.seed
        epoch, place = divmod(step, self.batches_per_epoch)
        part = processes.share(self.train.size) if part is None else part
        batch = self._with_labels(self.train.batch(place, seed=seed, epoch=epoch, part=part), part.start)
        self._augment(batch, [seed, epoch, _AUGMENT, place], self.train.size, part)
        return self._with_physiology(batch)

    def micro_batches(self, size: int, processes: Processes = ALONE) -> list[slice]:
        """Of a batch of so many windows, those that this process embeds at once."""
        rows = self.recipe.optimiser.micro_batch
        return processes.parts(size, None if rows is None else max(rows // self.spec.views.count, 1))

    def train_parts(self, step: int, processes: Processes = ALONE) -> Parts:
        """The same as `train_batch`, in micro-batches."""
        parts = self.micro_batches(self.train.size, processes)
        return Parts(lambda number: self.train_batch(step, processes, parts[number]), len(parts))

    def typical_batches(self) -> Iterator[dict[str, Tensor]]:
        """The first training batches in micro-batches, 256 windows of each group if there are as many."""
        size = self.train.size
        for step in self.opening(-(-_TYPICAL // size)):
            for part in self.micro_batches(min(size, _TYPICAL)):
                yield self.train_batch(step, part=part)

    def opening(self, batches: int) -> Sequence[int]:
        """The first steps that have so many batches of each group, as far as an epoch has them."""
        if isinstance(self.train, Mixed):
            return self.train.opening(batches, self.recipe.seed)
        return range(min(batches, self.batches_per_epoch))

    @property
    def validation_size(self) -> int:
        """Windows of the smallest validation batch; 0 if none validate."""
        return min((sampler.size for sampler in self.validation.values()), default=0)

    def validation_batches(self, processes: Processes = ALONE, group: str = WHOLE) -> Iterator[Parts]:
        """Those of a group: the same each time, in an order fixed by the seed; of each, the part of this process.

        Batches are as large as in training, because a contrastive loss grows with the batch; only where fewer windows
        validate is there a single smaller one. They come in micro-batches.
        """
        if group not in self.validation:
            return
        sampler = self.validation[group]
        parts = self.micro_batches(sampler.size, processes)
        for place in range(min(sampler.batches_per_epoch, self.recipe.training.validation_batches)):
            yield self._validation_parts(sampler, place, parts)

    def _validation_parts(self, sampler: Sampler, place: int, parts: Sequence[slice]) -> Parts:
        make = partial(self._validation_batch, sampler, place)
        return Parts(lambda number: make(parts[number]), len(parts), partial(prefetch, make, parts))

    def _validation_batch(self, sampler: Sampler, place: int, part: slice) -> dict[str, Tensor]:
        made = sampler.batch(place, seed=self.recipe.seed, epoch=0, part=part)
        batch = self._with_labels(made, part.start)
        if self.spec.views.count > 1:
            # Views that nothing tells apart would say nothing.
            self._augment(batch, [self.recipe.seed, 0, _VALIDATION_VIEWS, place], sampler.size, part)
        return self._with_physiology(batch)

    def training_set(self) -> TrainingSet:
        """Who trains, hashed."""
        return TrainingSet.of(list(self.stores.values()), self.examples.train)

    def _augment(self, batch: dict[str, Tensor], seed: Sequence[int], size: int, part: slice) -> None:
        """Each row by a key of its own: it comes out the same whatever else is read beside it."""
        if not self.spec.augment:
            return
        draws = np.random.default_rng(seed).integers(2**63, size=(size, self.spec.views.count))
        strips = augment(
            Strips.of(batch, self._shown_names(batch), self.spec.sampling_rate), self.spec.augment, draws[part].ravel()
        )
        # What a window lost, it lost from its beginning.
        start = batch["start"] + batch["valid"] - strips.valid
        batch |= {"signal": strips.signal, "mask": strips.mask, "valid": strips.valid, "start": start}

    def _with_physiology(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """A batch with its beats and rhythms, if a tower tells them."""
        if self.physiology is None:
            return batch
        rows, starts, valid = (batch[name].numpy() for name in ("row", "start", "valid"))
        return batch | self.physiology.of(rows, starts, valid, batch["signal"].shape[-1])

    def _shown_names(self, batch: Mapping[str, Tensor]) -> list[tuple[str, ...]]:
        """Of the channels of each row."""
        if self.intake.leads is not None:
            return [self.intake.leads] * len(batch["row"])
        views, rows = self.spec.views, zip(batch["row"].tolist(), batch["lead"].tolist(), strict=True)
        alone = views.leads if isinstance(views, LeadViews) else ()
        return [self._channels[row] if lead == ALL_LEADS else (alone[lead],) for row, lead in rows]

    def _with_labels(self, batch: dict[str, Tensor], first: int) -> dict[str, Tensor]:
        """Windows, the first of which has this number in its batch, with all that is known of them, in their views."""
        rows = batch["row"].numpy()
        names = [self._channels[row] for row in rows]
        batch = self.intake.arrange(batch, names)
        for name, none in (("moment", NO_MOMENT), ("segment", NO_SEGMENT)):
            batch.setdefault(name, torch.full((len(rows),), none))
        ids = self.reports.ids[rows]
        batch["subject"] = torch.from_numpy(self._subjects[rows])
        batch["report_id"] = torch.from_numpy(ids)
        if self.reports.vectors.shape[1]:
            batch["report"] = torch.from_numpy(self.reports.take(ids))
        batch["labels"] = torch.from_numpy(self.labels.stated[rows])
        batch["known"] = torch.from_numpy(self.labels.known[rows])
        return shown(batch, self.spec.views, names, self.intake.leads, first)


def _common_preprocessing(stores: Mapping[str, Store], sampling_rate: float) -> Preprocessing:
    """What all stores went through.

    Raises:
        TrainingError: Naming the store with another rate than the recipe, or another preprocessing than the first.
    """
    first, *_ = stores
    for name, store in stores.items():
        if store.sampling_rate != sampling_rate:
            raise TrainingError(
                f"{name}: the store is at {store.sampling_rate:g} Hz, the recipe asks for data.sampling_rate "
                f"{sampling_rate:g}; prepare it with --rate {sampling_rate:g}, or pretrain with --set "
                f"data.sampling_rate={store.sampling_rate:g}"
            )
        if store.info.preprocessing != stores[first].info.preprocessing:
            raise TrainingError(
                f"{name}: its preprocessing is not that of {first}; a model has one preprocessing, "
                "such as joint-128 for ECG and EEG"
            )
    return stores[first].info.preprocessing
