"""Encoders as scikit-learn estimators: signals in, labels, numbers, risks or vectors out."""

from finetune.estimators.classifier import SignalClassifier
from finetune.estimators.embedder import SignalEmbedder
from finetune.estimators.regressor import SignalRegressor
from finetune.estimators.survival import SignalSurvival

__all__ = ["SignalClassifier", "SignalEmbedder", "SignalRegressor", "SignalSurvival"]
