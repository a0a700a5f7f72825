"""EEG during mental arithmetic: nineteen electrodes and an ECG lead, at rest and while subtracting."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from biosig.corpora import headers, tables
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.corpora.named import named
from biosig.errors import RecordError
from biosig.quality import QualityFlag
from biosig.readers.edf import read_edf
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split

_FILE = re.compile(r"(Subject\d\d)_([12])\.edf", re.IGNORECASE)
_TABLE = "subject-info.csv"
_COLUMNS = ("Subject", "Age", "Gender", "Recording year", "Number of subtractions", "Count quality")
_TASKS = {"1": "rest", "2": "arithmetic"}
_COUNTING = {"0": "bad", "1": "good"}


class Eegmat:
    """EEG During Mental Arithmetic Tasks 1.0.0: 36 people, 3 min of rest and the first minute of serial subtraction.

    A recording has one event, the stimulus `rest` (`Subject00_1.edf`) or `arithmetic` (`_2`); trials 1 and 2 of the
    person. It ends before the zeros, a little less than a second of them, with which every file is filled up. Codes:
    the same words in the system `eegmat`, and in `eegmat-count` whether the person counted well (`good`, 24 people) or
    not (`bad`, 12), which both recordings of the person carry. Age, sex, the year and the number of subtractions come
    from `subject-info.csv`; a person that it does not list has the flag `unannotated`.

    Nineteen electrodes against linked ears, the derivation `A2-A1` between the ears themselves, and one ECG lead that
    the source names only `ECG`. The authors cut the signals at 0.5 and 45 Hz, with a notch at 50 Hz, and took artefacts
    out by ICA.
    """

    name = "eegmat"
    title = "EEG During Mental Arithmetic Tasks 1.0.0"
    modality = (Modality.EEG, Modality.ECG)
    licence = "ODC-By 1.0"
    citation = (
        "Zyma I, Tukaev S, Seleznov I, Kiyono K, Popov A, Chernykh M, Shpenkov O. Electroencephalograms during mental "
        "arithmetic task performance. Data 4(1):14, 2019. doi:10.3390/data4010014"
    )
    url = "https://physionet.org/content/eegmat/1.0.0/"
    split = Split()
    sampling_rates = (500.0,)

    def find(self, source: Path) -> Entries:
        found = named(source, self.name, "Subject00_1.edf to Subject35_2.edf", _FILE)
        people, skipped = _people(Path(source))
        entries = [
            Entry(
                path.stem,
                path,
                {
                    "source": where,
                    "subject": match[1],
                    "task": _TASKS[match[2]],
                    "row": people.get(match[1], {}),
                },
            )
            for match, path, where in found
        ]
        there = {entry.record_id for entry in entries}
        listed = [f"{person}_{number}" for person in sorted(people) for number in _TASKS]
        return Entries(entries, missing=[record for record in listed if record not in there], skipped=skipped)

    def read(self, entry: Entry) -> Recording:
        recording = read_edf(entry.path)
        task, row = entry.meta["task"], entry.meta["row"]
        flags = recording.meta["flags"]
        codes = [Code("eegmat", task)]
        if row:
            codes.append(Code("eegmat-count", _counting(entry, row["Count quality"])))
        else:
            flags = (*flags, QualityFlag.UNANNOTATED.value)
        said = {"age": row.get("Age", ""), "sex": row.get("Gender", "")}
        trial = 1 + list(_TASKS.values()).index(task)
        return complete(
            recording,
            entry,
            subject_id=entry.meta["subject"],
            codes=codes,
            # The recorder's own remarks say how long the file is, and nothing else.
            events=[Event(0.0, _end(recording), task, stimulus=task, trial=trial)],
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
            flags=flags,
            year=row.get("Recording year"),
            subtractions=row.get("Number of subtractions"),
        )


def _end(recording: Recording) -> float:
    """Seconds until every channel stands still for good; the whole length if they never do, or always."""
    moving = np.flatnonzero((recording.signal[:, 1:] != recording.signal[:, :-1]).any(axis=0))
    if not len(moving) or moving[-1] == recording.n_times - 2:
        return recording.duration
    # The first still sample is the first of the filling.
    return float(moving[-1] + 1) / recording.sampling_rate


def _people(source: Path) -> tuple[dict[str, tables.Row], list[tuple[str, str]]]:
    """The rows of the table by person, and the damaged ones with what is wrong with them."""
    table = tables.locate(source, _TABLE)
    people: dict[str, tables.Row] = {}
    skipped = []
    for where, row in tables.rows(table, _COLUMNS) if table else ():
        if row is None or not row["Subject"].strip() or row["Subject"].strip() in people:
            skipped.append((f"{_TABLE} {where}", f"expected a new person and a cell in every column, got {row}"))
        else:
            people[row["Subject"].strip()] = {column: cell.strip() for column, cell in row.items()}
    return people, skipped


def _counting(entry: Entry, text: str) -> str:
    if text not in _COUNTING:
        raise RecordError(entry.path, f"{_TABLE}, Count quality", "0 or 1", text)
    return _COUNTING[text]


CORPORA.add(Eegmat.name, Eegmat())
