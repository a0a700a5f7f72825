"""What came of an explanation: how far each sample of each lead moved the answer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.ndimage import gaussian_filter1d

from biosig.recording import Recording
from finetune.explain.choices import Baseline, Method

# Seconds over which a picture and its words put single samples together: about a narrow wave.
_SMOOTH = 0.04


@dataclass(frozen=True)
class Attribution:
    """How far each sample of each lead moved a logit, in logits; what speaks for the concept is positive.

    Attributes:
        recording: As the model sees it.
        values: `(lead, time)`.
        leads: Of whole leads: by integrated gradients the sum over the lead, by occlusion the logit less that without
            the lead, as the encoder masks it; NaN where it was the only one.
        method: How they were found.
        baseline: What the recording was compared with.
        answer: The logit of the recording.
        reference: The logit of the baseline.
        gap: |sum of values - (answer - reference)| / |answer - reference|: how far integrated gradients are from
            complete. NaN for occlusion, which promises no sum.
        steps: Points of the integral, or stretches that were occluded.
    """

    recording: Recording
    values: Float64[np.ndarray, "lead time"]
    leads: Float64[np.ndarray, " lead"]
    method: Method
    baseline: Baseline
    answer: float
    reference: float
    gap: float
    steps: int

    def smooth(self, seconds: float = _SMOOTH) -> Float64[np.ndarray, "lead time"]:
        """The values put together over a Gaussian of that deviation, for the eye."""
        found: np.ndarray = gaussian_filter1d(
            self.values, seconds * self.recording.sampling_rate, axis=1, mode="nearest"
        )
        return found

    def busiest(self, seconds: float) -> float:
        """The first second of the stretch of that length in which most happens, for or against."""
        rate = self.recording.sampling_rate
        length = max(round(seconds * rate), 1)
        total = np.concatenate([[0.0], np.cumsum(np.abs(self.values).sum(0))])
        if len(total) <= length + 1:
            return 0.0
        return float((total[length:] - total[:-length]).argmax() / rate)

    def shares(self) -> Float64[np.ndarray, " lead"]:
        """The part of each lead in all that moved the answer, for or against; their sum is 1."""
        sizes: np.ndarray = np.abs(self.smooth()).sum(1)
        return sizes / max(float(sizes.sum()), 1e-30)
