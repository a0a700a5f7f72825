"""A tiny instance of every licensed corpus of emotions, written the way its owners write it, and what it says."""

from __future__ import annotations

import pickle
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import savemat

from biosig.corpora import deap as deap_module
from biosig.corpora import dreamer as dreamer_module
from biosig.corpora import faced as faced_module
from tests.biosig.corpora.synthetic import Expected, millivolts

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
_CLASSES = (
    "anger anger anger disgust disgust disgust fear fear fear sadness sadness sadness neutral neutral neutral neutral "
    "amusement amusement amusement inspiration inspiration inspiration joy joy joy tenderness tenderness tenderness"
)
FACED_CLASSES = _CLASSES.split()


def microvolts(channels: int, rate: float, seconds: float) -> np.ndarray:
    return 1000 * millivolts(channels, rate, seconds).T


def save(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    savemat(path, content, do_compression=True, oned_as="row")


def dump(path: Path, content: object, protocol: int = 2) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(content, protocol))


def film(label: str, stimulus: str, trial: int | None, seconds: float) -> dict[str, Any]:
    return {"events": ((0.0, seconds, label, ""),), "stimuli": ((stimulus, trial),)}


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


def write_cnt(
    path: Path,
    names: Sequence[str],
    rate: int,
    n_samples: int,
    *,
    values: dict[int, np.ndarray] | None = None,
    declared: int | None = None,
) -> None:
    """A Neuroscan file of 32 bits, a unit being a microvolt: zeros but for the values (channel, time) at a sample.

    Args:
        path: The file; what is zero in it takes no room on disk.
        names: Of the channels.
        rate: Hz.
        n_samples: Of each channel.
        values: By first sample.
        declared: The count of samples in the header, if it is to be wrong.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    data = 900 + 75 * len(names)
    table = data + 4 * len(names) * n_samples
    setup = bytearray(900)
    setup[:12] = b"Version 3.0\0"
    setup[225:247] = b"08/04/18\0\0" + b"10:00:00\0\0\0\0"
    struct.pack_into("<H", setup, 370, len(names))
    struct.pack_into("<H", setup, 376, rate)
    struct.pack_into("<i", setup, 864, n_samples if declared is None else declared)
    struct.pack_into("<i", setup, 886, table)
    with path.open("wb") as file:
        file.write(setup)
        for number, name in enumerate(names):
            channel = bytearray(75)
            channel[:10] = name.encode().ljust(10, b"\0")
            struct.pack_into("<ff", channel, 19, float(number % 8), float(number // 8))
            struct.pack_into("<f", channel, 59, 1.0)  # sensitivity
            struct.pack_into("<f", channel, 71, 204.8)  # calibration
            file.write(channel)
        for first, block in (values or {}).items():
            file.seek(data + 4 * len(names) * first)
            file.write(np.ascontiguousarray(block.T, dtype="<i4").tobytes())
        file.seek(table)
        file.write(struct.pack("<BII", 1, 0, 0))  # an event table of the first kind, empty


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


def write_npz(path: Path, data: object, label: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, data=np.array(pickle.dumps(data, 3)), label=np.array(pickle.dumps(label, 3)))


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


def remarks(order: Sequence[int], ratings: np.ndarray) -> dict[str, Any]:
    """`After_remark`, 28 x 1, in the order of presentation, as MATLAB has it."""
    found = np.zeros((len(order), 1), dtype=[("score", object), ("trial", object), ("vid", object)])
    for place, clip in enumerate(order):
        found[place, 0] = (ratings[clip - 1][:, None], float(place % 3 + 1), float(clip))
    return {"After_remark": found}


FACED_ORDER = tuple((np.arange(28) * 5 % 28 + 1).tolist())
FACED_RATINGS = np.round(np.linspace(0, 7, 28 * 12), 2).reshape(28, 12)


def _faced(folder: Path, place: str, content: np.ndarray, seconds: float) -> dict[str, Expected]:
    expected = {}
    # The first has its own ratings and is in the table.
    save(folder / "Data" / "sub000" / "After_remarks.mat", remarks(FACED_ORDER, FACED_RATINGS))
    (folder / "Recording_info.csv").write_text("sub,Gender,Age,Cohort ,Sample_rate,Unit\nsub000,F,22,1,1000,V\n")
    for subject in ("sub000", "sub122"):
        where = place.format(subject)
        dump(folder / where, content, 4)
        known = subject == "sub000"
        for clip, label in enumerate(FACED_CLASSES, start=1):
            rated = FACED_RATINGS[clip - 1]
            own = {"valence": rated[9], "arousal": rated[8], "liking": rated[11], "familiarity": rated[10]}
            expected[f"{subject}-{clip:02d}"] = Expected(
                subject,
                22.0 if known else None,
                "female" if known else None,
                (
                    ("faced", label, None),
                    *((name, f"{value:g}", None) for name, value in own.items() if known),
                ),
                source=where,
                **film(label, f"faced-{clip:02d}", FACED_ORDER.index(clip) + 1 if known else None, seconds),
            )
    return expected


def faced(folder: Path) -> dict[str, Expected]:
    seconds = faced_module.SECONDS
    signal = np.broadcast_to(microvolts(32, 250, seconds).astype(np.float32), (28, 32, 250 * seconds))
    return _faced(folder, "Processed_data/{}.pkl", signal, float(seconds))


def faced_de(folder: Path) -> dict[str, Expected]:
    seconds = faced_module.SECONDS
    return _faced(folder, "EEG_Features/DE/{}.pkl.pkl", np.zeros((28, 32, seconds, BANDS)), float(seconds))


DEAP_RATINGS = np.round(1 + 8 * np.linspace(0, 1, 160).reshape(4, 40).T[:, [0, 3, 1, 2]], 2)


def deap_data() -> np.ndarray:
    seconds = deap_module._SAMPLES / 128
    return np.broadcast_to(microvolts(40, 128, seconds).astype(np.float32), (40, 40, deap_module._SAMPLES))


def deap(folder: Path) -> dict[str, Expected]:
    content = {"labels": DEAP_RATINGS, "data": deap_data()}
    dump(folder / "data_preprocessed_python" / "s01.dat", content)
    # The same twice: the other form is left alone.
    save(folder / "data_preprocessed_matlab" / "s01.mat", {"data": np.zeros((1, 1)), "labels": DEAP_RATINGS})
    save(folder / "data_preprocessed_matlab" / "s32.mat", content)
    order = {video: 40 - video + 1 for video in range(1, 41)}
    rows = [f"1,{trial},{video},1695918,6.96,3.92,7.19,6.05,4" for video, trial in order.items()]
    (folder / "metadata_csv").mkdir()
    (folder / "metadata_csv" / "participant_ratings.csv").write_text(
        "\n".join(["Participant_id,Trial,Experiment_id,Start_time,Valence,Arousal,Dominance,Liking,Familiarity", *rows])
    )
    expected = {}
    for subject, place in (("s01", "data_preprocessed_python/s01.dat"), ("s32", "data_preprocessed_matlab/s32.mat")):
        for video in range(1, 41):
            valence, arousal, dominance, liking = DEAP_RATINGS[video - 1]
            given = {"valence": valence, "arousal": arousal, "dominance": dominance, "liking": liking}
            quadrant = f"{'H' if valence > 5 else 'L'}V{'H' if arousal > 5 else 'L'}A"
            expected[f"{subject}-{video:02d}"] = Expected(
                subject,
                codes=(*((name, f"{value:g}", None) for name, value in given.items()), ("deap", quadrant, None)),
                source=place,
                events=((0.0, 3.0, "baseline", ""), (3.0, deap_module._SAMPLES / 128 - 3, "video", "")),
                stimuli=(("", None), (f"deap-{video:02d}", order[video] if subject == "s01" else None)),
            )
    return expected


def cells(*values: object) -> np.ndarray:
    """A cell array of n x 1."""
    found = np.empty((len(values), 1), dtype=object)
    for row, value in enumerate(values):
        found[row, 0] = value
    return found


DREAMER_SCORES = {"ScoreValence": 3, "ScoreArousal": 1, "ScoreDominance": 5}
EMOTIV = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")


def dreamer_person(age: str, sex: str) -> dict[str, Any]:
    """A second of baseline and two of film, the sines of which go on over the seam."""
    both = np.concatenate([microvolts(16, 256, 3)[:14], microvolts(16, 256, 3)[14:]])
    eeg, ecg = both[:14, ::2].T, both[14:].T
    return {
        "Age": age,
        "Gender": sex,
        "EEG": {"baseline": cells(*[eeg[:128]] * 18), "stimuli": cells(*[eeg[128:]] * 18)},
        "ECG": {"baseline": cells(*[ecg[:256]] * 18), "stimuli": cells(*[ecg[256:]] * 18)},
        **{name: np.full((18, 1), score, np.uint8) for name, score in DREAMER_SCORES.items()},
    }


def dreamer_struct() -> dict[str, Any]:
    people = [dreamer_person(age, sex) for age, sex in (("22", "male"), ("25", "female"))]
    people = people * (-(-dreamer_module._PEOPLE // 2))
    data = np.empty((1, dreamer_module._PEOPLE), dtype=object)
    for column in range(dreamer_module._PEOPLE):
        data[0, column] = people[column]
    return {
        "Data": data,
        "EEG_SamplingRate": 128.0,
        "ECG_SamplingRate": 256.0,
        "EEG_Electrodes": np.array([EMOTIV], dtype=object),
        "noOfSubjects": 23.0,
        "noOfVideoSequences": 18.0,
        "Disclaimer": "While every care has been taken ...",
    }


def dreamer(folder: Path) -> dict[str, Expected]:
    save(folder / "DREAMER.mat", {"DREAMER": dreamer_struct()})
    return {
        f"{person:02d}-{number:02d}": Expected(
            f"{person:02d}",
            22.0 if person == 1 else 25.0,
            "male" if person == 1 else "female",
            (("valence", "3", None), ("arousal", "1", None), ("dominance", "5", None)),
            source="DREAMER.mat",
            events=((0.0, 1.0, "baseline", ""), (1.0, 2.0, "film", "")),
            stimuli=(("", None), (f"dreamer-{number:02d}", None)),
            atol=40.0,
        )
        for person in (1, 2)
        for number in range(1, 19)
    }


WRITERS: dict[str, Callable[[Path], dict[str, Expected]]] = {
    "seed": seed,
    "seed-de": seed_de,
    "seed-iv": seed_iv,
    "seed-iv-de": seed_iv_de,
    "seed-v": seed_v,
    "seed-v-de": seed_v_de,
    "faced": faced,
    "faced-de": faced_de,
    "deap": deap,
    "dreamer": dreamer,
}
