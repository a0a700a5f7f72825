"""A tiny instance of every corpus of the SEED family, written the way its owners write it, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.biosig.corpora.emotion_files import film, microvolts, save, write_cnt, write_npz
from tests.biosig.corpora.synthetic import Expected

BANDS = 5
# The labels, typed in once more from the owners' lists, not taken from the corpora.
SEED = "positive neutral negative negative neutral positive negative neutral positive positive neutral negative neutral"
SEED_LABELS = (*SEED.split(), "positive", "negative")
SEED_IV_LABELS = {
    "1": "123020010121112322330303",
    "2": "213002023323201121030131",
    "3": "122133311210233023002010",
}
SEED_IV_CLASSES = ("neutral", "sad", "fear", "happy")
SEED_V_LABELS = {"1": "413204132041320", "2": "213044032134120", "3": "213044032134120"}
SEED_V_CLASSES = ("disgust", "fear", "sad", "neutral", "happy")


def _seed(folder: Path, place: str, write: Callable[[int], dict[str, Any]], seconds: float) -> dict[str, Expected]:
    expected = {}
    for subject, day in (("1", "20131027"), ("1", "20131030"), ("2", "20140404")):
        content: dict[str, Any] = {}
        for number in range(1, 16):
            content |= write(number)
            label = SEED_LABELS[number - 1]
            expected[f"{subject}_{day}-{number:02d}"] = Expected(
                subject,
                codes=(("seed", label, None),),
                source=f"{place}/{subject}_{day}.mat",
                **film(label, f"seed-{number:02d}", number, seconds),
            )
        save(folder / place / f"{subject}_{day}.mat", content)
    numbers = {"positive": 1, "neutral": 0, "negative": -1}
    save(folder / place / "label.mat", {"label": np.array([[numbers[label] for label in SEED_LABELS]])})
    return expected


def seed(folder: Path) -> dict[str, Expected]:
    signal = microvolts(62, 200, 0.2)
    return _seed(folder, "Preprocessed_EEG", lambda number: {f"djc_eeg{number}": signal}, 0.2)


def smoothed(number: int) -> dict[str, Any]:
    return {f"de_LDS{number}": np.zeros((62, 4, BANDS)), f"psd_LDS{number}": np.ones((62, 4, BANDS))}


def seed_de(folder: Path) -> dict[str, Expected]:
    return _seed(folder, "ExtractedFeatures", smoothed, 4.0)


def _seed_iv(folder: Path, place: str, write: Callable[[int], dict[str, Any]], seconds: float) -> dict[str, Expected]:
    expected = {}
    for session, labels in SEED_IV_LABELS.items():
        content: dict[str, Any] = {}
        for number, which in enumerate(labels, start=1):
            content |= write(number)
            label = SEED_IV_CLASSES[int(which)]
            expected[f"1-{session}-{number:02d}"] = Expected(
                "1",
                codes=(("seed-iv", label, None),),
                source=f"{place}/{session}/1_2016051{session}.mat",
                **film(label, f"seed-iv-{session}-{number:02d}", number, seconds),
            )
        save(folder / place / session / f"1_2016051{session}.mat", content)
    return expected


def seed_iv(folder: Path) -> dict[str, Expected]:
    signal = microvolts(62, 200, 0.2)
    return _seed_iv(folder, "eeg_raw_data", lambda number: {f"cz_eeg{number}": signal}, 0.2)


def seed_iv_de(folder: Path) -> dict[str, Expected]:
    return _seed_iv(folder, "eeg_feature_smooth", smoothed, 16.0)


_NAMES = (
    "FP1 FPZ FP2 AF3 AF4 F7 F5 F3 F1 FZ F2 F4 F6 F8 FT7 FC5 FC3 FC1 FCZ FC2 FC4 FC6 FT8 T7 C5 C3 C1 CZ C2 C4 C6 T8 M1 "
    "TP7 CP5 CP3 CP1 CPZ CP2 CP4 CP6 TP8 M2 P7 P5 P3 P1 PZ P2 P4 P6 P8 PO7 PO5 PO3 POZ PO4 PO6 PO8 CB1 O1 OZ O2 CB2 "
    "VEO HEO"
)
CNT_NAMES = _NAMES.split()


SEED_V_ENDS = {"1": 3359, "2": 2817, "3": 3066}
SEED_V_LENGTHS = {
    "1": (72, 96, 237, 187, 147, 258, 297, 69, 264, 141, 174, 172, 234, 240, 155),
    "2": (237, 189, 66, 127, 131, 59, 240, 230, 120, 99, 187, 116, 95, 219, 76),
    "3": (291, 65, 165, 90, 52, 239, 84, 72, 228, 285, 220, 118, 207, 131, 178),
}


def seed_v(folder: Path) -> dict[str, Expected]:
    expected = {}
    for session, labels in SEED_V_LABELS.items():
        place = f"EEG_raw/1_{session}_2018080{session}.cnt"
        write_cnt(folder / place, CNT_NAMES, 10, 10 * SEED_V_ENDS[session] + 10)
        for number, which in enumerate(labels, start=1):
            label, seconds = SEED_V_CLASSES[int(which)], SEED_V_LENGTHS[session][number - 1]
            expected[f"1-{session}-{number:02d}"] = Expected(
                "1",
                codes=(("seed-v", label, None),),
                source=place,
                **film(label, f"seed-v-{session}-{number:02d}", number, seconds),
            )
    return expected


def seed_v_de(folder: Path) -> dict[str, Expected]:
    expected, data, label = {}, {}, {}
    for key, which in enumerate("".join(SEED_V_LABELS.values())):
        session, number, name = str(key // 15 + 1), key % 15 + 1, SEED_V_CLASSES[int(which)]
        data[key], label[key] = np.zeros((3, 310)), np.full(3, float(which))
        expected[f"2-{session}-{number:02d}"] = Expected(
            "2",
            codes=(("seed-v", name, None),),
            source="EEG_DE_features/2_123.npz",
            **film(name, f"seed-v-{session}-{number:02d}", number, 12.0),
        )
    write_npz(folder / "EEG_DE_features" / "2_123.npz", data, label)
    return expected


WRITERS: dict[str, Callable[[Path], dict[str, Expected]]] = {
    "seed": seed,
    "seed-de": seed_de,
    "seed-iv": seed_iv,
    "seed-iv-de": seed_iv_de,
    "seed-v": seed_v,
    "seed-v-de": seed_v_de,
}
