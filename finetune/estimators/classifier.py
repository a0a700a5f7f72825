"""A classifier of signals with the interface of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from jaxtyping import Float
from sklearn.base import ClassifierMixin
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_consistent_length, column_or_1d
from torch import nn

from finetune.estimators.base import TunedEstimator
from finetune.estimators.inputs import Signals
from pretrain.models.foundation import FoundationModel


class SignalClassifier(ClassifierMixin, TunedEstimator):
    """One class of each recording: an encoder, adapted or as it is, and a logistic regression on its features.

    Signals are a list of recordings, a store, or an array `(n, channel, time)`, or `(n, time)` of one channel.

    Args:
        model: A folder or hub id of a foundation model, the model itself, which is copied, or None.
        encoder: Without a model: the name of an encoder that starts with random weights.
        adaptation: What moves besides the head: `probe`, `lora`, `last` or `full`.
        C: Inverse regularisation of the logistic regression.
        steps: Of the adaptation; there is no validation side, hence no early stop.
        batch_size: Windows a step.
        learning_rate: Of what moves fastest.
        sampling_rate: Of arrays, in Hz.
        channels: Their names, such as `I` or `Fp1`, from which follows where they are. An encoder that takes any
            montage cannot tell channels without a known name apart: it sees their mean.
        modality: Of arrays.
        random_state: Of random weights and of the order of windows.

    Attributes:
        classes_: In the order of the columns of `predict_proba`.
        model_: The adapted model.
        head_: Standardisation and logistic regression.

    Example:
        >>> cross_val_score(SignalClassifier("run/model"), recordings, labels, groups=people, cv=GroupKFold())
    """

    def __init__(
        self,
        model: FoundationModel | str | Path | None = None,
        *,
        encoder: str = "eeg_conv",
        adaptation: str = "probe",
        C: float = 1.0,  # noqa: N803  # scikit-learn's name
        steps: int = 60,
        batch_size: int = 32,
        learning_rate: float = 3e-4,
        sampling_rate: float = 100.0,
        channels: Sequence[str] | None = None,
        modality: str = "ecg",
        random_state: Any = 0,
    ) -> None:
        self.model, self.encoder, self.adaptation, self.C = model, encoder, adaptation, C
        self.steps, self.batch_size, self.learning_rate = steps, batch_size, learning_rate
        self.sampling_rate, self.channels, self.modality = sampling_rate, channels, modality
        self.random_state = random_state

    def fit(self, X: Signals, y: Any) -> Self:  # noqa: N803  # scikit-learn's name
        """Adapt the encoder if asked to, then fit the head."""
        if y is None:
            raise ValueError("requires y to be passed, but the target y is None")
        source = self._source(X, fit=True)
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        check_consistent_length(np.empty(len(source)), labels)
        self.classes_, places = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y: expected at least 2 classes, got 1 class: {self.classes_[0]!r}")
        self.model_ = self._make(source)
        self._adapt(source, torch.from_numpy(places), len(self.classes_), nn.CrossEntropyLoss())
        self.head_ = make_pipeline(StandardScaler(), LogisticRegression(C=self.C, max_iter=2000))
        self.head_.fit(self.model_.encode(source), places)
        return self

    def decision_function(self, X: Signals) -> Float[np.ndarray, "record ..."]:  # noqa: N803  # scikit-learn's name
        """Logits: one column a class, or one number for two classes."""
        features = self._read(X)
        scores: np.ndarray = self.head_.decision_function(features)
        return scores

    def predict_proba(self, X: Signals) -> Float[np.ndarray, "record klass"]:  # noqa: N803  # scikit-learn's name
        """The probability of each class."""
        features = self._read(X)
        probabilities: np.ndarray = self.head_.predict_proba(features)
        return probabilities

    def predict(self, X: Signals) -> np.ndarray:  # noqa: N803  # scikit-learn's name
        """The most probable class."""
        features = self._read(X)
        found: np.ndarray = self.classes_[self.head_.predict(features)]
        return found
