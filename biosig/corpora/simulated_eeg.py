"""Simulated EEG, written by `biosig simulate --kind eeg`: stimuli, classes and latencies are known."""

from __future__ import annotations

import math
from pathlib import Path

from biosig.corpora import headers
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.errors import RecordError
from biosig.readers.wfdb import read_wfdb
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split


class SimulatedEeg:
    """A folder of WFDB records with the comments `Subject`, `Stimulus`, `Trial`, `Class` and `Latency`.

    A record is one trial, covered by an event that names the stimulus. The class is its code, and the record's code of
    the system `simulated-eeg`. `meta["latency"]` holds the seconds by which the person was late: one number, or one for
    each second of the trial.
    """

    name = "simulated-eeg"
    title = "Simulated EEG of subjects who share stimulus-locked sources, each with a known latency"
    modality = (Modality.EEG,)
    licence = "Apache-2.0"
    citation = (
        "Made by `biosig simulate --kind eeg`; after Dmochowski JP, Sajda P, Dias J, Parra LC. Correlated components "
        "of ongoing EEG point to emotionally laden attention - a possible marker of engagement? Frontiers in Human "
        "Neuroscience 6:112, 2012. doi:10.3389/fnhum.2012.00112"
    )
    url = "https://doi.org/10.3389/fnhum.2012.00112"
    access = "it is made by `biosig simulate DEST --kind eeg`"
    split = Split()
    sampling_rates = ()

    def find(self, source: Path) -> Entries:
        return headers.find(
            source,
            self.name,
            "WFDB headers with the comments 'Subject:', 'Stimulus:' and 'Latency:', written by `biosig simulate`",
            says=lambda text: all(f"{name}:" in text for name in ("Subject", "Stimulus", "Latency")),
        )

    def read(self, entry: Entry) -> Recording:
        recording = read_wfdb(entry.path, modality=Modality.EEG)
        said = headers.fields(recording.meta["comments"])
        for name in ("subject", "stimulus", "class"):
            if not said.get(name):
                raise RecordError(entry.path, name.capitalize(), f"a comment that names the {name}", said.get(name))
        label = said["class"]
        trial = Event(0.0, recording.duration, label, "", said["stimulus"], _trial(entry.path, said.get("trial", "")))
        return complete(
            recording,
            entry,
            subject_id=said["subject"],
            session="1",
            codes=[Code(self.name, label)],
            events=[trial],
            latency=_latency(entry.path, said.get("latency", "")),
        )


def _trial(path: Path, text: str) -> int:
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise RecordError(path, "Trial", "a number from 1", text)


def _latency(path: Path, text: str) -> tuple[float, ...]:
    try:
        seconds = tuple(float(word) for word in text.split())
    except ValueError:
        seconds = ()
    if not seconds or not all(math.isfinite(value) and value >= 0 for value in seconds):
        raise RecordError(path, "Latency", "seconds, none negative", text[:80])
    return seconds


CORPORA.add(SimulatedEeg.name, SimulatedEeg())
