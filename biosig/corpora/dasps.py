"""DASPS: anxious or not while a therapist tells a frightening story, and while it is recalled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from biosig.corpora import tables
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.corpora.named import named
from biosig.corpora.spreadsheet import cells
from biosig.errors import CorpusError, RecordError
from biosig.quality import QualityFlag
from biosig.readers.hdf5 import read_hdf5_arrays
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split

# A small `s01.mat` is a file of DEAP.
_FILE = re.compile(r"(S\d\d)(?i:preprocessed)?\.(?i:mat)")
_TABLE, _WORKBOOK = "ratings.csv", "participant_rating_public.xlsx"
# The columns of the workbook that are needed, and what they are called in the table.
_OWN_NAMES = {"Id Participant": "subjectID", "Id situation": "situationID", "valence": "valence", "Arousal": "Arousal"}
_CLASSES = {"dasps-2-class": "2_class", "dasps-4-class": "4_class"}
_RATINGS = {"valence": "valence", "arousal": "Arousal"}
_COLUMNS = ("subjectID", "situationID", *_RATINGS.values(), *_CLASSES.values())
# The headset's own order, counter-clockwise from the left of the forehead.
CHANNELS = ("AF3", "F7", "F3", "FC5", "T7", "P7", "O1", "O2", "P8", "T8", "FC6", "F4", "F8", "AF4")
RATE = 128.0
SECONDS = 15.0
PHASES = ("recited", "recalled")
SITUATIONS = 6
TRIALS = SITUATIONS * len(PHASES)
SCALE = (1.0, 9.0)


class Dasps:
    """Database for Anxious States based on a Psychological Stimulation: 23 people, 6 situations, 14 electrodes.

    A recording is one trial of 15 s: a situation as it is `recited` or, right after, `recalled`; twelve a person, in
    the order of the experiment. Its one event is the stimulus, `situation 3 recited`, the same for everybody. The
    situations were told by a voice: equal moments of two people are equal to a second or two, no better.

    Codes: the classes of the authors (`dasps-2-class`, `dasps-4-class`) and the ratings of the situation on scales
    from 1 to 9 (`valence`, `arousal`); a situation has one rating for both phases. Seven situations are `Anxious` in
    the column of four classes too, without a degree. A trial that no table rates has the ratings in its file, and if
    there are none the flag `unannotated`.

    The files do not name a unit. Read as microvolts, the electrodes have standard deviations of 5 to 13 in a band of
    4 to 45 Hz and an alpha peak: that is scalp EEG. Hamilton's score before and after, and the situation that moved
    the person most, are in the meta where the files have them.

    Files are called `S01.mat` or, in the owners' folder `Preprocessed data .mat`, `S01preprocessed.mat`; where both are
    there the latter is read. The ratings are in `ratings.csv`, one row a situation with the columns subjectID,
    situationID, valence, Arousal, 2_class, 4_class, or else in the owners' `participant_rating_public.xlsx`, which has
    no classes.
    """

    name = "dasps"
    title = "DASPS: Database for Anxious States based on a Psychological Stimulation"
    modality = (Modality.EEG,)
    licence = "CC BY 4.0, as far as is known"
    citation = (
        "Baghdadi A, Aribi Y, Fourati R, Halouani N, Siarry P, Alimi A. Psychological stimulation for anxious states "
        "detection based on EEG-related features. Journal of Ambient Intelligence and Humanized Computing "
        "12:8519-8533, 2021. doi:10.1007/s12652-020-02586-8; arXiv:1901.02942"
    )
    url = "https://ieee-dataport.org/open-access/dasps-database"
    access = "IEEE DataPort asks for a free account; sign in there and put the files of its page into one folder"
    split = Split()
    sampling_rates = (RATE,)

    def find(self, source: Path) -> Entries:
        files = named(source, self.name, "S01.mat to S23.mat, twelve trials each", _FILE)
        # Of a file as recorded and the same preprocessed, `Entries` keeps the first.
        files.sort(key=lambda file: "preprocessed" not in file[1].name.lower())
        rated, skipped = _ratings(Path(source))
        entries = [
            Entry(
                f"{subject}-{trial:02d}",
                path,
                {
                    "source": where,
                    "subject": subject,
                    "trial": trial,
                    "row": rated.get((subject, _situation(trial)), {}),
                },
            )
            for subject, path, where in ((match[1].upper(), path, where) for match, path, where in files)
            for trial in range(1, TRIALS + 1)
        ]
        there = {entry.record_id for entry in entries}
        listed = [f"{subject}-{2 * n - 1 + k:02d}" for subject, n in sorted(rated) for k in range(len(PHASES))]
        return Entries(entries, missing=[record for record in listed if record not in there], skipped=skipped)

    def read(self, entry: Entry) -> Recording:
        trial: int = entry.meta["trial"]
        found = read_hdf5_arrays(entry.path, ("data", "labels", "hamilton", "situation"))
        codes = list(_codes(entry, found.get("labels")))
        stimulus = f"situation {_situation(trial)} {PHASES[(trial - 1) % 2]}"
        hamilton = found.get("hamilton", np.empty(0)).ravel()
        recording = Recording(
            signal=_signal(entry.path, found.get("data"), trial),
            channels=CHANNELS,
            sampling_rate=RATE,
            modality=(Modality.EEG,) * len(CHANNELS),
            meta={"format": "matlab 7.3", "flags": () if codes else (QualityFlag.UNANNOTATED.value,)},
        )
        return complete(
            recording,
            entry,
            subject_id=entry.meta["subject"],
            codes=codes,
            events=[Event(0.0, SECONDS, stimulus, stimulus=stimulus, trial=trial)],
            rating_scale=dict.fromkeys(_RATINGS, SCALE),
            hamilton=tuple(map(float, hamilton)) if hamilton.size == len(("before", "after")) else None,
            provoking_situation="".join(chr(int(letter)) for letter in found.get("situation", np.empty(0)).ravel()),
        )


def _situation(trial: int) -> int:
    return (trial + 1) // len(PHASES)


def _ratings(source: Path) -> tuple[dict[tuple[str, int], tables.Row], list[tuple[str, str]]]:
    """The rows of the table by person and situation, and the damaged ones with what is wrong with them."""
    rated: dict[tuple[str, int], tables.Row] = {}
    skipped = []
    for where, row in _table(source):
        key = (row["subjectID"].upper(), int(row["situationID"])) if row and _is_situation(row) else None
        if row is None or key is None or key in rated:
            skipped.append((where, f"expected a new situation from 1 to {SITUATIONS}, got {row}"))
        else:
            rated[key] = {**row, "table": where.partition(" ")[0]}
    return rated, skipped


def _table(source: Path) -> Iterator[tuple[str, tables.Row | None]]:
    """Where each row is, and its cells by the names of `ratings.csv`."""
    if table := tables.locate(source, _TABLE):
        for where, row in tables.rows(table, _COLUMNS):
            yield f"{_TABLE} {where}", row
    elif workbook := tables.locate(source, _WORKBOOK):
        names, *lines = cells(workbook) or [[]]
        if lost := [name for name in _OWN_NAMES if name not in names]:
            raise CorpusError(f"{workbook}: expected a column {lost[0]!r}, found {', '.join(names) or 'no columns'}")
        person = ""
        for number, line in enumerate(lines, start=1):
            own = dict(zip(names, line, strict=False))
            # A person is named in the first of their rows alone.
            person = own.get("Id Participant") or person
            row = {_OWN_NAMES.get(name, name): cell for name, cell in own.items()}
            yield f"{_WORKBOOK} row {number}", {**row, "subjectID": person}


def _is_situation(row: tables.Row) -> bool:
    return bool(row["subjectID"]) and row.get("situationID", "") in map(str, range(1, SITUATIONS + 1))


def _codes(entry: Entry, labels: np.ndarray | None) -> Iterator[Code]:
    """Classes and ratings; what the table and the file both say must be the same."""
    row: tables.Row = entry.meta["row"]
    for system, column in _CLASSES.items():
        if row.get(column, "").strip():
            yield Code(system, row[column].strip())
    if labels is not None and labels.shape != (len(_RATINGS), TRIALS):
        raise RecordError(entry.path, "labels", f"two ratings of {TRIALS} trials", labels.shape)
    for place, (system, column) in enumerate(_RATINGS.items()):
        said = [row[column].strip()] if row.get(column, "").strip() else []
        said += [] if labels is None else [f"{labels[place, entry.meta['trial'] - 1]:g}"]
        for text in said:
            if not re.fullmatch(r"[1-9](\.\d+)?", text) or float(text) > SCALE[1]:
                raise RecordError(entry.path, system, "a rating from 1 to 9", text)
            if float(text) != float(said[0]):
                raise RecordError(entry.path, system, f"{said[0]}, as in {row['table']}", text)
        if said:
            yield Code(system, said[0])


def _signal(path: Path, data: np.ndarray | None, trial: int) -> Float32[np.ndarray, "channel time"]:
    shape = (TRIALS, round(SECONDS * RATE), len(CHANNELS))
    if data is None or data.shape != shape:
        raise RecordError(path, "data", f"an array {shape}", None if data is None else data.shape)
    return np.ascontiguousarray(data[trial - 1].T, dtype=np.float32)


CORPORA.add(Dasps.name, Dasps())
