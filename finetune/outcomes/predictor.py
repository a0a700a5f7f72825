"""A model fine-tuned on an outcome, as it is handed on: encoder, head, and how far to trust what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from safetensors.numpy import load_file

from biosig.recording import Recording
from finetune.diagnosis.result import Estimate
from finetune.heads.linear import LinearHead
from finetune.metrics.survival import Baseline
from finetune.outcomes.linear import predict
from finetune.outcomes.summary import THIRDS, probability, third
from finetune.outcomes.target import Kind
from finetune.saved import fitting, load_config, save_config
from pretrain.models.foundation import FoundationModel
from pretrain.saving import save_tensors
from pretrain.specs.architecture import Spec

MODEL, CONFIG, TENSORS = "model", "outcome.json", "outcome.safetensors"
_BESIDE = (f"{MODEL}/config.json", f"{MODEL}/model.safetensors", TENSORS)


class RiskConfig(Spec):
    """What validation makes of log hazard ratios.

    Attributes:
        centre: Of validation: whoever has this log hazard ratio has the baseline hazard.
        slope: Of the calibration.
        cuts: Where the low and the middle third end.
        horizon: The time at which probabilities are given.
    """

    centre: float
    slope: float = Field(ge=0)
    cuts: tuple[float, float]
    horizon: float


class OutcomeConfig(Spec):
    """Everything but weights.

    Attributes:
        target: What is predicted.
        kind: A number, or a time to an event.
        unit: Of the number or the time.
        centre: Of the training numbers.
        scale: Of the training numbers.
        halfwidth: Of a number: 90 % of validation lies so near to what was predicted; null where too few told.
        risk: Of survival.
        training: How it was fitted: adaptation, steps, store, licence, records.
        measured: On the test side of the store, with intervals over subjects.
    """

    format: Literal["biosig-outcome"] = "biosig-outcome"
    version: Literal[1] = 1
    target: str
    kind: Kind
    unit: str
    centre: float
    scale: float = Field(gt=0)
    halfwidth: float | None
    risk: RiskConfig | None
    training: dict[str, Any]
    measured: dict[str, Estimate]


@dataclass(frozen=True)
class Prediction:
    """What is said of one recording.

    Attributes:
        value: The number; of survival the log hazard ratio to the mean of validation.
        low: Of a number: lower end of what 90 % of validation kept to.
        high: Upper end.
        group: Of survival: which third of risk.
        probability: Of survival: of the event within the horizon.
    """

    value: float
    low: float | None = None
    high: float | None = None
    group: str = ""
    probability: float | None = None


class OutcomePredictor:
    """A foundation model with a head of one number.

    Args:
        model: With the encoder that the head was fitted on.
        head: Of its features.
        config: What is known of it.
        baseline: Of survival.
    """

    def __init__(
        self, model: FoundationModel, head: LinearHead, config: OutcomeConfig, baseline: Baseline | None = None
    ) -> None:
        self.model, self.head, self.config, self.baseline = model.eval(), head.eval(), config, baseline

    def predict(self, recordings: Recording | Sequence[Recording]) -> list[Prediction]:
        """What it says of each recording, which is resampled and filtered as the training data were.

        Raises:
            ModelError: If a recording cannot be brought to what the model was made for.
        """
        config = self.config
        values = config.centre + config.scale * predict(self.head, self.model.encode(recordings))
        if config.risk is None or self.baseline is None:
            width = config.halfwidth
            ends = [(None, None) if width is None else (value - width, value + width) for value in values.tolist()]
            return [Prediction(value, *each) for value, each in zip(values.tolist(), ends, strict=True)]
        risk = config.risk
        chances = probability(
            values, centre=risk.centre, slope=risk.slope, baseline=self.baseline, horizon=risk.horizon
        )
        names = [THIRDS[number] for number in third(values, risk.cuts)]
        return [
            Prediction(value - risk.centre, group=name, probability=chance)
            for value, name, chance in zip(values.tolist(), names, chances.tolist(), strict=True)
        ]

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `model/`, `outcome.safetensors` and, last, `outcome.json`: without it a folder is no predictor."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).unlink(missing_ok=True)
        self.model.save_pretrained(folder / MODEL)
        tensors = {f"head.{name}": value.numpy() for name, value in self.head.state_dict().items()}
        if self.baseline is not None:
            tensors |= {f"baseline.{name}": value for name, value in vars(self.baseline).items()}
        save_tensors(tensors, folder / TENSORS)
        save_config(self.config, folder / CONFIG, _BESIDE)

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> OutcomePredictor:
        """Load a folder, strictly.

        Raises:
            ModelError: If the folder is no predictor, or its parts do not fit together.
        """
        folder = Path(folder)
        config = load_config(folder / CONFIG, OutcomeConfig, what="outcome model", command="outcome", beside=_BESIDE)
        model = FoundationModel.from_pretrained(folder / MODEL)
        head = LinearHead(model.signal.encoder.dim, 1).double()
        baseline = None
        with fitting(folder / TENSORS, CONFIG):
            tensors = load_file(folder / TENSORS)
            head.load_state_dict({name: torch.from_numpy(tensors[f"head.{name}"]) for name in head.state_dict()})
            if config.risk is not None:
                baseline = Baseline(*(np.asarray(tensors[f"baseline.{name}"]) for name in ("times", "cumulative")))
        return cls(model, head, config, baseline)
