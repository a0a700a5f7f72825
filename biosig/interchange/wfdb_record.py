"""Recordings to files of WFDB, the format of PhysioNet, and from what the package `wfdb` has read."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from biosig.channels import parse_all
from biosig.errors import BiosigError
from biosig.interchange.arrays import from_numpy
from biosig.readers.base import modality_of
from biosig.readers.wfdb_annotations import as_events
from biosig.recording import Event, Modality, Recording
from biosig.store.quantise import quantise

_RECORD_NAME = re.compile(r"[\w-]+", re.ASCII)
_ANNOTATOR = "atr"
_RHYTHM, _COMMENT = "+", '"'
_LONGEST_NOTE = 255
# Samples by which the end of a rhythm may be off: where it begins and ends is rounded to one.
_SAME = 0.5


def to_wfdb(recording: Recording, path: str | Path) -> tuple[str, ...]:
    """Write a recording as a WFDB record: `.hea`, `.dat` (16 bits, one step a channel) and, if it has events, `.atr`.

    The step of a channel is the smallest power of two, in microvolts, that holds its largest value: an ECG in whole
    microvolts within 32 mV comes back bit for bit, and anything else to half a step. Gaps are kept. Age, sex, SNOMED-CT
    codes and report go to comments in the form of the CinC Challenges, unless the recording has comments already;
    `biosig prepare folder` reads them.

    An event whose code is a symbol of WFDB (`N`, `V`, `p`, `(`) is that annotation; one like `(AFIB` a change of
    rhythm; any other a comment, its code before its text. An annotation has no duration; a rhythm lasts until the next.

    Args:
        recording: Of any modality.
        path: The record's name in its folder, which must exist, with or without `.hea`. Files of that name are
            replaced.

    Returns:
        What WFDB cannot hold and is left out or changed, one line each; empty where reading gives the same again.

    Raises:
        BiosigError: If the name is none that WFDB takes (letters, digits, hyphens, underscores), or there is no sample.

    References:
        WFDB Applications Guide, header(5), signal(5), annot(5).
    """
    import wfdb  # noqa: PLC0415  slow to import

    path = Path(path)
    path = path.with_suffix("") if path.suffix == ".hea" else path
    if not _RECORD_NAME.fullmatch(path.name):
        raise BiosigError(f"{path}: expected a name of letters, digits, hyphens and underscores, got {path.name!r}")
    if recording.n_times == 0 or not recording.channels:
        raise BiosigError(f"{path}: expected a recording with samples, got {recording!r}")
    notes: list[str] = []
    rows = list(_annotations(recording, notes))
    stored, step = quantise(recording.signal)
    foreign = recording.meta.get("units", {})
    units = [_unit(foreign[name]) if name in foreign else "mV" for name in recording.channels]
    scales = [1.0 if name in foreign else 1e3 for name in recording.channels]
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", suffix=".partial", dir=path.parent) as partial:
        wfdb.wrsamp(
            path.name,
            fs=recording.sampling_rate,
            units=units,
            sig_name=list(recording.channels),
            d_signal=stored.T.astype(np.int64),
            fmt=["16"] * len(stored),
            adc_gain=[scale / float(one) for scale, one in zip(scales, step, strict=True)],
            baseline=[0] * len(stored),
            comments=_comments(recording, notes),
            write_dir=partial,
        )
        path.with_name(f"{path.name}.{_ANNOTATOR}").unlink(missing_ok=True)
        if rows:
            samples, symbols, texts = (list(column) for column in zip(*rows, strict=True))
            wfdb.wrann(path.name, _ANNOTATOR, np.array(samples), symbol=symbols, aux_note=texts, write_dir=partial)
        # The header comes last: without it there is no record.
        for ending in (".dat", f".{_ANNOTATOR}", ".hea"):
            if (made := Path(partial, path.name + ending)).is_file():
                made.replace(path.with_name(path.name + ending))
    return tuple(notes)


def from_wfdb(
    record: Any, annotation: Any = None, *, modality: Modality | None = None, subject_id: str = ""
) -> Recording:
    """A recording from what `wfdb.rdrecord` and `wfdb.rdann` have read; files are read by `biosig.read`.

    Args:
        record: A `wfdb.Record` with physical or digital samples.
        annotation: A `wfdb.Annotation` of it.
        modality: What a channel with an unknown name measures.
        subject_id: The person.

    Raises:
        BiosigError: If the record has no samples, or expanded ones (`smooth_frames=False`).
        RecordError: If an annotation is outside the record.
    """
    name = str(record.record_name)
    samples = record.dac() if record.p_signal is None and record.d_signal is not None else record.p_signal
    if samples is None:
        raise BiosigError(f"{name}: expected samples of one rate (rdrecord with smooth_frames=True), got none")
    events: Sequence[Event] = ()
    if annotation is not None:
        rows = zip(annotation.sample.tolist(), annotation.symbol, annotation.aux_note, strict=True)
        rate = float(annotation.fs or record.fs)
        events = as_events(Path(f"{name}.{annotation.extension}"), rows, rate, len(samples) / record.fs)
    names = record.sig_name or [f"signal {row}" for row in range(samples.shape[1])]
    found = from_numpy(
        samples.T,
        names,
        float(record.fs),
        unit=list(record.units),
        events=events,
        record_id=name,
        subject_id=subject_id,
    )
    if modality is not None:
        known = parse_all(names, modality)
        units = found.meta.get("units", {})
        found = replace(found, modality=tuple(modality_of(one, units.get(one.name)) for one in known))
    return replace(found, meta={**found.meta, "comments": tuple(record.comments or ())})


def _annotations(recording: Recording, notes: list[str]) -> Iterator[tuple[int, str, str]]:
    """Sample, symbol and note of each event, in order of time; what is lost on the way is noted."""
    from wfdb.io.annotation import ann_label_table  # noqa: PLC0415  slow to import

    symbols = {symbol for symbol in ann_label_table["symbol"] if symbol.strip()}
    rate, events = recording.sampling_rate, recording.events
    inside = [one for one in events if round(one.onset * rate) >= 0 and one.onset <= recording.duration]
    lost = {"outside the recording, left out": len(events) - len(inside)}
    rhythms = [one for one in inside if _is_rhythm(one)]
    ends = [*(one.onset for one in rhythms[1:]), recording.duration]
    lasting = {id(one): end - one.onset for one, end in zip(rhythms, ends[: len(rhythms)], strict=True)}
    rows = []
    for one in inside:
        symbol, note = _written(one, symbols)
        sample = min(round(one.onset * rate), recording.n_times)
        # The package `wfdb` takes a comment at the first sample for one of its own, and drops it.
        first = symbol == _COMMENT and sample == 0
        kept = "".join(c if ord(c) < 256 else "?" for c in note)[:_LONGEST_NOTE]
        for what, happened in (
            (
                "with a duration, which an annotation has not",
                abs(one.duration - lasting[id(one)]) * rate > _SAME if id(one) in lasting else one.duration > 0,
            ),
            ("with a code that is no WFDB symbol, now comments", symbol == _COMMENT != one.code),
            ("at the first sample, now at the second", first),
            ("with a stimulus or a trial, left out", bool(one.stimulus) or one.trial is not None),
            ("with a text that a note cannot hold, changed", kept != note or (_is_rhythm(one) and bool(one.text))),
        ):
            lost[what] = lost.get(what, 0) + happened
        rows.append((sample + first, symbol, kept))
    notes += [f"events: {count} {what}" for what, count in lost.items() if count]
    yield from sorted(rows, key=lambda row: row[0])


def _is_rhythm(event: Event) -> bool:
    return len(event.code) > 1 and event.code.startswith("(")


def _written(event: Event, symbols: set[str]) -> tuple[str, str]:
    """The symbol of an event, and its note."""
    if _is_rhythm(event):
        return _RHYTHM, event.code
    if event.code in symbols:
        return event.code, event.text
    return _COMMENT, ": ".join(filter(None, (event.code, event.text)))


def _comments(recording: Recording, notes: list[str]) -> list[str]:
    """Those the recording has, or age, sex, diagnoses and report as the CinC Challenges write them."""
    stated = [one.code for one in recording.codes if one.system == "snomed-ct"]
    age, sex = recording.meta.get("age"), recording.meta.get("sex")
    said = {
        "Age": "" if age is None else f"{age:g}",
        "Sex": str(sex or "").capitalize(),
        "Dx": ",".join(stated or sorted(recording.concepts)),
        "Report": " ".join(recording.report.split()),
    }
    others = len(recording.codes) - len(stated)
    if others:
        notes.append(f"codes: {others} of other systems than SNOMED-CT, left out")
    if said["Report"] != recording.report:
        notes.append("report: line breaks and spaces are now one space")
    if recording.subject_id or recording.session:
        notes.append("subject and session: left out")
    comments = [" ".join(str(one).splitlines()).strip() for one in recording.meta.get("comments", ())]
    return comments or [f"{name}: {value}" for name, value in said.items() if value]


def _unit(text: str) -> str:
    """A word, as a header needs; of a quantity without unit WFDB's own."""
    return "".join(text.split()) or "NU"
