"""Simulated ECG of several people, and a training that takes seconds."""

from __future__ import annotations

from biosig.recording import Recording
from biosig.simulate import ecg
from finetune.delineation.training import Budget
from finetune.heads.frames import FrameSpec

BUDGET = Budget(
    steps=60,
    batch_size=4,
    leads=3,
    check_every=20,
    learning_rate=1e-2,
    spec=FrameSpec(widths=(12, 16, 24), kernel=7, dropout=0.0),
)


def people(count: int, *, seed: int = 0, duration: float = 5.0) -> list[Recording]:
    """One recording each; the waves are known to the simulator."""
    return [
        ecg(seed=1000 * seed + number, duration=duration, sampling_rate=250.0, noise=25.0) for number in range(count)
    ]
