"""A fine-tuned model as it is handed on: encoder, head, and for each concept how far to trust what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, Int
from pydantic import Field
from safetensors.numpy import load_file
from torch import Tensor

from biosig.recording import Recording
from biosig.store import Store
from finetune.diagnosis.choices import Upward
from finetune.diagnosis.reading import read, windows_of
from finetune.diagnosis.result import Estimate
from finetune.heads import HEADS
from finetune.heads.base import Head
from finetune.heads.consistency import upward_probabilities
from finetune.saved import fitting, load_config, save_config
from finetune.trust.calibration import Calibration
from finetune.trust.conformal import PredictionSets, Promise
from finetune.trust.neighbours import Neighbour, Neighbours
from finetune.trust.novelty import Novelty
from pretrain.models.foundation import FoundationModel
from pretrain.models.hub import model_folder, push
from pretrain.saving import save_tensors
from pretrain.specs.architecture import Spec

MODEL, CONFIG, TENSORS = "model", "diagnoser.json", "diagnoser.safetensors"
NEIGHBOURS = "training_records.parquet"
_BESIDE = (f"{MODEL}/config.json", f"{MODEL}/model.safetensors", TENSORS, NEIGHBOURS)


class Answer(StrEnum):
    """A prediction set in words: the finding is there, is not, cannot be told, or nothing like it was ever seen."""

    YES = "yes"
    NO = "no"
    UNDECIDED = "undecided"
    NEITHER = "neither"

    @classmethod
    def of(cls, *, absent: bool, present: bool) -> Answer:
        """From which of the two labels are in the set."""
        if present:
            return cls.UNDECIDED if absent else cls.YES
        return cls.NO if absent else cls.NEITHER


class ConceptConfig(Spec):
    """What is known of one column of the head.

    Attributes:
        concept: SNOMED-CT id.
        term: Its name.
        abbreviation: Its short name.
        threshold: At or above which the calibrated probability says yes; of largest F1 on validation.
        slope: Of the calibration.
        offset: Of the calibration.
        limits: Of the prediction sets, for absent and present; null where a label is never excluded.
        positives: Validation records with it.
        auroc: On the test side of the store it was fitted on.
        kinds: The concepts of the head that are kinds of it, where answers respect the is-a graph.
    """

    concept: str
    term: str
    abbreviation: str
    threshold: float
    slope: float = Field(gt=0)
    offset: float
    limits: tuple[float | None, float | None]
    positives: int
    auroc: Estimate
    kinds: tuple[str, ...] = ()


class DiagnoserConfig(Spec):
    """Everything but weights. A diagnoser of version 1 has a linear head, whose answers know no is-a graph.

    Attributes:
        concepts: In the order of the head's outputs.
        head: Its name in `finetune.heads.HEADS`.
        upward: How what is said of a concept's kinds reaches it; null if it does not.
        miscoverage: Of the prediction sets.
        training: How it was fitted: adaptation, steps, store, licence, records.
        macro_auroc: On the test side, over the concepts, with an interval over subjects.
    """

    format: Literal["biosig-diagnoser"] = "biosig-diagnoser"
    version: Literal[1, 2] = 2
    concepts: tuple[ConceptConfig, ...]
    head: str = "linear"
    upward: Upward | None = None
    miscoverage: float
    training: dict[str, Any]
    macro_auroc: Estimate


@dataclass(frozen=True)
class Said:
    """What a diagnoser says of one concept in one recording."""

    concept: ConceptConfig
    probability: float
    named: bool
    answer: Answer


@dataclass(frozen=True)
class Diagnosis:
    """What a diagnoser says of one recording.

    Attributes:
        said: Of every concept, the most probable first.
        novelty: The share of familiar records that were more like the training records.
        nearest: The training records that are most like it, where the diagnoser keeps them.
        missing: Leads that the model was made for and the recording lacks.
    """

    said: tuple[Said, ...]
    novelty: float
    nearest: tuple[Neighbour, ...] = ()
    missing: tuple[str, ...] = ()


class Diagnoser:
    """A foundation model with a head of concepts.

    Args:
        model: With the encoder that the head was fitted on.
        head: Logits of the concepts from its features, or from its tokens.
        config: What is known of them.
        novelty: How unlike the training records an input is.
        neighbours: The training records, if they are kept.
    """

    def __init__(
        self,
        model: FoundationModel,
        head: Head,
        config: DiagnoserConfig,
        novelty: Novelty,
        neighbours: Neighbours | None = None,
    ) -> None:
        self.model, self.head, self.config, self.novelty = model.eval(), head.eval(), config, novelty
        self.neighbours = neighbours
        concepts = config.concepts
        self._calibration = Calibration(
            np.array([one.slope for one in concepts]), np.array([one.offset for one in concepts])
        )
        limits = [[np.inf if limit is None else limit for limit in one.limits] for one in concepts]
        self.sets = PredictionSets(np.array(limits), Promise.PER_LABEL, config.miscoverage)
        self._under = np.array([[other.concept in {one.concept, *one.kinds} for other in concepts] for one in concepts])

    def calibrated(self, logits: Float[np.ndarray, "row concept"]) -> Float64[np.ndarray, "row concept"]:
        """Probabilities from logits of the head: calibrated, and in order with the is-a graph if they are to be."""
        found = self._calibration.probabilities(logits.astype(np.float64))
        return found if self.config.upward is None else upward_probabilities(found, self._under, self.config.upward)

    def probabilities(
        self, source: Recording | Sequence[Recording] | Store, rows: Int[np.ndarray, " row"] | None = None
    ) -> Float64[np.ndarray, "row concept"]:
        """What it says of every concept in recordings, or in records of a store.

        Raises:
            ModelError: If they cannot be brought to what the model was made for.
        """
        return self.calibrated(read(self.model, self.head, source, rows)[1])

    def log_odds(self, windows: dict[str, Tensor]) -> Float[Tensor, "window concept"]:
        """Calibrated log odds of the concepts in windows, each on its own; differentiable in the signal."""
        logits = windows_of(self.model.signal, self.head, windows)[1]
        slope, offset = (torch.from_numpy(part).to(logits) for part in vars(self._calibration).values())
        return slope * logits + offset

    def diagnose(self, recordings: Recording | Sequence[Recording], *, nearest: int = 3) -> list[Diagnosis]:
        """What it says of each recording, which is resampled and filtered as the training data were.

        Args:
            recordings: One, or several.
            nearest: How many training records to name, where they are kept.

        Raises:
            ModelError: If a recording cannot be brought to what the model was made for.
        """
        given = [recordings] if isinstance(recordings, Recording) else recordings
        features, logits = read(self.model, self.head, given)
        probabilities = self.calibrated(logits)
        alike = self.neighbours.nearest(features, nearest) if self.neighbours else [()] * len(features)
        ranks = self.novelty.rank(features)
        return [
            Diagnosis(
                tuple(sorted(self._said(*row), key=lambda one: -one.probability)),
                float(rank),
                records,
                self.model.config.intake.missing(recording),
            )
            for recording, *row, rank, records in zip(
                given, probabilities, self.sets(probabilities), ranks, alike, strict=True
            )
        ]

    def _said(
        self, probabilities: Float64[np.ndarray, " concept"], sets: Bool[np.ndarray, "concept label"]
    ) -> list[Said]:
        return [
            Said(
                concept,
                float(probability),
                bool(probability >= concept.threshold),
                Answer.of(absent=bool(absent), present=bool(present)),
            )
            for concept, probability, (absent, present) in zip(self.config.concepts, probabilities, sets, strict=True)
        ]

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `model/`, `diagnoser.safetensors`, `training_records.parquet` if they are kept, and `diagnoser.json`.

        The last comes last: without it a folder is no diagnoser.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        for name in (CONFIG, NEIGHBOURS):
            (folder / name).unlink(missing_ok=True)
        self.model.save_pretrained(folder / MODEL)
        head = {f"head.{name}": value.numpy() for name, value in self.head.state_dict().items()}
        save_tensors(head | {f"novelty.{name}": value for name, value in vars(self.novelty).items()}, folder / TENSORS)
        if self.neighbours is not None:
            self.neighbours.save(folder / NEIGHBOURS)
        save_config(self.config, folder / CONFIG, _BESIDE)

    def push_to_hub(self, repo_id: str, *, private: bool = True, message: str = "", token: str | None = None) -> str:
        """Send what `save_pretrained` writes to the Hugging Face hub; no training records.

        A folder with its card is sent by `pretrain.models.hub.push_folder`.

        Args and errors are those of `FoundationModel.push_to_hub`, which returns the commit as well.
        """
        return push(self.save_pretrained, repo_id, private=private, message=message, token=token)

    @classmethod
    def from_pretrained(cls, folder: str | Path, *, revision: str | None = None) -> Diagnoser:
        """Load a folder or, given as text, a hub id, strictly.

        Raises:
            ModelError: If the folder is no diagnoser, or its parts do not fit together.
        """
        folder = model_folder(folder, revision) if isinstance(folder, str) else folder
        config = load_config(folder / CONFIG, DiagnoserConfig, what="diagnoser", command="finetune", beside=_BESIDE)
        model = FoundationModel.from_pretrained(folder / MODEL)
        with fitting(folder / TENSORS, CONFIG):
            head = HEADS[config.head](model.signal.encoder.dim, len(config.concepts)).double()
            tensors = load_file(folder / TENSORS)
            own = {name.removeprefix("head."): torch.from_numpy(value) for name, value in tensors.items()}
            head.load_state_dict({name: value for name, value in own.items() if not name.startswith("novelty.")})
            novelty = Novelty(*(tensors[f"novelty.{name}"] for name in ("mean", "deviation", "precision", "familiar")))
        kept = folder / NEIGHBOURS
        known = Neighbours.load(kept, novelty.mean, novelty.deviation) if kept.is_file() else None
        return cls(model, head, config, novelty, known)
