"""What the estimators share: an encoder that is loaded or made, adapted to targets, and read."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float32
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from torch import Tensor, nn

from biosig.preprocess import Preprocessing
from biosig.store import Store
from finetune.adaptation.encoder import adapt
from finetune.adaptation.lora import merge_low_rank
from finetune.diagnosis.choices import Adaptation
from finetune.estimators.inputs import ArraySignals, Signals, Source, source_of
from finetune.heads.linear import LinearHead
from pretrain.models.config import ModelConfig
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.specs.architecture import Architecture, SignalSpec

# A fresh encoder sees no less than this at once, however short the signals are: its filters need room.
_SHORTEST_SECONDS = 1.0


class SignalEstimator(BaseEstimator):
    """An encoder with the interface of scikit-learn; see `SignalClassifier` for the parameters."""

    model: FoundationModel | str | Path | None
    encoder: str
    sampling_rate: float
    channels: Sequence[str] | None
    modality: str
    random_state: Any

    def _source(self, signals: Signals, *, fit: bool = False) -> Source:
        arrays = ArraySignals(self.sampling_rate, self.channels, self.modality)
        return source_of(self, signals, arrays, fit=fit)

    def _make(self, source: Source) -> FoundationModel:
        """The model that is asked for, as a copy of its own, in evaluation mode."""
        if isinstance(self.model, FoundationModel):
            return deepcopy(self.model).eval()
        if self.model is not None:
            return FoundationModel.from_pretrained(self.model)
        seed = int(check_random_state(self.random_state).randint(2**31))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return FoundationModel(_fresh(self.encoder, source)).eval()

    def _read(self, signals: Signals) -> Float32[np.ndarray, "record dim"]:
        """The fitted encoder's features."""
        check_is_fitted(self, "model_")
        vectors: np.ndarray = self.model_.encode(self._source(signals))
        return vectors

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags


class TunedEstimator(SignalEstimator):
    """An estimator whose encoder may be adapted to its targets."""

    adaptation: str
    steps: int
    batch_size: int
    learning_rate: float

    def _adapt(self, source: Source, targets: Tensor, outputs: int, loss: nn.Module) -> None:
        """Train what `adaptation` says together with a linear head, which is thrown away: the exact one follows.

        Args:
            source: The training recordings.
            targets: One row a recording, as the loss takes them.
            outputs: Of the head.
            loss: Of the head's outputs and targets.
        """
        how, model = Adaptation(self.adaptation), self.model_
        if how is Adaptation.PROBE:
            return
        seed = int(check_random_state(self.random_state).randint(2**31))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            adapted = adapt(model.signal, how, learning_rate=self.learning_rate)
            head = LinearHead(model.signal.encoder.dim, outputs)
            features = torch.from_numpy(model.encode(source))
            head.mean, head.std = features.mean(0), features.std(0, correction=0).clamp_min(1e-6)
            # The head starts at nothing, and is so small that it may hurry.
            groups = [*adapted.groups, {"params": list(head.parameters()), "lr": 10 * self.learning_rate}]
            optimizer = torch.optim.AdamW(groups)
            plan, generator = model.config.intake.plan(source), np.random.default_rng(seed)
            order = np.zeros(0, dtype=np.int64)
            model.train()
            for _ in range(self.steps):
                if len(order) < min(self.batch_size, len(plan.owners)):
                    order = generator.permutation(len(plan.owners))
                part, order = order[: self.batch_size], order[self.batch_size :]
                batch = plan.read(plan.owners[part], plan.starts[part])
                value = loss(head(model.embed(batch)), targets[torch.from_numpy(plan.owners[part])])
                optimizer.zero_grad()
                value.backward()
                nn.utils.clip_grad_norm_([one for group in groups for one in group["params"]], 1.0)
                optimizer.step()
        merge_low_rank(model.signal)
        model.signal.requires_grad_(True)
        model.eval()


def _fresh(encoder: str, source: Source) -> ModelConfig:
    """Of an encoder with random weights that takes what the source has, as it is."""
    if isinstance(source, Store):
        samples, rate, preprocessing = int(source.samples.max()), source.sampling_rate, source.info.preprocessing
        kinds = {kind for row in range(len(source)) for kind in source.layout(row)[1]}
    else:
        samples, rate = max(one.n_times for one in source), source[0].sampling_rate
        preprocessing, kinds = Preprocessing(steps=()), {kind for one in source for kind in one.modality}
    intake = Intake(
        sampling_rate=rate,
        window_seconds=max(samples / rate, _SHORTEST_SECONDS),
        modalities=tuple(sorted(kinds)),
        preprocessing=preprocessing,
    )
    signal = SignalSpec(encoder=encoder, options={"front_end": "montage_free"})
    return ModelConfig(architecture=Architecture(signal=signal), intake=intake)
