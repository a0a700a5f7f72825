"""A tiny instance of every open EEG corpus, written the way its owners write it, and what must be read from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import numpy as np
from edfio import Edf, EdfAnnotation, EdfSignal

from tests.biosig.corpora.synthetic import Expected, millivolts

EMOTIV = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
EEGMAT = ("Fp1", "Fp2", "F3", "F4", "F7", "F8", "T3", "T4", "C3", "C4", "T5", "T6", "P3", "P4", "O1", "O2", "Fz", "Cz")
EEGMAT_LABELS = (*(f"EEG {name}" for name in (*EEGMAT, "Pz", "A2-A1")), "ECG ECG")


def write_edf(
    path: Path,
    labels: Sequence[str],
    signal: np.ndarray,
    rate: float,
    *,
    unit: str = "uV",
    annotations: Sequence[tuple[float, float, str]] | None = None,
) -> None:
    """An EDF file; with annotations (onset, duration or less than zero for none, text), EDF+."""
    path.parent.mkdir(parents=True, exist_ok=True)
    marks = [
        EdfAnnotation(onset, None if duration < 0 else duration, text) for onset, duration, text in annotations or ()
    ]
    signals = [
        EdfSignal(row, rate, label=label, physical_dimension=unit, physical_range=(-16384, 16383.5))
        for label, row in zip(labels, signal, strict=True)
    ]
    Edf(signals, annotations=None if annotations is None else marks).write(path)


def write_matlab73(path: Path, **arrays: np.ndarray) -> None:
    """A MATLAB 7.3 file: HDF5 after 512 bytes of MATLAB's own. Axes are given in the order of HDF5."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, array in arrays.items():
            file.create_dataset(name, data=array, compression="gzip")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: PCWIN64".ljust(124) + b"\x00\x02IM")


def dasps_trials() -> np.ndarray:
    """(trial, sample, channel) in microvolts."""
    return np.broadcast_to(1000 * millivolts(14, 128, 15), (12, 1920, 14)).astype("<f4")


def dasps(folder: Path) -> dict[str, Expected]:
    ratings = np.repeat([[1.0, 3, 5, 2, 7, 1], [8.0, 7, 5, 1, 9, 6]], 2, axis=1)
    word = np.array([[ord(letter)] for letter in "proche"], dtype="<u2")
    write_matlab73(
        folder / "S01.mat",
        data=dasps_trials(),
        labels=ratings,
        hamilton=np.array([[25.0], [37]]),
        situation=word,
    )
    write_matlab73(folder / "Preprocessed data .mat" / "S02preprocessed.mat", data=dasps_trials())
    rows = ["subjectID,situationID,valence,Arousal,2_class,4_class"]
    expected = {}
    for subject, where in (("S01", "S01.mat"), ("S02", "Preprocessed data .mat/S02preprocessed.mat")):
        for situation in range(1, 7):
            valence, arousal = (f"{ratings[k, 2 * situation - 1]:g}" for k in (0, 1))
            two, four = ("Anxious", "Severe") if situation in (1, 2) else ("Normal", "Normal")
            rows.append(f"{subject},{situation},{valence},{arousal},{two},{four}")
            for trial, phase in ((2 * situation - 1, "recited"), (2 * situation, "recalled")):
                stimulus = f"situation {situation} {phase}"
                expected[f"{subject}-{trial:02d}"] = Expected(
                    subject,
                    codes=tuple(
                        (system, code, None)
                        for system, code in (
                            ("dasps-2-class", two),
                            ("dasps-4-class", four),
                            ("valence", valence),
                            ("arousal", arousal),
                        )
                    ),
                    source=where,
                    events=((0.0, 15.0, stimulus, ""),),
                    stimuli=((stimulus, trial),),
                )
    # Lines end as on an old Macintosh.
    (folder / "ratings.csv").write_bytes("\r".join(rows).encode())
    return expected


def eegmat(folder: Path) -> dict[str, Expected]:
    for name in ("Subject00_1", "Subject00_2", "Subject07_2"):
        annotations = [(0.0, -1.0, "[Total time]+2.000")]
        write_edf(folder / f"{name}.edf", EEGMAT_LABELS, 1000 * millivolts(21, 500).T, 500.0, annotations=annotations)
    (folder / "subject-info.csv").write_text(
        "Subject,Age,Gender,Recording year,Number of subtractions,Count quality\n"
        "Subject00,21,F,2011,9.7,0\nSubject07,18,M,2012,13.38,1\n"
    )
    given = {
        "Subject00_1": (21.0, "female", "rest", "bad", 1),
        "Subject00_2": (21.0, "female", "arithmetic", "bad", 2),
        "Subject07_2": (18.0, "male", "arithmetic", "good", 2),
    }
    return {
        name: Expected(
            name[:9],
            age,
            sex,
            (("eegmat", task, None), ("eegmat-count", count, None)),
            source=f"{name}.edf",
            events=((0.0, 2.0, task, ""),),
            stimuli=((task, trial),),
        )
        for name, (age, sex, task, count, trial) in given.items()
    }


WRITERS: dict[str, Callable[[Path], dict[str, Expected]]] = {
    "dasps": dasps,
    "eegmat": eegmat,
}
