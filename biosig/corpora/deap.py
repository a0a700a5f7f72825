"""DEAP: forty music videos of a minute, rated by 32 people while EEG and peripheral signals were recorded."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Num

from biosig.corpora import emotion, tables
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.errors import RecordError
from biosig.readers.matlab import read_matlab
from biosig.readers.restricted_pickle import read_pickle
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split

_ORDER = (
    "Fp1 AF3 F3 F7 FC5 FC1 C3 T7 CP5 CP1 P3 P7 PO3 O1 Oz Pz Fp2 AF4 Fz F4 F8 FC6 FC2 Cz C4 T8 CP6 CP2 P4 P8 PO4 O2 "
    "hEOG vEOG zEMG tEMG GSR Respiration Plethysmograph Temperature"
)
CHANNELS = tuple(_ORDER.split())
# Those that are no voltage: the read-me names the ohm; of the others the amplifier's own numbers are given.
_UNITS = {"GSR": "ohm", "Respiration": "unknown", "Plethysmograph": "unknown", "Temperature": "unknown"}
RATE = 128.0
BASELINE = 3.0
SCALE = (1.0, 9.0)
_MIDDLE = 5.0
_TRIALS = 40
_SAMPLES = 8064
_RATINGS = ("valence", "arousal", "dominance", "liking")
_FILE = re.compile(r"(s(?:0[1-9]|[12]\d|3[0-2]))\.(dat|mat)")
_FOLDERS = re.compile(r"data_preprocessed_(?:python|matlab)")
_TABLE = "participant_ratings.csv"


class Deap:
    """DEAP, preprocessed: 32 electrodes and 8 peripheral channels at 128 Hz; EEG of 4 to 45 Hz, average reference.

    A recording is one trial: a person and a video, 3 s of baseline and a minute of video; its event `deap-01` to
    `deap-40` begins at 3 s, and the baseline is an event without stimulus. The owners sorted the trials by video
    (`Experiment_id`); the trial, which is the place in the order of presentation, is known where
    `participant_ratings.csv` is in the folder or one below it. `s01.dat` (Python) is taken where both it and `s01.mat`
    are there: they hold the same.

    Codes: the person's own `valence`, `arousal`, `dominance` and `liking` from 1 to 9, and the quadrant of the first
    two, `HVHA` to `LVLA`, high above 5, in the system `deap`.

    Layout, checked against the owners' read-me as quoted by several independent programs: `data` of 40 x 40 x 8064,
    `labels` of 40 x 4, the order of channels (Geneva's) and of trials, that GSR is in ohm, the columns of the table.
    From memory: EEG, EOG and EMG are microvolts. The `.dat` files are pickles of Python 2; they are read without
    running them (`biosig.readers.restricted_pickle`).
    """

    name = "deap"
    title = "DEAP: ratings of music videos, 32 electrodes and peripheral signals"
    modality: tuple[Modality, ...] = (
        Modality.EEG,
        Modality.EOG,
        Modality.EMG,
        Modality.RESPIRATION,
        Modality.OTHER,
    )
    licence = "by application to Queen Mary University of London, for academic research only"
    citation = (
        "Koelstra S, Muhl C, Soleymani M, Lee JS, Yazdani A, Ebrahimi T, Pun T, Nijholt A, Patras I. DEAP: a database "
        "for emotion analysis using physiological signals. IEEE Transactions on Affective Computing 3(1):18-31, 2012. "
        "doi:10.1109/T-AFFC.2011.15"
    )
    url = "https://www.eecs.qmul.ac.uk/mmv/datasets/deap/"
    access = (
        "print the end-user licence of its page, have a person with a permanent academic post sign it and "
        "send it in; the answer is a password for data_preprocessed_python.zip"
    )
    split = Split()
    sampling_rates: tuple[float, ...] = (RATE,)

    def find(self, source: Path) -> Entries:
        expected = "data_preprocessed_python/s01.dat or data_preprocessed_matlab/s01.mat and others"
        found = emotion.files(source, self.name, expected, name=_FILE, parent=_FOLDERS)
        by_subject: dict[str, tuple[Path, str]] = {}
        # Sorted by ending, the Python files come first.
        for match, path, place in sorted(found, key=lambda one: (one[0][2], one[1])):
            by_subject.setdefault(match[1], (path, place))
        table = tables.locate(source, _TABLE)
        return Entries(
            Entry(
                f"{subject}-{number:02d}",
                path,
                {
                    "source": place,
                    "subject": subject,
                    "video": number,
                    "table": table and str(table),
                },
            )
            for subject, (path, place) in by_subject.items()
            for number in range(1, _TRIALS + 1)
        )

    def read(self, entry: Entry) -> Recording:
        subject, video = entry.meta["subject"], entry.meta["video"]
        data, labels = _content(entry.path)
        recording = emotion.trial(data[video - 1], CHANNELS, RATE, default=Modality.OTHER, units=_UNITS)
        ratings = dict(zip(_RATINGS, map(float, labels[video - 1]), strict=True))
        codes = list(emotion.ratings(entry.path, ratings, SCALE))
        if not np.isnan(labels[video - 1, :2]).any():
            codes.append(Code("deap", quadrant(ratings["valence"], ratings["arousal"])))
        trial = _presented(Path(entry.meta["table"])).get((subject, video)) if entry.meta["table"] else None
        return complete(
            recording,
            entry,
            subject_id=subject,
            codes=codes,
            events=[
                Event(0.0, BASELINE, "baseline"),
                Event(BASELINE, recording.duration - BASELINE, "video", stimulus=f"deap-{video:02d}", trial=trial),
            ],
            rating_scale=dict.fromkeys(_RATINGS, SCALE),
        )


def quadrant(valence: float, arousal: float) -> str:
    """`HVHA`, `HVLA`, `LVHA` or `LVLA`; high is above 5."""
    return f"{'H' if valence > _MIDDLE else 'L'}V{'H' if arousal > _MIDDLE else 'L'}A"


@emotion.once
def _content(path: Path) -> tuple[Num[np.ndarray, "video channel time"], Num[np.ndarray, "video rating"]]:
    found: Any = read_pickle(path) if path.suffix == ".dat" else read_matlab(path, ("data", "labels"))
    found = found if isinstance(found, dict) else {}
    return (
        emotion.shaped(path, "data", found.get("data"), (_TRIALS, len(CHANNELS), _SAMPLES)),
        emotion.shaped(path, "labels", found.get("labels"), (_TRIALS, len(_RATINGS))),
    )


@emotion.once
def _presented(table: Path) -> dict[tuple[str, int], int]:
    """The place of each video in the order of presentation, by subject and video.

    Raises:
        RecordError: If a row has no whole numbers where there should be.
    """
    found = {}
    columns = ("Participant_id", "Experiment_id", "Trial")
    for where, row in tables.rows(table, columns):
        cells = [row[column].strip() for column in columns] if row else []
        if not cells or not all(cell.isdecimal() for cell in cells):
            raise RecordError(table, where, f"whole numbers in {', '.join(columns)}", cells)
        person, video, trial = map(int, cells)
        found[f"s{person:02d}", video] = trial
    return found


CORPORA.add(Deap.name, Deap())
