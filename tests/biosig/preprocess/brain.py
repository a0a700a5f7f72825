"""EEG with known properties, for the tests of preprocessing."""

from __future__ import annotations

from typing import Any

import numpy as np

from biosig.channels import positions
from biosig.recording import Modality, Recording
from biosig.simulate import CAPS

CAP = CAPS[19]
RATE = 250.0


def smooth(seconds: float = 20.0, *, names: tuple[str, ...] = CAP, rate: float = RATE, seed: int = 0) -> np.ndarray:
    """Potentials that vary slowly over the scalp, as a head makes them: 20 microvolts of pink noise."""
    rng = np.random.default_rng(seed)
    place = positions(names, Modality.EEG).astype(float)
    centres = rng.normal(size=(12, 3))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    weights = np.exp(2 * place @ centres.T)
    n = int(seconds * rate)
    spectrum = rng.normal(size=(12, n // 2 + 1)) + 1j * rng.normal(size=(12, n // 2 + 1))
    frequency = np.fft.rfftfreq(n, 1 / rate)
    spectrum *= np.where(frequency > 0.5, 1 / np.maximum(frequency, 0.5) ** 0.5, 0)
    x = weights @ np.fft.irfft(spectrum, n)
    x *= 20 / x.std(axis=1).mean()
    return x + 0.2 * rng.normal(size=x.shape)


def eeg(x: np.ndarray, names: tuple[str, ...] = CAP, *, rate: float = RATE, **more: Any) -> Recording:
    """A recording of electrodes; a name `ECG` or `Status` is of its own modality."""
    kinds = {"ECG": Modality.ECG, "Status": Modality.STIMULUS}
    modality = tuple(kinds.get(name, Modality.EEG) for name in names)
    return Recording(np.asarray(x, dtype=np.float32), names, rate, modality, record_id="r1", **more)
