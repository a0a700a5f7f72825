"""A regression of signals with the interface of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import RegressorMixin
from sklearn.linear_model import Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import _check_y, check_consistent_length, column_or_1d
from torch import nn

from finetune.estimators.base import TunedEstimator
from finetune.estimators.inputs import Signals
from pretrain.models.foundation import FoundationModel


class SignalRegressor(RegressorMixin, TunedEstimator):
    """One number of each recording (age, heart rate, an interval): an encoder and a ridge regression on its features.

    An adaptation minimises the Huber loss of standardised targets. The other parameters are `SignalClassifier`'s.

    Args:
        alpha: Of the ridge regression.

    Attributes:
        model_: The adapted model.
        head_: Standardisation and ridge regression.
    """

    def __init__(
        self,
        model: FoundationModel | str | Path | None = None,
        *,
        encoder: str = "eeg_conv",
        adaptation: str = "probe",
        alpha: float = 1.0,
        steps: int = 60,
        batch_size: int = 32,
        learning_rate: float = 3e-4,
        sampling_rate: float = 100.0,
        channels: Sequence[str] | None = None,
        modality: str = "ecg",
        random_state: Any = 0,
    ) -> None:
        self.model, self.encoder, self.adaptation, self.alpha = model, encoder, adaptation, alpha
        self.steps, self.batch_size, self.learning_rate = steps, batch_size, learning_rate
        self.sampling_rate, self.channels, self.modality = sampling_rate, channels, modality
        self.random_state = random_state

    def fit(self, X: Signals, y: Any) -> Self:  # noqa: N803  # scikit-learn's name
        """Adapt the encoder if asked to, then fit the head."""
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        source = self._source(X, fit=True)
        values = column_or_1d(_check_y(y, y_numeric=True, estimator=self), warn=True).astype(np.float64)
        check_consistent_length(np.empty(len(source)), values)
        self.model_ = self._make(source)
        standard = (values - values.mean()) / (values.std() or 1.0)
        self._adapt(source, torch.from_numpy(standard).float()[:, None], 1, nn.HuberLoss())
        self.head_ = make_pipeline(StandardScaler(), Ridge(alpha=self.alpha)).fit(self.model_.encode(source), values)
        return self

    def predict(self, X: Signals) -> Float[np.ndarray, " record"]:  # noqa: N803  # scikit-learn's name
        """The number, in the unit of the training targets."""
        features = self._read(X)
        found: np.ndarray = self.head_.predict(features)
        return found
