"""Steps in order."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from biosig.preprocess.bad_channels import BadChannels
from biosig.preprocess.crop import Crop
from biosig.preprocess.filters import Bandpass, Notch
from biosig.preprocess.montage import Montage
from biosig.preprocess.reference import Reference
from biosig.preprocess.resampling import Resample
from biosig.recording import Recording

Step = Annotated[Resample | Bandpass | Notch | Reference | Crop | Montage | BadChannels, Field(discriminator="kind")]


class Preprocessing(BaseModel):
    """Steps applied in order. The default resamples to 250 Hz and leaves everything else as recorded.

    Example:
        >>> Preprocessing().apply(recording).sampling_rate
        250.0
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    steps: tuple[Step, ...] = (Resample(rate=250.0),)

    @property
    def causal(self) -> bool:
        """Whether the signal up to a moment is the same whatever comes after it."""
        return all(step.causal for step in self.steps)

    def apply(self, recording: Recording) -> Recording:
        """The recording after every step; the given one is not changed."""
        for step in self.steps:
            recording = step.apply(recording)
        return recording

    def at_rate(self, rate: float) -> Preprocessing:
        """The same with another rate in its last resampling; one is added at the end where there is none."""
        last = max((k for k, step in enumerate(self.steps) if isinstance(step, Resample)), default=None)
        if last is None:
            return Preprocessing(steps=(*self.steps, Resample(rate=rate)))
        changed = Resample.model_validate({**self.steps[last].model_dump(), "rate": rate})
        return Preprocessing(steps=(*self.steps[:last], changed, *self.steps[last + 1 :]))
