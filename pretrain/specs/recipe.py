"""The fields of a recipe: data, objectives, optimiser and how a run is carried out."""

import math
from collections.abc import Collection
from enum import StrEnum
from typing import Any

import yaml
from pydantic import Field, FiniteFloat, NonNegativeInt, PositiveFloat, PositiveInt, field_validator, model_validator

from biosig.recording import Modality
from pretrain.augmentations import AnyAugmentation
from pretrain.specs.architecture import Architecture, Spec
from pretrain.specs.execution import Training
from pretrain.specs.samplers import Sampler, UniformSampler, check_batch_size
from pretrain.specs.views import Copies, Views


class Crop(StrEnum):
    """Which window of a record a training step sees; validation always sees the first."""

    RANDOM = "random"
    START = "start"


class LabelScope(StrEnum):
    """Which concepts a record counts as carrying: those stated, or their ancestors in the graph as well."""

    STATED = "stated"
    ANCESTORS = "ancestors"


class Data(Spec):
    """What a model is fed.

    Attributes:
        sampling_rate: Hz; every store must have it.
        window_seconds: One training example, where no group of a mixture says otherwise, and what a model takes in at
            once afterwards.
        modalities: Channels of other kinds are left out.
        crop: Where a window begins in a longer record.
        augment: Applied to training batches in this order; see `pretrain.augmentations`.
        labels: Which concepts count as a record's own.
        sampler: Which windows make a batch.
        views: What each window of a batch is shown as; a number means so many copies. `optimiser.batch_size` counts
            windows: a batch has so many rows for each of them.
    """

    sampling_rate: PositiveFloat
    window_seconds: PositiveFloat
    modalities: tuple[Modality, ...] = Field(default=(Modality.ECG,), min_length=1)
    crop: Crop = Crop.RANDOM
    augment: tuple[AnyAugmentation, ...] = ()
    labels: LabelScope = LabelScope.STATED
    sampler: Sampler = UniformSampler()
    views: Views = Copies()

    @field_validator("views", mode="before")
    @classmethod
    def _number(cls, given: object) -> object:
        return {"kind": "copies", "number": given} if type(given) is int else given

    @property
    def samples(self) -> int:
        """Samples in a window."""
        return round(self.sampling_rate * self.window_seconds)


class ObjectiveSpec(Spec):
    """One term of the loss.

    Attributes:
        name: A name in `pretrain.objectives.OBJECTIVES`.
        weight: Its factor in the sum; an objective of weight 0 is as if it were not there.
        options: Passed to the objective (kernel, sigma, epsilon, form, ...).
    """

    name: str
    weight: FiniteFloat = Field(ge=0, default=1.0)
    options: dict[str, Any] = Field(default_factory=dict)


class Optimiser(Spec):
    """AdamW with a linear warm-up and a cosine to zero.

    Norms, biases and logit scales do not decay.

    Attributes:
        batch_size: Records of a step, over all processes.
        micro_batch: Records that a process embeds at once; all its share of the batch by default. The gradient is that
            of the whole batch all the same, for one more pass through the towers (`pretrain.training.gradcache`).
    """

    steps: PositiveInt
    batch_size: int = Field(ge=2)
    micro_batch: PositiveInt | None = None
    learning_rate: PositiveFloat = 1e-3
    weight_decay: FiniteFloat = Field(ge=0, default=0.01)
    betas: tuple[float, float] = (0.9, 0.98)
    warmup_steps: NonNegativeInt = 0
    clip_norm: PositiveFloat = 1.0

    @model_validator(mode="after")
    def _check(self) -> "Optimiser":
        if self.warmup_steps >= self.steps:
            raise ValueError(f"expected warmup_steps below steps ({self.steps}), got {self.warmup_steps}")
        if not all(0 <= beta < 1 for beta in self.betas):
            raise ValueError(f"expected betas in [0, 1), got {self.betas}")
        return self

    def learning_rate_at(self, step: int) -> float:
        """The rate of a step, counted from 0: a function of the step alone, so resuming needs no schedule state."""
        if step < self.warmup_steps:
            return self.learning_rate * (step + 1) / (self.warmup_steps + 1)
        done = (step - self.warmup_steps) / (self.steps - self.warmup_steps)
        return self.learning_rate * (1 + math.cos(math.pi * min(done, 1.0))) / 2


class Ontology(Spec):
    """The concept graph that labels, targets and the concept tower are over.

    Attributes:
        source: A graph of the package (`cardiac`, `sleep`, `seizure`, `emotion`), an OWL file, a `_concepts.csv`, or a
            SNOMED-CT release in RF2 (folder or zip).
        descendants_of: Keep only these concepts and all kinds of them.
        ancestors_of: Keep only these and all that they are a kind of.
        language: Of the names in RF2.
    """

    source: str
    descendants_of: tuple[str, ...] = ()
    ancestors_of: tuple[str, ...] = ()
    language: str = "en-US"


class Recipe(Spec):
    """Everything that decides a pretraining.

    Attributes:
        name: A short name.
        title: One line.
        references: The papers it follows.
        known: What the papers, or their authors' code, say.
        reconstruction: What is our own choice, because they are silent or for other reasons.
        corpora: Names in `biosig.corpora.CORPORA` that have what it learns from.
        seed: Decides the initial weights, the order of the data and every augmentation.
        ontology: The concept graph, or only its source: `ontology: sleep`. It is left aside where neither a tower nor
            an objective uses concepts; `none` says that none does.
    """

    name: str = Field(pattern=r"^[a-z0-9_.-]+$")
    title: str
    references: tuple[str, ...] = ()
    known: str = ""
    reconstruction: str = ""
    corpora: tuple[str, ...] = ()
    seed: NonNegativeInt = 0
    ontology: Ontology | None = Ontology(source="cardiac")
    data: Data
    model: Architecture
    objectives: tuple[ObjectiveSpec, ...] = Field(min_length=1)
    optimiser: Optimiser
    training: Training = Training()

    @field_validator("objectives")
    @classmethod
    def _switched_on(cls, given: tuple[ObjectiveSpec, ...]) -> tuple[ObjectiveSpec, ...]:
        kept = tuple(objective for objective in given if objective.weight)
        if not kept:
            raise ValueError("expected at least one objective of a weight above 0")
        return kept

    @field_validator("ontology", mode="before")
    @classmethod
    def _source(cls, given: object) -> object:
        if isinstance(given, str):
            return None if given == "none" else {"source": given}
        return given

    @model_validator(mode="after")
    def _check(self) -> "Recipe":
        names = [objective.name for objective in self.objectives]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"objective {twice!r} occurs twice")
        check_batch_size(self.optimiser.batch_size, self.data.sampler)
        return self

    def to_yaml(self, without: Collection[str] = ()) -> str:
        """The whole recipe, or all but some of its fields; defaults filled in."""
        content = self.model_dump(mode="json", exclude=set(without))
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=110)
