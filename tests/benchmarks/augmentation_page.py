"""The pictures of docs/augmentations.md: a simulated ECG and a simulated EEG, as they come and under each kind.

What is drawn is stronger than the defaults where those would not be seen at this size.

    python tests/benchmarks/augmentation_page.py [--write docs]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from biosig.plot.output import new_figure, save
from biosig.recording import Modality, Recording
from biosig.simulate import Experiment, ecg, eeg
from pretrain.augmentations import AUGMENTATIONS, Strips, augment
from pretrain.models.montage import collate

COLUMNS = 3
SECONDS = {Modality.ECG: 3.0, Modality.EEG: 2.0}
BEFORE, AFTER = "#b8b8b8", {Modality.ECG: "#9b1c31", Modality.EEG: "#1f3a5f"}
#: What is shown of each recording, what it is measured in, and how far apart its channels stand.
SHOWN = {Modality.ECG: (("I", "II", "V2"), "1 mV", 1.0, 2.0), Modality.EEG: (("F3", "F4", "Oz"), "50 µV", 1.0, 2.4)}
ELECTRODES = ("Fp1", "Fp2", "F3", "F4", "C3", "C4", "P3", "P4", "O1", "O2", "Fz", "Cz", "Pz", "Oz")
#: Options of the pictures.
OPTIONS: dict[Modality, dict[str, dict[str, Any]]] = {
    Modality.ECG: {
        "gain": {"sigma": 0.4},
        "noise": {"sigma": 0.15},
        "mains": {"amplitude": 0.3, "frequencies": [50]},
        "muscle": {"amplitude": 0.3},
        "baseline_wander": {"amplitude": 0.8},
        "vcg_rotation": {"degrees": 45, "scale": 1.5},
        "lead_mask": {"probability": 0.4},
        "time_shift": {"seconds": 1.0},
        "time_mask": {"seconds": 1.5},
    },
    Modality.EEG: {
        "gain": {"sigma": 0.4},
        "noise": {"sigma": 0.3},
        "mains": {"amplitude": 0.4, "frequencies": [50]},
        "muscle": {"amplitude": 0.6},
        "band_noise": {"amplitude": 0.8},
        "band_stop": {"width": 10},
        "phase_surrogate": {"strength": 1},
        "sign_flip": {"probability": 1},
        "hemisphere_swap": {"probability": 1},
        "channel_dropout": {"share": 0.4},
        "time_shift": {"seconds": 0.5},
        "time_mask": {"seconds": 1.0},
    },
}
#: Draws that show what a kind does; the others are those of the key 7.
KEYS = {"gain": 28, "lead_mask": 3, "channel_dropout": 7, "mains": 2, "band_stop": 12, "time_mask": 5}
#: Where the old signal is drawn upon the new one, which covers it.
ADDED = frozenset({"noise", "mains", "muscle", "band_noise", "baseline_wander"})


def recordings() -> dict[Modality, Recording]:
    """A healthy heart, and a head that looks at a film."""
    experiment = Experiment(seed=2, duration=10.0, sampling_rate=250.0, electrodes=ELECTRODES)
    return {Modality.ECG: ecg(seed=3, sampling_rate=250.0, noise=30.0), Modality.EEG: eeg(experiment, 0, 0)}


def windows(recording: Recording) -> Strips:
    """Its first seconds as a batch of one."""
    length = round(SECONDS[recording.modality[0]] * recording.sampling_rate)
    batch = collate([recording], np.array([round(recording.sampling_rate)]), length)
    return Strips.of(batch, [recording.channels], recording.sampling_rate)


def draw(modality: Modality, recording: Recording, path: Path) -> None:
    """A panel a kind: grey as it was, in colour as it became."""
    names, unit, size, apart = SHOWN[modality]
    given, options, seconds = windows(recording), OPTIONS[modality], SECONDS[modality]
    rows = len(options) // COLUMNS
    figure = new_figure(260, 14 + 46 * rows)
    panels = figure.subplots(rows, COLUMNS, sharex=True, sharey=True).ravel()
    for axes, (kind, chosen) in zip(panels, options.items(), strict=True):
        step = AUGMENTATIONS[kind].model_validate(chosen)
        changed = augment(given, [step], [KEYS.get(kind, 7)])
        for row, name in enumerate(names):
            channel = recording.channels.index(name)
            level = -apart * row
            _trace(axes, given, channel, level, BEFORE, above=kind in ADDED)
            if changed.mask[0, channel]:
                _trace(axes, changed, channel, level, AFTER[modality])
            else:
                place = seconds / 2, level + 0.5 * apart
                axes.text(*place, "missing", fontsize=8, ha="center", va="center", color=AFTER[modality])
        said = ", ".join(f"{field} {_words(value)}" for field, value in chosen.items())
        axes.set_title(f"{kind}:  {said}", fontsize=9, loc="left", color="#111318")
        axes.set_yticks([-apart * row for row in range(len(names))], names, fontsize=8)
        axes.set(xlim=(0, seconds), ylim=(-apart * (len(names) - 0.35), apart * 0.85))
        axes.tick_params(axis="y", length=0)
        axes.tick_params(axis="x", labelsize=8, labelbottom=True)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.plot([seconds * 1.01] * 2, [-size / 2, size / 2], color="#111318", lw=1.2, clip_on=False)
        axes.text(seconds * 1.02, 0, unit, fontsize=7, va="center", rotation=90, clip_on=False)
    for axes in panels[len(options) - COLUMNS : len(options)]:
        axes.set_xlabel("seconds", fontsize=8)
    figure.tight_layout()
    save(figure, path, dpi=120)


def _trace(axes: Axes, strips: Strips, channel: int, level: float, colour: str, *, above: bool = False) -> None:
    valid = int(strips.valid[0])
    time = strips.seconds()[:valid].numpy()
    axes.plot(time, level + strips.signal[0, channel, :valid].numpy(), color=colour, lw=0.7, zorder=3 if above else 2)


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


def main(write: Path) -> None:
    """Draw both."""
    for modality, recording in recordings().items():
        draw(modality, recording, write / "images" / f"augmentations_{modality}.png")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", type=Path, default=Path("docs"))
    main(**vars(parser.parse_args()))
