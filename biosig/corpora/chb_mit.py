"""CHB-MIT: days of scalp EEG of children with epilepsy, with the beginning and end of every seizure."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field, replace
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

_FILE = re.compile(r"(chb\d\d)[a-z]?_\d+\+?\.edf", re.IGNORECASE)
_LINE = re.compile(
    r"(File Name|Number of Seizures in File|Seizure\s*\d*\s*(?:Start|End) Time)\s*:\s*(\S+)", re.IGNORECASE
)
_SAME_PERSON = {"chb21": "chb01"}
_PEOPLE = "SUBJECT-INFO"
_PERSON = re.compile(r"(chb\d\d)\s+([MF])\s+([\d.]+)\s*")
# Empty places of the recorder's montage; copies are numbered by the reader.
_DUMMY = re.compile(r"|[-.]+\d*")
_COPY = re.compile(r"(.+)-\d+")


class ChbMit:
    """CHB-MIT Scalp EEG Database 1.0.0: 24 cases, files of mostly one hour (up to four), 198 seizures.

    A file is a recording, named as it is (`chb01_03`); the case is its session. Case `chb21` is the girl of `chb01`
    one and a half years later: both are the person `chb01`. Events are the seizures, code `seizure`, from the case's
    `chb01-summary.txt`; the files `.seizures` repeat them and are not read. The recording has the code `seizure` or
    `no seizure` (system `chb-mit`). A file that no summary lists has the flag `unannotated`; one for which the summary
    contradicts itself is refused.

    Channels are bipolar derivations (`FP1-F7`), in a few files electrodes against a common reference. Left out are the
    empty channels `-` and the second of two equal channels (`T8-P8` is there twice); `meta["left_out"]` names them.
    Age and sex come from `SUBJECT-INFO`, which does not list `chb24`.
    """

    name = "chb-mit"
    title = "CHB-MIT Scalp EEG Database 1.0.0"
    modality = (Modality.EEG,)
    licence = "ODC-By 1.0"
    citation = (
        "Shoeb AH. Application of machine learning to epileptic seizure onset detection and treatment. PhD thesis, "
        "Massachusetts Institute of Technology, 2009; "
        "Guttag J. CHB-MIT Scalp EEG Database. PhysioNet, 2010. doi:10.13026/C2K01R"
    )
    url = "https://physionet.org/content/chbmit/1.0.0/"
    split = Split()
    sampling_rates = (256.0,)

    def find(self, source: Path) -> Entries:
        found = named(source, self.name, "chb01/chb01_01.edf with its chb01-summary.txt", _FILE)
        people = _people(Path(source))
        summaries = {path.parent / f"{match[1].lower()}-summary.txt" for match, path, _ in found}
        blocks = {path: summarised(path.read_text(encoding="latin-1")) for path in summaries if path.is_file()}
        entries, listed = [], {Path(name).stem for block in blocks.values() for name in block}
        for match, path, where in found:
            case = match[1].lower()
            summary = path.parent / f"{case}-summary.txt"
            meta = {
                "source": where,
                "case": case,
                "person": people.get(case, {}),
                "summary": summary,
                "block": blocks.get(summary, {}).get(path.name),
            }
            entries.append(Entry(path.stem, path, meta))
        there = {entry.record_id for entry in entries}
        return Entries(entries, missing=sorted(listed - there))

    def read(self, entry: Entry) -> Recording:
        recording = _without_copies(read_edf(entry.path))
        block: Block | None = entry.meta["block"]
        seizures = [] if block is None else _seizures(entry, block)
        case, said = entry.meta["case"], entry.meta["person"]
        flags = recording.meta["flags"]
        return complete(
            recording,
            entry,
            subject_id=_SAME_PERSON.get(case, case),
            session=case,
            codes=[] if block is None else [Code(self.name, "seizure" if seizures else "no seizure")],
            events=sorted([*recording.events, *seizures], key=lambda event: event.onset),
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
            flags=flags if block else (*flags, QualityFlag.UNANNOTATED.value),
        )


@dataclass
class Block:
    """What a summary says of one file, as it stands."""

    counts: list[str] = field(default_factory=list)
    starts: list[str] = field(default_factory=list)
    ends: list[str] = field(default_factory=list)


def summarised(text: str) -> dict[str, Block]:
    """The blocks of a summary by the file that they name; nothing is judged yet, so that one bad block stays one."""
    blocks: dict[str, Block] = defaultdict(Block)
    block = Block()
    for line in text.splitlines():
        if not (match := _LINE.match(line.strip())):
            continue
        words, value = match[1].lower(), match[2]
        if words == "file name":
            block = blocks[value]
        elif words.startswith("number"):
            block.counts.append(value)
        else:
            (block.starts if "start" in words else block.ends).append(value)
    return dict(blocks)


def _seizures(entry: Entry, block: Block) -> list[Event]:
    """The seizures of a file.

    Raises:
        RecordError: If as many as are counted are not there, or one ends before it begins.
    """
    summary: Path = entry.meta["summary"]
    times = [*block.starts, *block.ends]
    if len(block.counts) != 1 or not all(text.isdecimal() for text in [*block.counts, *times]):
        raise RecordError(summary, entry.path.name, "one count of seizures, and whole seconds", block)
    count = int(block.counts[0])
    if len(block.starts) != count or len(block.ends) != count:
        raise RecordError(summary, entry.path.name, f"{count} starts and ends of seizures", (block.starts, block.ends))
    found = []
    for start, end in zip(map(int, block.starts), map(int, block.ends), strict=True):
        if end <= start:
            raise RecordError(summary, entry.path.name, f"a seizure that ends after it begins at {start} s", end)
        found.append(Event(float(start), float(end - start), "seizure"))
    return found


def _without_copies(recording: Recording) -> Recording:
    """The recording without empty channels and without the second of two channels with equal names and samples."""
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(recording.channels):
        if not _DUMMY.fullmatch(name):
            base = match[1] if (match := _COPY.fullmatch(name)) else name
            known = rows.setdefault(base, [])
            if not any(np.array_equal(recording.signal[row], recording.signal[other]) for other in known):
                known.append(row)
    # A name without rivals needs no number any more.
    kept = sorted(
        (row, base if len(same) == 1 else recording.channels[row]) for base, same in rows.items() for row in same
    )
    if not kept:
        raise RecordError(recording.meta["source"], "channels", "electrodes", recording.channels)
    chosen = [row for row, _ in kept]
    return replace(
        recording,
        signal=recording.signal[chosen],
        channels=tuple(name for _, name in kept),
        modality=tuple(recording.modality[row] for row in chosen),
        meta={
            **recording.meta,
            "left_out": tuple(name for row, name in enumerate(recording.channels) if row not in chosen),
        },
    )


def _people(source: Path) -> dict[str, dict[str, str]]:
    table = tables.locate(source, _PEOPLE)
    lines = table.read_text(encoding="latin-1").splitlines() if table else ()
    matches = [match for line in lines if (match := _PERSON.fullmatch(line.strip()))]
    return {match[1]: {"sex": match[2], "age": match[3]} for match in matches}


CORPORA.add(ChbMit.name, ChbMit())
