"""A tiny instance of every open EEG corpus, written the way its owners write it, and what must be read from it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import h5py
import mne
import numpy as np
from edfio import Edf, EdfAnnotation, EdfSignal, Patient

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
    patient: Patient | None = None,
) -> None:
    """An EDF file; with annotations (onset, duration or less than zero for none, text) or a patient, EDF+."""
    path.parent.mkdir(parents=True, exist_ok=True)
    marks = [
        EdfAnnotation(onset, None if duration < 0 else duration, text) for onset, duration, text in annotations or ()
    ]
    signals = [
        EdfSignal(row, rate, label=label, physical_dimension=unit, physical_range=(-16384, 16383.5))
        for label, row in zip(labels, signal, strict=True)
    ]
    Edf(signals, patient=patient, annotations=None if annotations is None else marks).write(path)


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


EEGMMIDB = (  # noqa: SIM905 -- easier to compare with the headers
    "Fc5. Fc3. Fc1. Fcz. Fc2. Fc4. Fc6. C5.. C3.. C1.. Cz.. C2.. C4.. C6.. Cp5. Cp3. Cp1. Cpz. Cp2. Cp4. Cp6. Fp1. "
    "Fpz. Fp2. Af7. Af3. Afz. Af4. Af8. F7.. F5.. F3.. F1.. Fz.. F2.. F4.. F6.. F8.. Ft7. Ft8. T7.. T8.. T9.. T10. "
    "Tp7. Tp8. P7.. P5.. P3.. P1.. Pz.. P2.. P4.. P6.. P8.. Po7. Po3. Poz. Po4. Po8. O1.. Oz.. O2.. Iz.."
).split()


def eegmmidb(folder: Path) -> dict[str, Expected]:
    marks = [(0.0, 0.5, "T0"), (0.5, 0.5, "T2"), (1.0, 0.5, "T0"), (1.5, 0.5, "T1")]
    given = {
        "S001R01": ("eyes open", marks[:1], ["eyes open"]),
        "S001R04": (
            "imagined left or right fist",
            marks,
            ["rest", "imagined right fist", "rest", "imagined left fist"],
        ),
        "S002R13": ("both fists or feet", marks, ["rest", "both feet", "rest", "both fists"]),
    }
    expected = {}
    for name, (task, marked, meant) in given.items():
        signal = 1000 * millivolts(64, 160).T
        write_edf(folder / name[:4] / f"{name}.edf", EEGMMIDB, signal, 160.0, annotations=marked)
        (folder / name[:4] / f"{name}.edf.event").touch()
        expected[name] = Expected(
            name[:4],
            codes=(("eegmmidb", task, None),),
            source=f"{name[:4]}/{name}.edf",
            events=tuple((*mark[:2], word, mark[2]) for mark, word in zip(marked, meant, strict=True)),
            stimuli=tuple((word, trial) for trial, word in enumerate(meant, start=1)),
        )
    return expected


def sleep_edf(folder: Path) -> dict[str, Expected]:
    labels = ("EEG Fpz-Cz", "EEG Pz-Oz", "EOG horizontal", "EMG submental")
    # The hypnogram goes on after the recording.
    stages = [(0.0, 1.0, "Sleep stage W"), (1.0, 0.5, "Sleep stage 4"), (1.5, 30.0, "Sleep stage ?")]
    given = {
        "SC4001E": ("SC400", "sleep-cassette", 33.0, "female", "0", "C"),
        "SC4002E": ("SC400", "sleep-cassette", 33.0, "female", "0", "C"),
        "ST7011J": ("ST701", "sleep-telemetry", 60.0, "male", "0", "P"),
    }
    expected = {}
    for night, (subject, place, age, sex, recorder, scorer) in given.items():
        person = Patient(sex=sex[0].upper(), name=f"{sex.capitalize()}_{age:.0f}yr")
        path = folder / place / f"{night}{recorder}-PSG.edf"
        write_edf(path, labels, 1000 * millivolts(4, 100).T, 100.0, patient=person)
        write_edf(path.parent / f"{night}{scorer}-Hypnogram.edf", [], np.empty((0, 0)), 1.0, annotations=stages)
        expected[night] = Expected(
            subject,
            age,
            sex,
            tuple(("edf-sleep", stage, None) for _, _, stage in stages),
            source=f"{place}/{night}{recorder}-PSG.edf",
            events=tuple((*stage, "") for stage in stages),
            meta={"sub_corpus": place.removeprefix("sleep-")},
        )
    return expected


# The last four are of the recorder: nothing is connected, and T8-P8 is there twice.
CHB_MIT = (  # noqa: SIM905 -- easier to compare with the headers
    "FP1-F7 F7-T7 T7-P7 P7-O1 FP1-F3 F3-C3 C3-P3 P3-O1 FP2-F4 F4-C4 C4-P4 P4-O2 FP2-F8 F8-T8 T8-P8 P8-O2 FZ-CZ CZ-PZ "
    "P7-T7 T7-FT9 FT9-FT10 FT10-T8 T8-P8 - - ."
).split()
SUMMARY = """Data Sampling Rate: 256 Hz
*************************

Channels in EDF Files:
**********************
Channel 1: FP1-F7

"""


def chb_signal() -> np.ndarray:
    signal = 1000 * millivolts(len(CHB_MIT), 256).T
    signal[22], signal[23:] = signal[14], 0
    return signal


def chb_mit(folder: Path) -> dict[str, Expected]:
    given: dict[str, tuple[str, float | None, str | None, list[tuple[int, int]]]] = {
        "chb01/chb01_01": ("chb01", 11.0, "female", []),
        "chb01/chb01_03": ("chb01", 11.0, "female", [(0, 1)]),
        "chb21/chb21_19": ("chb01", 13.0, "female", [(0, 1), (1, 2)]),
        "chb17/chb17a_03": ("chb17", 12.0, "female", []),
        "chb24/chb24_01": ("chb24", None, None, [(1, 2)]),
    }
    (folder / "SUBJECT-INFO").write_text(
        "Case\tGender\tAge (years)\nchb01\tF\t11\nchb17\tF\t12\nchb21\tF\t13\n\nCase chb24 was added later.\n"
    )
    expected = {}
    for place, (subject, age, sex, seizures) in given.items():
        path = folder / f"{place}.edf"
        write_edf(path, CHB_MIT, chb_signal(), 256.0)
        lines = [f"File Name: {path.name}"]
        if "chb24" not in place:
            lines += ["File Start Time: 11:42:54", "File End Time: 12:42:54"]
        lines.append(f"Number of Seizures in File: {len(seizures)}")
        for number, (start, end) in enumerate(seizures, start=1):
            word = f"Seizure {number} " if len(seizures) > 1 else "Seizure "
            lines += [f"{word}Start Time: {start} seconds", f"{word}End Time:   {end} seconds"]
        summary = path.parent / f"{place[:5]}-summary.txt"
        before = summary.read_text() if summary.is_file() else SUMMARY
        summary.write_text(before + "\n".join(lines) + "\n\n")
        expected[path.stem] = Expected(
            subject,
            age,
            sex,
            (("chb-mit", "seizure" if seizures else "no seizure", None),),
            source=f"{place}.edf",
            events=tuple((start, end - start, "seizure", "") for start, end in seizures),
        )
    return expected


KALUNGA = ("Oz", "O1", "O2", "PO3", "POz", "PO7", "PO8", "PO4")


def write_fif(path: Path, names: Sequence[str], signal: np.ndarray, rate: float, triggers: dict[int, int]) -> None:
    """A FIF file of EEG in microvolts, with a trigger channel that holds a number for four samples from each sample."""
    path.parent.mkdir(parents=True, exist_ok=True)
    stim = np.zeros((1, signal.shape[1]))
    for sample, number in triggers.items():
        stim[0, sample : sample + 4] = number
    info = mne.create_info([*names, "stim"], rate, ["eeg"] * len(names) + ["stim"])
    raw = mne.io.RawArray(np.concatenate([1e-6 * signal, stim]), info, verbose="error")
    raw.save(path, overwrite=True, verbose="error")


def kalunga2016(folder: Path) -> dict[str, Expected]:
    expected = {}
    for name in ("subject01_run1", "subject07_run3", "subject06_run3"):
        triggers = {128: 2, 192: 4, 256: 1, 320: 3}
        write_fif(folder / f"{name}_raw.fif", KALUNGA, 1000 * millivolts(8, 256).T, 256.0, triggers)
        kinds = ("13 Hz", "17 Hz", "rest", "21 Hz")
        expected[name] = Expected(
            name[:9],
            source=f"{name}_raw.fif",
            events=tuple(
                (sample / 256, 5.0, kind, str(number))
                for (sample, number), kind in zip(triggers.items(), kinds, strict=True)
            ),
            stimuli=tuple((kind, trial) for trial, kind in enumerate(kinds, start=1)),
        )
    # Person 06 has no third run: the archive holds that of person 07 under both names.
    del expected["subject06_run3"]
    return expected


WRITERS: dict[str, Callable[[Path], dict[str, Expected]]] = {
    "dasps": dasps,
    "eegmat": eegmat,
    "eegmmidb": eegmmidb,
    "sleep-edf": sleep_edf,
    "chb-mit": chb_mit,
    "kalunga2016": kalunga2016,
}
