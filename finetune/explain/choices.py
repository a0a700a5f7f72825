"""Choices that a command offers, without what they need when they are carried out."""

from __future__ import annotations

from enum import StrEnum


class Method(StrEnum):
    """How an answer is explained.

    `gradients`: integrated gradients, sample by sample; what they add up to is known. `occlusion`: what is lost when a
    stretch of a lead is drawn as a straight line, and when a whole lead is missing.
    """

    GRADIENTS = "gradients"
    OCCLUSION = "occlusion"


class Baseline(StrEnum):
    """The recording that an answer is compared with.

    `zero`: every sample is 0. `flat`: every lead is a flat line at its own median. `blurred`: every lead is smoothed by
    a Gaussian of a quarter of a second, in which slow drift and the mean remain and no wave does.
    """

    ZERO = "zero"
    FLAT = "flat"
    BLURRED = "blurred"
