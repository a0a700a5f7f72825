"""FACED: 28 film clips of nine emotions, seen by 123 people."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Num

from biosig.corpora import emotion, headers, tables
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.errors import RecordError
from biosig.readers.matlab import read_matlab
from biosig.readers.restricted_pickle import read_pickle
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split

# The order of the second cohort, to which the owners brought the first one; T7 is their T3, P7 their T5.
_ORDER = "Fp1 Fp2 Fz F3 F4 F7 F8 FC1 FC2 FC5 FC6 Cz C3 C4 T7 T8 CP1 CP2 CP5 CP6 Pz P3 P4 P7 P8 PO3 PO4 Oz O1 O2 A2 A1"
CHANNELS = tuple(_ORDER.split())
RATE = 250.0
SECONDS = 30
SCALE = (0.0, 7.0)
_CLASSES = ("anger", "disgust", "fear", "sadness", "neutral", "amusement", "inspiration", "joy", "tenderness")
# Three clips an emotion, four of the neutral.
_CLIPS = tuple(name for name in _CLASSES for _ in range(4 if name == "neutral" else 3))
# The twelve numbers of `score`.
_SCORE = "joy tenderness inspiration amusement anger disgust fear sadness arousal valence familiarity liking"
_ITEMS = tuple(_SCORE.split())
_CODES = ("valence", "arousal", "liking", "familiarity")
_FILE = re.compile(r"(sub\d{3})\.pkl(?:\.pkl)?")
# EEG below a hundredth of a microvolt is in volts, and volts above a thousandth are none of EEG.
_VOLTS, _MICROVOLTS = (1e-9, 1e-3), (1e-2, 1e4)


class _Card:
    """What the recordings and their features have in common."""

    licence = "by application to Synapse (syn50614194), for research"
    citation = (
        "Chen J, Wang X, Huang C, Hu X, Shen X, Zhang D. A large finer-grained affective computing EEG dataset. "
        "Scientific Data 10:740, 2023. doi:10.1038/s41597-023-02650-w"
    )
    url = "https://www.synapse.org/#!Synapse:syn50614194"
    access = (
        "Synapse asks for a free account and for its conditions of use to be accepted on that page; take "
        "Processed_data.zip"
    )
    split = Split()


class Faced(_Card):
    """FACED, `Processed_data`: 32 electrodes at 250 Hz, the last 30 s of every clip, 0.05 to 47 Hz, average reference.

    A recording is one trial: a person and a clip; its event `faced-01` to `faced-28` lasts from the first sample to
    the last. The code is the emotion that the clip is for (system `faced`). Where `Data/sub000/After_remarks.mat` is
    in the folder, the person's own `valence`, `arousal`, `liking` and `familiarity` from 0 to 7 are codes as well, all
    twelve ratings are in the meta, and the trial is the clip's place in the order of presentation; otherwise it is
    unknown: the owners sorted the trials by clip. Age and sex are those of `Recording_info.csv`, where it is there.

    Layout, checked against the owners' description and read-me and several independent programs:
    `Processed_data/sub000.pkl`, an array of 28 x 32 x 7500; the order of clips and of channels; `After_remark` with
    `score` and `vid`, in the order of presentation; the columns of the table. The owners' text says microvolts, but
    copies in volts are told of: which it is, is decided by the size of the values and noted as `unit_found`; values
    that would be neither are an error.
    """

    name = "faced"
    title = "FACED: nine emotions by film clips, 32 electrodes"
    modality: tuple[Modality, ...] = (Modality.EEG,)
    sampling_rates: tuple[float, ...] = (RATE,)

    def find(self, source: Path) -> Entries:
        return _entries(source, self.name, "Processed_data/sub000.pkl and others", re.compile("Processed_[Dd]ata"))

    def read(self, entry: Entry) -> Recording:
        shape = (len(_CLIPS), len(CHANNELS), int(SECONDS * RATE))
        trials = emotion.shaped(entry.path, "array", _array(entry.path), shape)
        unit = _unit(entry.path, trials)
        signal = trials[entry.meta["clip"] - 1] * (1e6 if unit == "V" else 1.0)
        return _complete(emotion.trial(signal, CHANNELS, RATE, unit_found=unit), entry)


class FacedFeatures(_Card):
    """FACED as differential entropy, `EEG_Features/DE`: 32 electrodes x 5 bands, one value a second, not smoothed.

    The trials, their stimuli and codes are those of `faced`; a channel is an electrode and a band (`Fp1/delta`).
    Prepare them at their own rate (`--rate 1`).

    Layout, checked as for `faced`: `EEG_Features/DE/sub000.pkl.pkl` (the second ending is in the release; both are
    read), an array of 28 x 32 x 30 x 5: delta 1-4, theta 4-8, alpha 8-14, beta 14-30, gamma 30-47 Hz.
    """

    name = "faced-de"
    title = "FACED as differential entropy in five bands"
    modality: tuple[Modality, ...] = (Modality.OTHER,)
    sampling_rates: tuple[float, ...] = (1.0,)

    def find(self, source: Path) -> Entries:
        return _entries(source, self.name, "EEG_Features/DE/sub000.pkl.pkl and others", re.compile("DE"))

    def read(self, entry: Entry) -> Recording:
        shape = (len(_CLIPS), len(CHANNELS), SECONDS, len(emotion.BANDS))
        trials = emotion.shaped(entry.path, "array", _array(entry.path), shape)
        return _complete(emotion.features(trials[entry.meta["clip"] - 1], CHANNELS, 1.0), entry)


@emotion.once
def _array(path: Path) -> Any:
    return read_pickle(path)


def _unit(path: Path, trials: Num[np.ndarray, "clip channel time"]) -> str:
    # Some values tell the size of all; a step without a common factor with the rate sees every phase of a rhythm.
    size = float(np.median(np.abs(trials[..., ::37])))
    for unit, (low, high) in (("V", _VOLTS), ("uV", _MICROVOLTS)):
        if low <= size <= high:
            return unit
    raise RecordError(path, "array", "EEG in volts or microvolts", f"values of {size:.3g}")


def _entries(source: Path, corpus: str, expected: str, parent: re.Pattern[str]) -> Entries:
    found = emotion.files(source, corpus, expected, name=_FILE, parent=parent)
    table = tables.locate(source, "Recording_info.csv")
    remarks = {path.parent.name: str(path) for path in headers.walk(source, ("after_remarks.mat",))}
    return Entries(
        Entry(
            f"{match[1]}-{number:02d}",
            path,
            {
                "source": place,
                "subject": match[1],
                "clip": number,
                "remarks": remarks.get(match[1]),
                "table": table and str(table),
            },
        )
        for match, path, place in found
        for number in range(1, len(_CLIPS) + 1)
    )


def _complete(recording: Recording, entry: Entry) -> Recording:
    subject, clip = entry.meta["subject"], entry.meta["clip"]
    trial, scores = _remark(Path(entry.meta["remarks"]), clip) if entry.meta["remarks"] else (None, {})
    person = _people(Path(entry.meta["table"])).get(subject, {}) if entry.meta["table"] else {}
    label = _CLIPS[clip - 1]
    given = {name: scores[name] for name in _CODES if name in scores}
    rated: dict[str, Any] = {"ratings": scores, "rating_scale": dict.fromkeys(_ITEMS, SCALE)} if scores else {}
    return complete(
        recording,
        entry,
        subject_id=subject,
        codes=[Code("faced", label), *emotion.ratings(entry.path, given, SCALE)],
        events=[Event(0.0, recording.duration, label, stimulus=f"faced-{clip:02d}", trial=trial)],
        age=headers.age(entry.path, person),
        sex=headers.sex(entry.path, person),
        **rated,
    )


def _remark(path: Path, clip: int) -> tuple[int, dict[str, float]]:
    """When a clip was shown, counted from one, and how it was rated.

    Raises:
        RecordError: If not every clip was shown once, or its ratings are not twelve.
    """
    shown, scores = _remarks(path)
    return shown.index(clip) + 1, scores[shown.index(clip)]


@emotion.once
def _remarks(path: Path) -> tuple[list[int], list[dict[str, float]]]:
    found = read_matlab(path, ["After_remark"]).get("After_remark")
    # An array of structs comes as a struct of arrays.
    found = found if isinstance(found, dict) else {}
    shown = [int(number) for number in np.ravel(found.get("vid", [])) if float(number).is_integer()]
    if sorted(shown) != list(range(1, len(_CLIPS) + 1)):
        raise RecordError(path, "After_remark.vid", f"every clip from 1 to {len(_CLIPS)}", shown)
    rows = [emotion.shaped(path, "After_remark.score", np.ravel(row), (len(_ITEMS),)) for row in found.get("score", ())]
    if len(rows) != len(shown):
        raise RecordError(path, "After_remark.score", f"{len(shown)} of them", len(rows))
    return shown, [dict(zip(_ITEMS, map(float, row), strict=True)) for row in rows]


@emotion.once
def _people(table: Path) -> dict[str, dict[str, str]]:
    """Age and sex by subject; a damaged row leaves one person unknown."""
    rows = [row for _, row in tables.rows(table, ("sub", "Gender", "Age")) if row]
    return {row["sub"].strip(): {"age": row["Age"].strip(), "sex": row["Gender"].strip()} for row in rows}


for _corpus in (Faced(), FacedFeatures()):
    CORPORA.add(_corpus.name, _corpus)
