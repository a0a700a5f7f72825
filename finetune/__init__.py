"""Heads, protocols, metrics and reports with intervals."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from finetune.estimators import SignalClassifier, SignalEmbedder, SignalRegressor, SignalSurvival

__all__ = ["SignalClassifier", "SignalEmbedder", "SignalRegressor", "SignalSurvival"]


def __getattr__(name: str) -> object:
    # Nothing is imported before it is asked for: the commands' help stays instant.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("finetune.estimators"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
