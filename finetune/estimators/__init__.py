"""Encoders as scikit-learn estimators: signals in, labels, numbers or vectors out."""

from finetune.estimators.classifier import SignalClassifier
from finetune.estimators.embedder import SignalEmbedder
from finetune.estimators.regressor import SignalRegressor

__all__ = ["SignalClassifier", "SignalEmbedder", "SignalRegressor"]
