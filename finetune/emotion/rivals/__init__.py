"""The rows of the table: one registry, in the order in which they are shown."""

from __future__ import annotations

# Each module registers its rows.
from finetune.emotion.rivals import trivial  # isort: skip
from finetune.emotion.rivals import entropy, riemann, adversarial, encoders, supervised  # isort: skip
from finetune.emotion.rivals.base import BOTH, RIVALS, Outcome, Rival

__all__ = [
    "BOTH",
    "RIVALS",
    "Outcome",
    "Rival",
    "adversarial",
    "encoders",
    "entropy",
    "riemann",
    "supervised",
    "trivial",
]
