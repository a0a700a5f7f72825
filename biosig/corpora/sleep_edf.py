"""Sleep-EDF Expanded: whole nights of sleep at home and in hospital, with the stages of sleep."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from biosig.corpora import headers
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.corpora.named import named
from biosig.errors import RecordError
from biosig.quality import QualityFlag
from biosig.readers.edf import read_edf
from biosig.readers.edf_annotations import read_edf_annotations
from biosig.readers.edf_header import read_edf_header
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split
from ontology import crosswalk

_PSG = re.compile(r"((SC4|ST7)\d\d)(\d)([A-Z])[A-Z\d]-PSG\.edf", re.IGNORECASE)
_HYPNOGRAM = re.compile(r"((?:SC4|ST7)\d\d\d[A-Z])[A-Z\d]-Hypnogram\.edf", re.IGNORECASE)
_STUDIES = {"SC4": "cassette", "ST7": "telemetry"}
_SYSTEM = "edf-sleep"
# The header says of the person, in the place for a name, `Female_33yr`.
_PERSON = re.compile(rb"(Female|Male)_(\d{1,3})yr")
_DAY = 86_400.0


class SleepEdf:
    """Sleep-EDF Database Expanded 1.0.0: 153 nights of 78 people at home, 44 nights of 22 people in hospital.

    A night is a recording, named by the first seven letters of its file (`SC4001E`). The person is in the name:
    `SC400` slept the nights `SC4001E` and `SC4002E`, which stay together; the night is the session. Events are the
    stages of the hypnogram, whose file has another eighth letter (`SC4001EC-Hypnogram.edf`); their words, as `Sleep
    stage 2`, are codes of the system `edf-sleep`. A cassette ran for 20 hours, most of them awake: that wake stays, and
    who trains on it chooses. The last event, `Sleep stage ?`, often goes on after the recording and gives it the flag
    `outside`. A night without hypnogram has the flag `unannotated`.

    Hypnograms are read with their own starting time. Age and sex are in the header of the recording; the tables
    `SC-subjects.xls` and `ST-subjects.xls` are not read, so that which night of the telemetry study was that of the
    drug (temazepam) is unknown here.
    """

    name = "sleep-edf"
    title = "Sleep-EDF Database Expanded 1.0.0"
    modality = (Modality.EEG, Modality.EOG, Modality.EMG)
    licence = "ODC-By 1.0"
    citation = (
        "Kemp B, Zwinderman AH, Tuk B, Kamphuisen HAC, Oberye JJL. Analysis of a sleep-dependent neuronal feedback "
        "loop: the slow-wave microcontinuity of the EEG. IEEE Transactions on Biomedical Engineering "
        "47(9):1185-1194, 2000. doi:10.1109/10.867928"
    )
    url = "https://physionet.org/content/sleep-edfx/1.0.0/"
    split = Split()
    sampling_rates = (100.0,)

    def find(self, source: Path) -> Entries:
        found = named(source, self.name, "SC4001E0-PSG.edf with its SC4001EC-Hypnogram.edf, or ST7011J0-PSG.edf", _PSG)
        hypnograms: dict[str, Path] = {}
        skipped = []
        for path in headers.walk(Path(source), ("-hypnogram.edf",)):
            night = path.name[:7].upper()
            if _HYPNOGRAM.fullmatch(path.name) and hypnograms.setdefault(night, path) is not path:
                skipped.append((path.name, f"the night has the hypnogram {hypnograms[night].name}"))
        entries = [
            Entry(
                path.name[:7].upper(),
                path,
                {
                    "source": where,
                    "subject": match[1].upper(),
                    "night": match[3],
                    "study": _STUDIES[match[2].upper()],
                    "hypnogram": hypnograms.get(path.name[:7].upper()),
                },
            )
            for match, path, where in found
        ]
        there = {entry.record_id for entry in entries}
        return Entries(entries, missing=sorted(hypnograms.keys() - there), skipped=skipped)

    def read(self, entry: Entry) -> Recording:
        recording = read_edf(entry.path)
        hypnogram: Path | None = entry.meta["hypnogram"]
        stages = list(_stages(entry.path, hypnogram)) if hypnogram else []
        codes = [Code(_SYSTEM, event.code) for event in stages if crosswalk.listed(_SYSTEM, event.code)]
        person = _PERSON.search(_header(entry.path)[8:88])
        said = {"age": person[2].decode(), "sex": person[1].decode()} if person else {}
        flags = recording.meta["flags"]
        return complete(
            recording,
            entry,
            subject_id=entry.meta["subject"],
            session=entry.meta["night"],
            codes=codes,
            events=sorted([*recording.events, *stages], key=lambda event: event.onset),
            sub_corpus=entry.meta["study"],
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
            flags=flags if codes else (*flags, QualityFlag.UNANNOTATED.value),
        )


def _stages(path: Path, hypnogram: Path) -> Iterator[Event]:
    """The events of a hypnogram, in seconds after the recording began.

    Raises:
        RecordError: If it begins a day or more away: it is another night's.
    """
    ahead = (_start(hypnogram) - _start(path)).total_seconds()
    if abs(ahead) >= _DAY:
        raise RecordError(hypnogram, "start", f"the night of {_start(path):%d.%m.%y}", f"{_start(hypnogram):%d.%m.%y}")
    for event in read_edf_annotations(hypnogram, read_edf_header(hypnogram))[1]:
        yield Event(event.onset + ahead, event.duration, event.code, event.text)


def _header(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(256)
    except OSError as error:
        raise RecordError(path, "file", "a file that can be read", error.strerror) from error


def _start(path: Path) -> datetime:
    text = _header(path)[168:184].decode("latin-1")
    try:
        # Of two digits for the year only the difference counts here.
        return datetime.strptime(text, "%d.%m.%y%H.%M.%S").replace(tzinfo=UTC)
    except ValueError:
        raise RecordError(path, "start", "dd.mm.yyhh.mm.ss", "another form") from None


CORPORA.add(SleepEdf.name, SleepEdf())
