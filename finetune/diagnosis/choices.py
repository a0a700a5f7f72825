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


class Loss(StrEnum):
    """What a training makes small.

    `bce`: the cross-entropy of each concept on its own. `ntce`: each concept's recordings against all of the batch, as
    prototypes are taught. `nonl`: the same, against those only that are known not to have it.
    """

    BCE = "bce"
    NTCE = "ntce"
    NONL = "nonl"


class Imbalance(StrEnum):
    """What is done about findings that few records have.

    `none`: nothing. `positive-weights`: a positive counts as often as there are negatives for each. `logit-adjustment`:
    the log odds of the finding are added while training, so that the head need not learn how rare it is.
    """

    NONE = "none"
    POSITIVE_WEIGHTS = "positive-weights"
    LOGIT_ADJUSTMENT = "logit-adjustment"


class Upward(StrEnum):
    """How what is said of descendants reaches a concept: the largest, or any of them as if they were independent."""

    MAX = "max"
    NOISY_OR = "noisy-or"
