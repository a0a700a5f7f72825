"""A survival model of signals with the interface of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from sklearn.preprocessing import StandardScaler
from sklearn.utils.validation import check_consistent_length, check_is_fitted
from torch import Tensor, nn

from biosig.errors import BiosigError
from finetune.estimators.base import TunedEstimator
from finetune.estimators.inputs import Signals
from finetune.heads.survival import cox_loss
from finetune.metrics.concordance import concordance_index
from finetune.outcomes.linear import cox_path
from pretrain.models.foundation import FoundationModel


class SignalSurvival(TunedEstimator):
    """The log hazard ratio of each recording: an encoder and a penalised Cox regression on its features.

    `y` is an array `(n, 2)`: the time of event or censoring, and 1 for an event or 0. The other parameters are
    `SignalClassifier`'s; scikit-learn's searches and cross-validation take it, its own estimator checks do not know
    such a `y`.

    Args:
        penalty: On the weights of standardised features, an event.

    Attributes:
        model_: The adapted model.
        scaler_: Standardisation of the features.
        coef_: Weights of the standardised features.
    """

    def __init__(
        self,
        model: FoundationModel | str | Path | None = None,
        *,
        encoder: str = "eeg_conv",
        adaptation: str = "probe",
        penalty: float = 1.0,
        steps: int = 60,
        batch_size: int = 32,
        learning_rate: float = 3e-4,
        sampling_rate: float = 100.0,
        channels: Sequence[str] | None = None,
        modality: str = "ecg",
        random_state: Any = 0,
    ) -> None:
        self.model, self.encoder, self.adaptation, self.penalty = model, encoder, adaptation, penalty
        self.steps, self.batch_size, self.learning_rate = steps, batch_size, learning_rate
        self.sampling_rate, self.channels, self.modality = sampling_rate, channels, modality
        self.random_state = random_state

    def fit(self, X: Signals, y: Any) -> Self:  # noqa: N803  # scikit-learn's name
        """Adapt the encoder if asked to, then fit the regression.

        Raises:
            BiosigError: If `y` is not of times and events, or has no event.
        """
        source = self._source(X, fit=True)
        time, event = _times(y)
        check_consistent_length(np.empty(len(source)), time)
        if not event.any():
            raise BiosigError("y: expected at least one event, got none")
        self.model_ = self._make(source)
        self._adapt(source, torch.from_numpy(np.stack([time, event], axis=1)), 1, _Cox())
        self.scaler_ = StandardScaler()
        x = self.scaler_.fit_transform(self.model_.encode(source).astype(np.float64))
        ((self.coef_, _),) = cox_path(x, torch.from_numpy(time), torch.from_numpy(event), [self.penalty])
        return self

    def predict(self, X: Signals) -> Float[np.ndarray, " record"]:  # noqa: N803  # scikit-learn's name
        """The log hazard ratio to the mean of the training recordings: the higher, the sooner."""
        check_is_fitted(self, "coef_")
        risk: np.ndarray = self.scaler_.transform(self._read(X).astype(np.float64)) @ self.coef_
        return risk

    def score(self, X: Signals, y: Any) -> float:  # noqa: N803  # scikit-learn's name
        """Harrell's concordance index."""
        return concordance_index(self.predict(X), *_times(y))


class _Cox(nn.Module):
    def forward(self, risk: Tensor, target: Tensor) -> Tensor:
        return cox_loss(risk[:, 0], target[:, 0].float(), target[:, 1] > 0)


def _times(y: Any) -> tuple[np.ndarray, np.ndarray]:
    """Times, and which of them are events."""
    array = np.asarray(y, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != 2:
        raise BiosigError(f"y: expected (n, 2), times and events, got shape {array.shape}")
    if not (np.isfinite(array).all() and (array[:, 0] >= 0).all() and np.isin(array[:, 1], (0, 1)).all()):
        raise BiosigError("y: expected times of 0 or more, and events of 1 or 0")
    return array[:, 0].copy(), array[:, 1] > 0
