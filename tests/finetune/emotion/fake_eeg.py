"""A small corpus of EEG trials in which a class may be planted as stronger alpha over the back of the head.

Workers import it by name, so it is a module of its own.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from biosig.corpora.base import Entries, Entry
from biosig.preprocess import Preprocessing
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split
from biosig.store import Store, prepare

ELECTRODES = ("F3", "F4", "C3", "C4", "O1", "O2")
RATE = 80.0
CLASSES = ("calm", "tense")


class FakeEeg:
    """Reads `NAME.npz`: one trial, or several after each other."""

    name = "fake-eeg"
    title = "EEG of the tests"
    modality = (Modality.EEG,)
    licence = "none"
    citation = "nobody"
    url = "https://example.org"
    split = Split()
    sampling_rates = (RATE,)

    def find(self, source: Path) -> Entries:
        return Entries(
            Entry(path.stem, path, {"source": path.name, "subject": path.stem.split("-")[0]})
            for path in sorted(Path(source).glob("*.npz"))
        )

    def read(self, entry: Entry) -> Recording:
        with np.load(entry.path) as file:
            content = {name: file[name] for name in file.files}
        return Recording(
            content["signal"],
            ELECTRODES,
            RATE,
            (Modality.EEG,) * len(ELECTRODES),
            record_id=entry.record_id,
            subject_id=entry.meta["subject"],
            codes=tuple(Code(str(system), str(code)) for system, code in content["codes"]),
            events=tuple(
                Event(float(onset), float(duration), str(code), stimulus=str(stimulus), trial=int(trial))
                for onset, duration, code, stimulus, trial in content["events"]
            ),
        )


def brain(label: int, effect: float, rng: np.random.Generator, seconds: float, gain: float) -> np.ndarray:
    """Noise of 10 microvolts and an alpha rhythm that is stronger at the back, the more so in class 1."""
    time = np.arange(round(seconds * RATE)) / RATE
    noise = rng.normal(scale=10, size=(len(ELECTRODES), len(time)))
    back = np.array([0.2, 0.2, 0.5, 0.5, 1.0, 1.0])[:, None]
    alpha = back * np.sin(2 * np.pi * (10 * time + rng.uniform(size=(len(ELECTRODES), 1))))
    return (gain * (noise + 8 * (1 + effect * label) * alpha)).astype(np.float32)


def make_store(
    folder: Path,
    *,
    subjects: int = 6,
    trials: int = 6,
    effect: float = 0.0,
    seconds: float = 6.0,
    seed: int = 0,
    continuous: bool = False,
    stimuli: bool = True,
    labels: np.ndarray | None = None,
) -> Path:
    """A store of people p00, p01, ... with as many trials of either class, in random order.

    Args:
        folder: New.
        subjects: People; each has a gain of its own.
        trials: Of each, one record a trial, or one record of all if `continuous`.
        effect: How much stronger alpha is in class 1.
        seconds: Of a trial.
        seed: Of everything.
        continuous: One record a person, the labels being the codes of the events.
        stimuli: Whether events name a stimulus.
        labels: `(subject, trial)`, instead of random ones.
    """
    rng = np.random.default_rng(seed)
    source = folder / "source"
    source.mkdir(parents=True)
    for person in range(subjects):
        own = rng.permutation(np.arange(trials) % 2) if labels is None else labels[person]
        gain = float(rng.uniform(0.6, 1.6))
        parts = [brain(int(label), effect, rng, seconds, gain) for label in own]
        names = [f"film {trial}" if stimuli else "" for trial in range(trials)]
        if continuous:
            events = [(n * seconds, seconds, CLASSES[own[n]], names[n], n + 1) for n in range(trials)]
            _write(source / f"p{person:02d}.npz", np.concatenate(parts, axis=1), [], events)
            continue
        for n, part in enumerate(parts):
            codes = [("mood", CLASSES[own[n]]), ("valence", f"{2 + 5 * own[n]}")]
            _write(source / f"p{person:02d}-{n:02d}.npz", part, codes, [(0.0, seconds, "film", names[n], n + 1)])
    prepare(FakeEeg(), source, folder / "store", preprocessing=Preprocessing(steps=()), workers=1, progress=False)
    return folder / "store"


def _write(path: Path, signal: np.ndarray, codes: list[tuple[str, str]], events: list[tuple]) -> None:
    np.savez(
        path,
        signal=signal,
        codes=np.array(codes, dtype=str).reshape(-1, 2),
        events=np.array([[str(one) for one in event] for event in events], dtype=str).reshape(-1, 5),
    )


def open_store(folder: Path, **options: object) -> Store:
    """`make_store`, opened."""
    return Store(make_store(folder, **options))  # type: ignore[arg-type]
