"""Augmentations of a batch: time of the whole batch at once against record by record, and against plain numpy.

A batch is 64 windows of 12 channels and 2,500 samples: ten seconds of 12-lead ECG at 250 Hz, or as many of EEG.

- *at once*: `pretrain.augmentations.augment`, as a run uses it.
- *each*: the same functions, called for one record after the other: what a loop costs.
- *numpy*: the augmentation written down without further thought, record by record, in double precision.

The three run in turn on one thread, and medians are compared. Records come out the same at once and one by one, bit for
bit; that is checked here too.

    python tests/benchmarks/bench_augment.py [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import numpy as np
import torch
from rich.console import Console
from rich.table import Column, Table
from scipy import signal as filters

from biosig.channels import LEADS_12
from biosig.leads import DOWER, TWELVE_FROM_EIGHT
from biosig.leads import turn as turned
from biosig.recording import Modality
from biosig.store import MODALITIES
from pretrain.augmentations import AUGMENTATIONS, Augmentation, Strips, augment

RECORDS, CHANNELS, SAMPLES, RATE = 64, 12, 2500, 250.0
ELECTRODES = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2", "Fz", "Cz")
STACKS = {
    "simclr": (
        Modality.ECG,
        "time_shift vcg_rotation gain baseline_wander mains muscle time_mask lead_mask",
        {"baseline_wander": 0.5, "mains": 0.2, "muscle": 0.3, "time_mask": 0.5},
    ),
    "mild": (Modality.ECG, "gain noise lead_mask", {}),
    "eeg": (
        Modality.EEG,
        "gain band_stop band_noise time_mask channel_dropout",
        {"band_stop": 0.5, "band_noise": 0.5, "time_mask": 0.5, "channel_dropout": 0.5},
    ),
}
Array = np.ndarray
Rng = np.random.Generator


def windows(modality: Modality) -> Strips:
    """A batch of that kind."""
    generator = torch.Generator().manual_seed(1)
    return Strips(
        torch.randn(RECORDS, CHANNELS, SAMPLES, generator=generator),
        torch.ones(RECORDS, CHANNELS, dtype=torch.bool),
        torch.full((RECORDS, CHANNELS), MODALITIES.index(modality)),
        torch.full((RECORDS,), SAMPLES),
        (LEADS_12 if modality is Modality.ECG else ELECTRODES,) * RECORDS,
        RATE,
    )


def at_once(strips: Strips, steps: Sequence[Augmentation]) -> Strips:
    return augment(strips, steps, range(RECORDS))


def one_by_one(strips: Strips, steps: Sequence[Augmentation]) -> Strips:
    made = [augment(strips.take(torch.tensor([row])), steps, [row]) for row in range(RECORDS)]
    parts = (torch.cat([getattr(one, name) for one in made]) for name in ("signal", "mask", "valid"))
    return replace(strips, **dict(zip(("signal", "mask", "valid"), parts, strict=True)))


def gain(x: Array, rng: Rng) -> Array:
    return x * np.exp(0.1 * rng.standard_normal())


def noise(x: Array, rng: Rng) -> Array:
    return x + rng.uniform(0, 0.02) * rng.standard_normal(x.shape)


def muscle(x: Array, rng: Rng) -> Array:
    band = filters.butter(4, (20, 120), "bandpass", fs=RATE, output="sos")
    return x + rng.uniform(0, 0.05) * filters.sosfiltfilt(band, rng.standard_normal(x.shape))


def baseline_wander(x: Array, rng: Rng) -> Array:
    t = np.arange(SAMPLES) / RATE
    for frequency in rng.uniform(0.05, 0.5, 5):
        phase, size = rng.uniform(0, 2 * np.pi, (CHANNELS, 1)), rng.uniform(0, 0.1, (CHANNELS, 1))
        x = x + size * np.sin(2 * np.pi * frequency * t + phase)
    return x


def mains(x: Array, rng: Rng) -> Array:
    t, size = np.arange(SAMPLES) / RATE, rng.uniform(0, 0.05, (CHANNELS, 1))
    for harmonic in (1, 2):
        x = x + size / harmonic * np.sin(2 * np.pi * 50 * harmonic * t + rng.uniform(0, 2 * np.pi))
    return x


def vcg_rotation(x: Array, rng: Rng) -> Array:
    turn = np.linalg.multi_dot([turned(rng.uniform(-30, 30), about=axis) for axis in range(3)])
    eight = x[[0, 1, *range(6, 12)]]
    return x + TWELVE_FROM_EIGHT @ (DOWER @ ((turn - np.eye(3)) @ (np.linalg.pinv(DOWER) @ eight)))


def lead_mask(x: Array, rng: Rng) -> Array:
    return x * (rng.random((CHANNELS, 1)) > 0.1)


def phase_surrogate(x: Array, rng: Rng) -> Array:
    spectrum = np.fft.rfft(x)
    return np.fft.irfft(spectrum * np.exp(1j * rng.uniform(-np.pi, np.pi, spectrum.shape[1])), SAMPLES)


def band_stop(x: Array, rng: Rng) -> Array:
    low = rng.uniform(1, RATE / 2 - 6)
    return filters.sosfiltfilt(filters.butter(4, (low, low + 5), "bandstop", fs=RATE, output="sos"), x)


PLAIN: dict[str, Callable[[Array, Rng], Array]] = {
    plain.__name__: plain
    for plain in (
        gain, noise, muscle, baseline_wander, mains, vcg_rotation, lead_mask, phase_surrogate, band_stop
    )
}  # fmt: skip


def plainly(strips: Strips, names: Sequence[str]) -> Strips:
    signal = np.empty(strips.signal.shape, dtype=np.float32)
    for row, x in enumerate(strips.signal.numpy()):
        rng = np.random.default_rng(row)
        for name in names:
            x = PLAIN[name](x, rng)  # noqa: PLW2901  # one record through all steps
        signal[row] = x
    return replace(strips, signal=torch.from_numpy(signal))


def main(repeats: int = 5) -> dict[str, tuple[float, float]]:
    """Print the table; milliseconds at once and record by record, of every kind and stack."""
    torch.set_num_threads(1)
    table = Table(Column("", no_wrap=True), "at once, ms", "each, ms", "numpy, ms", "each / at once", "numpy / at once")
    found = {}
    for name, (modality, steps) in cases().items():
        strips, kinds = windows(modality), [kind_of(step) for step in steps]
        ways = [partial(at_once, strips, steps), partial(one_by_one, strips, steps)]
        if set(kinds) <= set(PLAIN):
            ways.append(partial(plainly, strips, kinds))
        one, other = ways[0](), ways[1]()
        assert torch.equal(one.signal, other.signal), f"{name}: a record depends on its neighbours"
        times = [[_milliseconds(way) for way in ways] for _ in range(repeats)]
        fast, each, *plain = (statistics.median(side) for side in zip(*times, strict=True))
        ratios = [f"{each / fast:.1f}", *(f"{slow / fast:.1f}" for slow in plain)]
        table.add_row(name, f"{fast:.1f}", f"{each:.1f}", *[f"{slow:.1f}" for slow in plain] or [""], *ratios)
        found[name] = fast, each
    Console().print(table)
    return found


def kind_of(step: Augmentation) -> str:
    return next(kind for kind in AUGMENTATIONS if type(step) is AUGMENTATIONS[kind])


def cases() -> dict[str, tuple[Modality, list[Augmentation]]]:
    """Every kind alone, for every record; and typical stacks, with their probabilities."""
    made = {}
    for kind in AUGMENTATIONS:
        step = AUGMENTATIONS[kind].model_validate({} if kind == "lead_mask" else {"probability": 1.0})
        ecg = bool(step.concerned(windows(Modality.ECG)).any())
        made[kind] = (Modality.ECG if ecg else Modality.EEG), [step]
    for name, (modality, kinds, chances) in STACKS.items():
        steps = [
            AUGMENTATIONS[kind].model_validate({"probability": chances[kind]} if kind in chances else {})
            for kind in kinds.split()
        ]
        made[f"stack {name}"] = modality, steps
    return made


def _milliseconds(way: Callable[[], Strips]) -> float:
    start = time.perf_counter()
    way()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    main(**vars(parser.parse_args()))
