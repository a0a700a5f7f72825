"""Simulated hearts with premature beats, and a training that takes seconds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from biosig.recording import Recording
from biosig.simulate import ecg
from biosig.simulate.diagnoses import ATRIAL_FIBRILLATION, PREMATURE_ATRIAL, PREMATURE_VENTRICULAR
from finetune.beats.network import BeatSpec
from finetune.beats.training import Budget

BUDGET = Budget(
    networks=1,
    steps=60,
    batch_size=8,
    beats=24,
    check_every=20,
    learning_rate=1e-2,
    one_lead=0.2,
    spec=BeatSpec(widths=(8, 12), size=16, dilations=(1,), dropout=0.1),
)


def person(number: int, *, duration: float = 60.0, name: str = "", fibrillation: bool = False) -> Recording:
    """Two leads; every beat's class is known to the simulator."""
    concepts = [ATRIAL_FIBRILLATION] if fibrillation else [PREMATURE_ATRIAL, PREMATURE_VENTRICULAR]
    found = ecg(concepts, seed=number, duration=duration, sampling_rate=200.0, noise=25.0).pick(["II", "V1"])
    name = name or f"{number}"
    events = found.events
    if fibrillation:
        kind = type(events[0])
        events = (*events, kind(0.0, duration, "(AFIB"))
    return replace(found, record_id=name, subject_id=name, events=events)


def fibrillating(rng: np.random.Generator, beats: int, mean: float = 0.7) -> np.ndarray:
    """Times of beats without memory."""
    return np.cumsum(0.35 + rng.gamma(3.0, (mean - 0.35) / 3.0, beats))
