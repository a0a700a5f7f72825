"""The step that changes the sampling rate."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar, Literal

import numpy as np

from biosig import resample
from biosig.causal_resample import causal_resample
from biosig.filtering import Phase
from biosig.preprocess.step import BaseStep, Hertz
from biosig.recording import Modality, Recording


class Resample(BaseStep):
    """Another sampling rate, anti-aliased (see `biosig.resample`). Trigger channels take the nearest sample.

    A recording that has the rate already passes untouched, bit for bit. Events are seconds and stay where they are;
    with a causal low-pass the waves come a little after them (see `biosig.causal_resample`).
    """

    added: ClassVar[frozenset[str]] = frozenset({"phase"})

    kind: Literal["resample"] = "resample"
    rate: Hertz
    phase: Phase = Phase.ZERO

    @property
    def causal(self) -> bool:
        return self.phase is Phase.CAUSAL

    def apply(self, recording: Recording) -> Recording:
        if recording.sampling_rate == self.rate:
            return recording
        rates = (recording.sampling_rate, self.rate)
        change = causal_resample if self.phase is Phase.CAUSAL else resample.resample
        triggers = [kind is Modality.STIMULUS for kind in recording.modality]
        if not any(triggers):
            x = change(recording.signal, *rates)
        else:
            held = resample.nearest(recording.signal, *rates)
            x = np.where(np.array(triggers)[:, None], held, change(recording.signal, *rates))
        return replace(recording, signal=x, sampling_rate=self.rate)
