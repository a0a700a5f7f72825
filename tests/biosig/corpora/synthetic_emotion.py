"""A tiny instance of FACED, DEAP and DREAMER, written the way their owners write it, and what it says."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from biosig.corpora import deap as deap_module
from biosig.corpora import dreamer as dreamer_module
from biosig.corpora import faced as faced_module
from tests.biosig.corpora.emotion_files import cells, dump, film, microvolts, save
from tests.biosig.corpora.synthetic import Expected

BANDS = 5
_CLASSES = (
    "anger anger anger disgust disgust disgust fear fear fear sadness sadness sadness neutral neutral neutral neutral "
    "amusement amusement amusement inspiration inspiration inspiration joy joy joy tenderness tenderness tenderness"
)
FACED_CLASSES = _CLASSES.split()


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


DEAP_RATINGS = np.round(1 + 8 * (np.arange(160) * 37 % 160) / 159, 2).reshape(40, 4)


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
            # The EEG is interpolated to the rate of the ECG: a sample beside the last one knows one neighbour only, and
            # the very last of baseline and film come after all that the headset gave.
            atol=0.75,
            beyond=(255, 767),
        )
        for person in (1, 2)
        for number in range(1, 19)
    }


WRITERS: dict[str, Callable[[Path], dict[str, Expected]]] = {
    "faced": faced,
    "faced-de": faced_de,
    "deap": deap,
    "dreamer": dreamer,
}
