"""Choices that a command offers, without what they need when they are carried out."""

from __future__ import annotations

from enum import StrEnum


class Adaptation(StrEnum):
    """What a fine-tuning moves besides the head.

    `probe`: nothing. `lora`: low-rank additions to every matrix. `last`: the last blocks. `full`: everything, the
    earlier the slower.
    """

    PROBE = "probe"
    LORA = "lora"
    LAST = "last"
    FULL = "full"
