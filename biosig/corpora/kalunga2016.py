"""SSVEP exoskeleton (Kalunga 2016): twelve people look at lights that flicker at 13, 17 or 21 Hz, or at none."""

from __future__ import annotations

import re
from pathlib import Path

from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.corpora.named import named
from biosig.corpora.presentations import presentations
from biosig.quality import QualityFlag
from biosig.readers.fif import read_fif
from biosig.recording import Modality, Recording
from biosig.splits import Split

_FILE = re.compile(r"subject(\d\d)_run(\d)_raw\.fif(?:\.gz)?", re.IGNORECASE)
# As corrected after the release, where 3 and 4 were confused.
_CLASSES = {"1": "rest", "2": "13 Hz", "3": "21 Hz", "4": "17 Hz"}
SECONDS = 5.0
# Runs that the archive holds under two names, by its checksums: (person, run) is the run of that other person.
_COPIES = {
    ("06", "3"): "07",
    ("09", "3"): "10",
    ("09", "4"): "10",
    ("11", "3"): "12",
    ("11", "4"): "12",
    ("11", "5"): "12",
}


class Kalunga2016:
    """SSVEP-based BCI of twelve people with an upper-limb exoskeleton: 8 electrodes, 256 Hz, 32 trials a run.

    The files are those of the Zenodo archive that MOABB reads, `subject01_run1_raw.fif`. A person has two to five runs,
    recorded on different days: the run is the session. A trial begins with a voice that names the light to look at and
    lasts 5 s; events have the class as code and stimulus, `13 Hz`, `17 Hz`, `21 Hz` or `rest` (no light), and the
    number of the trigger as text. MOABB uses seconds 2 to 4 of a trial. A run without triggers has the flag
    `unannotated`.

    Six runs of the archive have the checksum of another person's (runs 3 of 06 and 07, 3 and 4 of 09 and 10, 3 to 5 of
    11 and 12): the earlier name of each is skipped, as MOABB does, so that nobody is trained on and tested on.
    """

    name = "kalunga2016"
    title = "SSVEP exoskeleton dataset (Kalunga 2016)"
    modality = (Modality.EEG,)
    licence = "CC BY 4.0"
    citation = (
        "Kalunga EK, Chevallier S, Barthelemy Q, Djouani K, Monacelli E, Hamam Y. Online SSVEP-based BCI using "
        "Riemannian geometry. Neurocomputing 191:55-68, 2016. doi:10.1016/j.neucom.2016.01.007"
    )
    url = "https://zenodo.org/record/2392979"
    access = "its Zenodo page gives the files without an account; put them into one folder"
    split = Split()
    sampling_rates = (256.0,)

    def find(self, source: Path) -> Entries:
        entries, skipped = [], []
        for match, path, where in named(source, self.name, "subject01_run1_raw.fif to subject12_run5_raw.fif", _FILE):
            person, run = match[1], match[2]
            record_id = f"subject{person}_run{run}"
            if owner := _COPIES.get((person, run)):
                skipped.append((record_id, f"{where}: the run is that of subject{owner}"))
            else:
                entries.append(Entry(record_id, path, {"source": where, "subject": f"subject{person}", "run": run}))
        return Entries(entries, skipped=skipped)

    def read(self, entry: Entry) -> Recording:
        recording = read_fif(entry.path)
        events = presentations(recording.events, _CLASSES, SECONDS)
        flags = [*recording.meta["flags"]]
        if recording.sampling_rate not in self.sampling_rates:
            flags.append(QualityFlag.RATE.value)
        if not any(event.stimulus for event in events):
            flags.append(QualityFlag.UNANNOTATED.value)
        return complete(
            recording,
            entry,
            subject_id=entry.meta["subject"],
            session=f"run{entry.meta['run']}",
            events=events,
            flags=tuple(flags),
        )


CORPORA.add(Kalunga2016.name, Kalunga2016())
