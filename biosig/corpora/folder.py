"""Any folder of recordings in any format: your own data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from biosig.corpora import headers, tables
from biosig.corpora.base import CORPORA, Entries, Entry, complete, folder
from biosig.errors import CorpusError, RecordError
from biosig.readers import READERS, read
from biosig.recording import Code, Modality, Recording
from biosig.splits import Split
from ontology.identifiers import is_snomed

_TABLE = "subjects.csv"
_NEEDED = ("record", "subject")
_FOLDS = 10


class Folder:
    """Every recording below a folder that a reader knows, whatever its format.

    A record is named by its path in the folder without extension; with it, where several recordings differ in the
    extension alone. It counts as a person of its own, unless a table `subjects.csv` in the folder says otherwise, with
    the columns

        record, subject [, session, age, sex, fold, report, dx]

    one row a record; what a row leaves empty comes from the file. `dx` holds SNOMED-CT identifiers, separated by
    commas; of a record without any, nothing is known. A damaged table is refused whole: with people guessed, or with
    several recordings of a person and no table, somebody is trained on and tested on.

    Age, sex and SNOMED-CT codes are read from WFDB comments in the form of the CinC Challenges (`#Age:`, `#Sex:`,
    `#Dx:`). A table that names a fold for some records should name one for all: the others are hashed.
    """

    name = "folder"
    title = "A folder of your own recordings, in any format that can be read"
    modality = (Modality.ECG, Modality.EEG)
    licence = "as you hold them"
    citation = "your own data: nothing to cite"
    url = "file://"
    access = "it is a folder of your own"
    split = Split()
    sampling_rates = ()

    def find(self, source: Path) -> Entries:
        expected = "recordings in a format that can be read"
        source = folder(source, self.name, expected)
        entries = list(_recordings(source))
        if not entries:
            raise CorpusError(f"{source}: expected {expected} for the corpus {self.name!r}, found none")
        return _with_table(source, Entries(entries))

    def read(self, entry: Entry) -> Recording:
        recording = read(entry.path)
        row: tables.Row = entry.meta.get("row", {})
        comments = headers.fields(recording.meta.get("comments", ()))
        known = {column: recording.meta.get(column) for column in ("age", "sex")}
        said = {column: str(value) for column, value in known.items() if value is not None}
        said |= comments | {column: cell for column, cell in row.items() if cell}
        official: dict[str, Any] = {"fold": _fold(entry, row["fold"])} if row.get("fold") else {}
        return complete(
            recording,
            entry,
            subject_id=row.get("subject") or entry.record_id,
            session=row.get("session") or recording.session,
            codes=_codes(entry, row["dx"]) if row.get("dx") else recording.codes or _stated(said.get("dx", "")),
            report=said.get("report") or recording.report,
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
            **official,
        )


def _recordings(source: Path) -> Iterator[Entry]:
    """One entry a recording; files that go with another one, like the `.mat` beside a `.hea`, are left out."""
    readers = [READERS[name] for name in READERS]
    endings = tuple(sorted({ending for reader in readers for ending in reader.extensions}, key=len, reverse=True))
    by_record: dict[str, dict[str, Path]] = defaultdict(dict)
    for path in headers.walk(source, endings):
        ending = next(ending for ending in endings if path.name.lower().endswith(ending))
        by_record[path.relative_to(source).as_posix()[: -len(ending)]][ending] = path
    for record_id, files in by_record.items():
        beside = {name for reader in readers if files.keys() & set(reader.extensions) for name in reader.companions}
        leaders = sorted(files.keys() - beside)
        for ending in leaders:
            name = files[ending].relative_to(source).as_posix()
            yield Entry(name if len(leaders) > 1 else record_id, files[ending], {"source": name})


def _with_table(source: Path, found: Entries) -> Entries:
    """The entries with their rows of the table, if there is one."""
    table = source / _TABLE
    if not table.is_file():
        return found
    known: dict[str, tables.Row] = {}
    for where, row in tables.rows(table, _NEEDED):
        if row is None or not row["subject"].strip() or row["record"] in known:
            raise CorpusError(
                f"{table}: {where}: expected a new record, a subject and a cell in every column, got others"
            )
        known[row["record"]] = {column: cell.strip() for column, cell in row.items()}
    entries = [replace(entry, meta={**entry.meta, "row": known.get(entry.record_id, {})}) for entry in found]
    missing = sorted(known.keys() - {entry.record_id for entry in found})
    return Entries(entries, missing=missing, skipped=found.skipped)


def _codes(entry: Entry, text: str) -> list[Code]:
    # What is no identifier would be no finding, and the record would be known not to have it.
    if wrong := [code for code in headers.listed(text) if not is_snomed(code)]:
        raise RecordError(entry.path, f"{_TABLE}, dx", "SNOMED-CT identifiers, separated by commas", wrong[0])
    return _stated(text)


def _stated(text: str) -> list[Code]:
    return [Code("snomed-ct", code) for code in headers.listed(text)]


def _fold(entry: Entry, text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _FOLDS:
        raise RecordError(entry.path, f"{_TABLE}, fold", f"a whole number from 1 to {_FOLDS}", text)
    return int(text)


CORPORA.add(Folder.name, Folder())
