"""Vectors of signals with the interface of scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
from jaxtyping import Float32
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin

from finetune.estimators.base import SignalEstimator
from finetune.estimators.inputs import Signals
from pretrain.models.foundation import FoundationModel


class SignalEmbedder(ClassNamePrefixFeaturesOutMixin, TransformerMixin, SignalEstimator):
    """The features of an encoder: the first step of a pipeline. The parameters are `SignalClassifier`'s.

    Attributes:
        model_: The model.
    """

    def __init__(
        self,
        model: FoundationModel | str | Path | None = None,
        *,
        encoder: str = "eeg_conv",
        sampling_rate: float = 100.0,
        channels: Sequence[str] | None = None,
        modality: str = "ecg",
        random_state: Any = 0,
    ) -> None:
        self.model, self.encoder, self.random_state = model, encoder, random_state
        self.sampling_rate, self.channels, self.modality = sampling_rate, channels, modality

    def fit(self, X: Signals, y: Any = None) -> Self:  # noqa: ARG002, N803  # scikit-learn's signature
        """Load the model, or make one for signals like these; nothing is learned."""
        self.model_ = self._make(self._source(X, fit=True))
        self._n_features_out = self.model_.signal.encoder.dim
        return self

    def transform(self, X: Signals) -> Float32[np.ndarray, "record dim"]:  # noqa: N803  # scikit-learn's name
        """One vector a recording: the mean over windows that cover it."""
        return self._read(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []  # networks compute in float32, whatever comes in
        return tags
