"""EEG-BIDS datasets: the Brain Imaging Data Structure, as OpenNeuro and mne-bids write it."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from biosig.channels import Channel, parse_all
from biosig.corpora import headers, tables
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.corpora.bids_sidecars import cell, entities, merged, nearest, table
from biosig.corpora.named import named
from biosig.errors import CorpusError, RecordError
from biosig.quality import QualityFlag
from biosig.readers import read
from biosig.readers.base import UNKNOWN_UNITS, microvolts, modality_of
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split

_FILE = re.compile(r"(sub-[A-Za-z0-9]+(?:_[a-z]+-[A-Za-z0-9]+)*)_eeg\.(?:edf|bdf|vhdr|set)", re.IGNORECASE)
_DESCRIPTION = "dataset_description.json"
_NOT_RAW = frozenset({"derivatives", "sourcedata", "code", "stimuli"})
_TYPES = {"EEG": Modality.EEG, "ECG": Modality.ECG, "EMG": Modality.EMG, "RESP": Modality.RESPIRATION}
_TYPES |= dict.fromkeys(("EOG", "VEOG", "HEOG"), Modality.EOG) | {"TRIG": Modality.STIMULUS}
# Columns of `participants.tsv` that are labels, in the words that datasets use.
_LABELS = ("group", "diagnosis")
_KNOWN = ("participant_id", "age", "sex")
_METRES = {"m": 1.0, "cm": 1e-2, "mm": 1e-3}


class Bids:
    """The EEG of any dataset in the Brain Imaging Data Structure, whatever its task.

    A recording is a file `sub-<label>[_ses-<label>]_task-<label>[...]_eeg` of EDF, BDF, BrainVision or EEGLAB; raw ones
    alone, not those in `derivatives` or `sourcedata`. It is named by its entities, the subject is `sub-<label>`, the
    session the label of `ses`. Files of tables beside it or above it count as the standard's inheritance principle has
    it: the nearest one, none of whose entities contradicts.

    `participants.tsv` tells age and sex, its columns `group` and `diagnosis` become codes of the systems `bids-group`
    and `bids-diagnosis`, the task is a code of `bids-task`, all other columns go to `meta["participant"]`; somebody it
    does not list has the flag `unannotated`. `events.tsv` gives the events instead of the file's own: the code is
    `trial_type`, or else `value`, which is otherwise the text, and `stim_file` the stimulus. `channels.tsv` says what a
    channel measures, and its unit where the file has none; a channel whose `status` is `bad` is missing (NaN), and
    `meta["bad_channels"]` names it. `electrodes.tsv` goes to `meta["electrodes"]`, in metres, with its coordinate
    system, and the reference and the frequency of the mains come from `eeg.json`. Places of electrodes that models see
    are still those of their names.

    In a dataset whose files are not all there (git-annex, DataLad) those that are not are counted as missing.
    """

    name = "bids"
    title = "A folder in the Brain Imaging Data Structure (EEG-BIDS), from OpenNeuro or your own"
    modality = (Modality.EEG, Modality.ECG)
    licence = f"as the dataset's {_DESCRIPTION} says"
    citation = (
        "Pernet CR, Appelhoff S, Gorgolewski KJ, Flandin G, Phillips C, Delorme A, Oostenveld R. EEG-BIDS, an "
        "extension to the brain imaging data structure for electroencephalography. Scientific Data 6:103, 2019. "
        f"doi:10.1038/s41597-019-0104-8. And the dataset itself: see its {_DESCRIPTION}."
    )
    url = "https://bids.neuroimaging.io"
    access = "OpenNeuro (https://openneuro.org) holds many such datasets"
    split = Split()
    sampling_rates = ()

    def find(self, source: Path) -> Entries:
        expected = f"{_DESCRIPTION} and recordings like sub-01/eeg/sub-01_task-rest_eeg.edf"
        source = Path(source)
        entries, missing = [], []
        people: dict[Path, dict[str, tables.Row]] = {}
        for match, path, where in named(source, self.name, expected, _FILE):
            root = _root(source, where)
            if root is None:
                continue
            if not path.is_file():
                missing.append(match[1])
                continue
            if root not in people:
                people[root] = _participants(root)
            subject = match[1].partition("_")[0]
            listed = None if not people[root] else people[root].get(subject)
            entries.append(Entry(match[1], path, {"source": where, "root": root, "row": listed}))
        if not entries and not missing:
            raise CorpusError(f"{source}: expected {expected} for the corpus {self.name!r}, found none of them raw")
        return Entries(entries, missing=missing)

    def read(self, entry: Entry) -> Recording:
        recording = _with_channels(read(entry.path), entry)
        said, row = entities(entry.path), entry.meta["row"]
        details = merged(entry.path, entry.meta["root"], "eeg")
        kept = {"reference": details.get("EEGReference"), "power_line": details.get("PowerLineFrequency")}
        meta = {name: value for name, value in kept.items() if value not in (None, "n/a")} | _electrodes(entry)
        flags = tuple(recording.meta["flags"])
        if row is None and (entry.meta["root"] / "participants.tsv").is_file():
            flags = (*flags, QualityFlag.UNANNOTATED.value)
        person = {name: value for name, value in (row or {}).items() if value}
        # Ages above 89 are written `89+`, so that nobody is known by them; sex may be `o`, which we have no word for.
        given = {"age": person.get("age", "").removesuffix("+"), "sex": person.get("sex", "")}
        if given["sex"].lower() in ("o", "other"):
            given["sex"] = ""
        codes = [Code("bids-task", said["task"])] if "task" in said else []
        codes += [Code(f"bids-{name}", person[name]) for name in _LABELS if name in person]
        others = {name: value for name, value in person.items() if name not in (*_KNOWN, *_LABELS)}
        return complete(
            recording,
            entry,
            subject_id=f"sub-{said['sub']}",
            session=said.get("ses", ""),
            codes=codes,
            events=_events(entry),
            age=headers.age(entry.path, given),
            sex=headers.sex(entry.path, given),
            flags=flags,
            participant=others,
            **meta,
        )


def _root(source: Path, where: str) -> Path | None:
    """The dataset that a file is in, if it is raw."""
    parts = Path(where).parts
    first = next((place for place, part in enumerate(parts[:-1]) if part.startswith("sub-")), None)
    if first is None or _NOT_RAW & set(parts):
        return None
    root = source.joinpath(*parts[:first])
    return root if (root / _DESCRIPTION).is_file() else None


def _participants(root: Path) -> dict[str, tables.Row]:
    """The rows by participant.

    Raises:
        CorpusError: If a row is damaged or somebody is there twice: with people mixed up, sides would be.
    """
    path = root / "participants.tsv"
    people: dict[str, tables.Row] = {}
    for where, row in tables.rows(path, ("participant_id",), "\t") if path.is_file() else ():
        person = "" if row is None else row["participant_id"].strip()
        if row is None or not person or person in people:
            raise CorpusError(f"{path}: {where}: expected a new participant and a cell in every column, got {row}")
        people[person] = {name: cell(value) for name, value in row.items()}
    return people


def _events(entry: Entry) -> list[Event] | None:
    """Those of `events.tsv`; None if there is none."""
    path = nearest(entry.path, entry.meta["root"], "events", ".tsv")
    if path is None:
        return None
    found = []
    for where, row in table(path, ("onset", "duration")):
        if not row["onset"]:
            continue
        kind, value = row.get("trial_type", ""), row.get("value", "")
        try:
            found.append(
                Event(
                    onset=float(row["onset"]),
                    duration=float(row["duration"] or 0),
                    code=kind or value or "event",
                    text=value if kind else "",
                    stimulus=row.get("stim_file", ""),
                )
            )
        except ValueError as error:
            raise RecordError(path, where, "onset and duration in seconds, or n/a", dict(row)) from error
    return sorted(found, key=lambda event: event.onset)


def _with_channels(recording: Recording, entry: Entry) -> Recording:
    """The recording as `channels.tsv` describes it; a channel that it does not list stays as it is."""
    path = nearest(entry.path, entry.meta["root"], "channels", ".tsv")
    if path is None:
        return recording
    rows = [row for _, row in table(path, ("name", "type", "units"))]
    known = {one.name: row for one, row in zip(parse_all([row["name"] for row in rows]), rows, strict=True)}
    signal, kinds = np.array(recording.signal), list(recording.modality)
    units = dict(recording.meta.get("units", {}))
    bad: dict[str, list[str]] = {}
    for place, name in enumerate(recording.channels):
        if name not in known:
            continue
        row = known[name]
        factor = microvolts(row["units"])
        # The file's own unit counts, where it has one.
        if factor is not None and units.get(name, "?").lower() in UNKNOWN_UNITS:
            signal[place] *= factor
            del units[name]
        if row["type"]:
            kind = _TYPES.get(row["type"].upper(), Modality.OTHER)
            kinds[place] = modality_of(Channel(name, kind), units.get(name))
        if row.get("status", "").lower() == "bad":
            signal[place] = np.nan
            bad[name] = [row.get("status_description") or "status bad"]
    meta = {**recording.meta, "units": units}
    if not units:
        del meta["units"]
    return replace(recording, signal=signal, modality=tuple(kinds), meta=meta | ({"bad_channels": bad} if bad else {}))


def _electrodes(entry: Entry) -> dict[str, Any]:
    """Where the electrodes were measured to be."""
    path = nearest(entry.path, entry.meta["root"], "electrodes", ".tsv")
    if path is None:
        return {}
    system = merged(entry.path, entry.meta["root"], "coordsystem")
    unit = system.get("EEGCoordinateUnits", "n/a")
    if unit not in _METRES:
        return {}
    found = {}
    for where, row in table(path, ("name", "x", "y", "z")):
        try:
            found[row["name"]] = [float(row[axis]) * _METRES[unit] for axis in "xyz" if row[axis]]
        except ValueError as error:
            raise RecordError(path, where, f"x, y and z in {unit}, or n/a", dict(row)) from error
    whole = {name: place for name, place in found.items() if len(place) == 3}
    return {"electrodes": whole, "coordinate_system": str(system.get("EEGCoordinateSystem", "n/a"))}


CORPORA.add(Bids.name, Bids())
