"""What `biosig prepare` makes of files of many formats, and of the EEG corpora that are there, as a page.

python -m tests.biosig.corpora.formats REAL_RECORDINGS docs/formats.md
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from biosig.corpora import CORPORA
from biosig.preprocess import Preprocessing
from biosig.store import Store
from biosig.store.writer import PrepareReport, prepare

CORPUS_FOLDERS = {"dasps": "eeg/dasps", "eegmat": "eeg/eegmat"}

_INTRODUCTION = """# What is read

Every file of MNE's own reader tests and every EEG corpus at hand, through `biosig prepare` and back from the store.
Flags are explained in `biosig/quality.py`; an event is a row of `events.parquet`. This page is generated:
`python -m tests.biosig.corpora.formats REAL_RECORDINGS docs/formats.md`.
"""
_FORMATS = """
## Files of many formats

The corpus `folder`, without resampling: {read} recordings read, {skipped} refused, {events:,} events.

| file | format | channels | modality | Hz | seconds | events | flags, or why it was refused |
|---|---|---:|---|---:|---:|---:|---|
"""
_CORPORA = """
## EEG corpora

| corpus | recordings | people | channels | modality | Hz | minutes | events | kinds of events | skipped | flags |
|---|---:|---:|---:|---|---:|---:|---:|---:|---:|---|
"""


Prepared = tuple[PrepareReport, Store]


def prepared(data: Path, work: Path) -> dict[str, Prepared]:
    """The files of many formats (`folder`) and the EEG corpora, each as a store at its own sampling rates.

    Args:
        data: The folder of real recordings.
        work: Where the stores are made.
    """
    done = {}
    for name, folder in {"folder": "formats", **CORPUS_FOLDERS}.items():
        store = work / f"{name}.store"
        plain = Preprocessing(steps=())
        report = prepare(CORPORA[name], data / folder, store, preprocessing=plain, workers=0, progress=False)
        done[name] = report, Store(store)
    return done


def page(done: dict[str, Prepared]) -> str:
    """The page on what was prepared."""
    report, store = done["folder"]
    lines = sorted([*_read(store), *_refused(report)])
    formats = _FORMATS.format(read=report.read, skipped=len(report.skipped), events=len(store.events))
    corpora = [_corpus(name, *done[name]) for name in CORPUS_FOLDERS]
    return _INTRODUCTION + formats + "".join(lines) + _CORPORA + "".join(corpora)


def _read(store: Store) -> Iterator[str]:
    events = Counter(store.events["record"])
    for row in store.records.to_dict("records"):
        yield _line(
            row["source"],
            json.loads(row["meta"])["format"],
            len(row["channels"]),
            _kinds(row["modality"]),
            f"{row['sampling_rate']:g}",
            f"{row['samples'] / row['sampling_rate']:.1f}",
            events[row["record"]],
            ", ".join(row["quality"]),
        )


def _refused(report: PrepareReport) -> Iterator[str]:
    for record, reason in report.skipped:
        file, _, why = reason.partition(": ")
        yield _line(f"{record.rpartition('/')[0]}/{file}", *[""] * 6, why)


def _corpus(name: str, report: PrepareReport, store: Store) -> str:
    records, events = store.records, store.events
    minutes = (records["samples"] / records["sampling_rate"]).sum() / 60
    flags = Counter(flag for found in records["quality"] for flag in found)
    return _line(
        name,
        report.read,
        records["subject"].nunique(),
        _range(len(channels) for channels in records["channels"]),
        _kinds(kind for kinds in records["modality"] for kind in kinds),
        _range(records["sampling_rate"]),
        f"{minutes:.1f}",
        len(events),
        events["code"].nunique(),
        len(report.skipped),
        ", ".join(f"{flag} {count}" for flag, count in sorted(flags.items())),
    )


def _kinds(modalities: Iterable[str]) -> str:
    return "+".join(sorted(set(modalities)))


def _range(values: Iterable[float]) -> str:
    found = sorted(set(values))
    return f"{found[0]:g}" if len(found) == 1 else f"{found[0]:g} to {found[-1]:g}"


def _line(*cells: object) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        Path(sys.argv[2]).write_text(page(prepared(Path(sys.argv[1]), Path(work))), encoding="utf-8")
