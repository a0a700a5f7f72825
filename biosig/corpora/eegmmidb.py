"""EEG Motor Movement/Imagery: 109 people move or imagine moving fists and feet, 64 electrodes."""

from __future__ import annotations

import re
from pathlib import Path

from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.corpora.named import named
from biosig.corpora.presentations import presentations
from biosig.errors import RecordError
from biosig.quality import QualityFlag
from biosig.readers.edf import read_edf
from biosig.recording import Code, Modality, Recording
from biosig.splits import Split

_FILE = re.compile(r"(S\d{3})R(\d\d)\.edf", re.IGNORECASE)
_SIDES, _LIMBS = ("left fist", "right fist"), ("both fists", "both feet")
# What a run asks for: its name, and what T1 and T2 mean in it.
_BASELINES = {1: "eyes open", 2: "eyes closed"}
_TASKS = {
    run: (f"{kind}{name}", tuple(f"{kind}{each}" for each in targets))
    for first, kind, name, targets in (
        (3, "", "left or right fist", _SIDES),
        (4, "imagined ", "left or right fist", _SIDES),
        (5, "", "both fists or feet", _LIMBS),
        (6, "imagined ", "both fists or feet", _LIMBS),
    )
    for run in (first, first + 4, first + 8)
}
RUNS = len(_BASELINES) + len(_TASKS)


class Eegmmidb:
    """EEG Motor Movement/Imagery Dataset 1.0.0: 109 people, 14 runs of one or two minutes each.

    A run is a recording, and counts as a session: its trials are numbered from 1. The source marks T0, T1 and T2; what
    they mean depends on the run, so an event has the meaning as its code and its stimulus, and the mark as its text:

        R01, R02        T0 `eyes open`, `eyes closed`
        R03, R07, R11   T0 `rest`, T1 `left fist`, T2 `right fist`
        R04, R08, R12   T0 `rest`, T1 `imagined left fist`, T2 `imagined right fist`
        R05, R09, R13   T0 `rest`, T1 `both fists`, T2 `both feet`
        R06, R10, R14   T0 `rest`, T1 `imagined both fists`, T2 `imagined both feet`

    The run's task is its code (system `eegmmidb`). Runs of S088, S092 and S100 are sampled at 128 Hz instead of 160,
    with other durations, onsets rounded so that events overlap, and zeros at the end: they have the flags `rate`,
    `overlap` and `padded` where that is so. A run without marks has the flag `unannotated`.
    """

    name = "eegmmidb"
    title = "EEG Motor Movement/Imagery Dataset 1.0.0"
    modality = (Modality.EEG,)
    licence = "ODC-By 1.0"
    citation = (
        "Schalk G, McFarland DJ, Hinterberger T, Birbaumer N, Wolpaw JR. BCI2000: a general-purpose brain-computer "
        "interface (BCI) system. IEEE Transactions on Biomedical Engineering 51(6):1034-1043, 2004. "
        "doi:10.1109/TBME.2004.827072"
    )
    url = "https://physionet.org/content/eegmmidb/1.0.0/"
    split = Split()
    sampling_rates = (160.0,)

    def find(self, source: Path) -> Entries:
        return Entries(
            Entry(path.stem, path, {"source": where, "subject": match[1].upper(), "run": int(match[2])})
            for match, path, where in named(source, self.name, "S001R01.edf to S109R14.edf", _FILE)
        )

    def read(self, entry: Entry) -> Recording:
        run: int = entry.meta["run"]
        if not 1 <= run <= RUNS:
            raise RecordError(entry.path, "name", f"a run from R01 to R{RUNS}", entry.path.name)
        recording = read_edf(entry.path)
        events = presentations(recording.events, meanings(run))
        flags = [*recording.meta["flags"]]
        if recording.sampling_rate not in self.sampling_rates:
            flags.append(QualityFlag.RATE.value)
        if not any(event.stimulus for event in events):
            flags.append(QualityFlag.UNANNOTATED.value)
        task = _BASELINES[run] if run in _BASELINES else _TASKS[run][0]
        return complete(
            recording,
            entry,
            subject_id=entry.meta["subject"],
            session=f"R{run:02d}",
            codes=[Code(self.name, task)],
            events=events,
            flags=tuple(flags),
        )


def meanings(run: int) -> dict[str, str]:
    """What the marks of a run stand for."""
    if run in _BASELINES:
        return {"T0": _BASELINES[run]}
    first, second = _TASKS[run][1]
    return {"T0": "rest", "T1": first, "T2": second}


CORPORA.add(Eegmmidb.name, Eegmmidb())
