"""PTB-XL: 21,837 twelve-lead ECGs of 18,885 people, with reports, SCP-ECG statements and official folds."""

from __future__ import annotations

import ast
import math
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from biosig.corpora import headers, tables
from biosig.corpora.base import CORPORA, Entries, Entry, complete, folder
from biosig.errors import CorpusError, RecordError
from biosig.readers.wfdb import read_wfdb
from biosig.recording import Code, Modality, Recording
from biosig.splits import Split

_TABLE = "ptbxl_database.csv"
_NEEDED = ("ecg_id", "patient_id", "age", "sex", "report", "scp_codes", "strat_fold")
_AXIS = "heart_axis"
_KEPT = frozenset({*_NEEDED, _AXIS, "device", "recording_date"})
_LONGEST_CODES = 10_000
# Version 1.0.2 and later write 300 for every age above 89, to protect the few people it would point to.
_HIDDEN_AGE, _HIDDEN_AGE_MEANS = 300.0, 90.0
_SEXES = {0.0: "male", 1.0: "female"}
_FOLDS = 10


@dataclass(frozen=True)
class PtbXl:
    """PTB-XL 1.0.1 to 1.0.3 at one of its two rates; the table `ptbxl_database.csv` is the authority.

    Record ids are the five digits of `ecg_id`, the same at both rates. Only rows whose files exist are found; `missing`
    names the others. Codes (system `scp-ecg`) carry the likelihood in percent, where 0 means "stated, likelihood
    unknown". The electrical axis has no statement there: where the column `heart_axis` says it, it is a code of the
    system `ptb-xl-axis`, and where it is empty the axis is unknown. The fold is `strat_fold`, made by patient: 1 to 8
    train, 9 validates, 10 tests (9 and 10 were validated by a human). An age of 300 means "above 89" and is given as
    90. Reports are German, some English or Swedish.
    """

    name: str
    rate: int
    column: str

    modality = (Modality.ECG,)
    licence = "CC BY 4.0"
    citation = (
        "Wagner P, Strodthoff N, Bousseljot R-D, Kreiseler D, Lunze FI, Samek W, Schaeffter T. PTB-XL, a large "
        "publicly available electrocardiography dataset. Scientific Data 7:154, 2020. doi:10.1038/s41597-020-0495-6"
    )
    url = "https://physionet.org/content/ptb-xl/1.0.3/"
    split = Split(train=(1, 2, 3, 4, 5, 6, 7, 8), validation=(9,), test=(10,))

    @property
    def title(self) -> str:
        return f"PTB-XL, a large publicly available electrocardiography dataset, at {self.rate} Hz"

    @property
    def records_below(self) -> str:
        """What `biosig download` takes of a source that holds both rates."""
        return f"records{self.rate}/"

    @property
    def sampling_rates(self) -> tuple[float, ...]:
        return (float(self.rate),)

    def find(self, source: Path) -> Entries:
        expected = f"{_TABLE} and records{self.rate}/"
        table = tables.locate(folder(source, self.name, expected), _TABLE)
        if table is None:
            raise CorpusError(f"{source}: expected {expected} for the corpus {self.name!r}, found no {_TABLE}")
        present = {path.relative_to(table.parent).as_posix() for path in headers.walk(table.parent, (".hea",))}
        entries, missing, skipped = [], [], []
        for where, row in tables.rows(table, (*_NEEDED, self.column)):
            if row is None or not row["ecg_id"].isdecimal():
                skipped.append((f"{_TABLE} {where}", "expected an ecg_id and a cell in every column, got others"))
                continue
            record_id = f"{int(row['ecg_id']):05d}"
            header = PurePosixPath(f"{row[self.column]}.hea").as_posix()
            if header in present:
                path = table.parent / header
                source_name = path.relative_to(source).as_posix()
                cells = {column: cell for column, cell in row.items() if column in _KEPT}
                entries.append(Entry(record_id, path, {"source": source_name, "row": _Row(table, where, cells)}))
            else:
                missing.append(record_id)
        if not entries:
            raise CorpusError(
                f"{source}: expected {expected} for the corpus {self.name!r}, found none of the "
                f"{len(missing)} signals that {table.name} lists"
            )
        return Entries(entries, missing=missing, skipped=skipped)

    def read(self, entry: Entry) -> Recording:
        row: _Row = entry.meta["row"]
        codes = [Code("scp-ecg", code, likelihood) for code, likelihood in row.statements().items()]
        if axis := row.cells.get(_AXIS, "").strip():
            codes.append(Code("ptb-xl-axis", axis))
        return complete(
            read_wfdb(entry.path),
            entry,
            subject_id=row.patient(),
            session=row.cells.get("recording_date", ""),
            codes=codes,
            report=row.cells["report"],
            fold=row.fold(),
            age=row.age(),
            sex=row.sex(),
            device=" ".join(row.cells.get("device", "").split()),
        )


def patients(source: Path) -> dict[str, str]:
    """Patient by five-digit record id, for corpora that carry PTB-XL records without their people.

    Empty where the table does not lie in the folder or one folder below it; rows without a patient are left out.
    """
    table = tables.locate(source, _TABLE)
    found: dict[str, str] = {}
    if table is None:
        return found
    for where, row in tables.rows(table, ("ecg_id", "patient_id")):
        if row and row["ecg_id"].isdecimal():
            with suppress(RecordError):
                found[f"{int(row['ecg_id']):05d}"] = _Row(table, where, row).patient()
    return found


@dataclass(frozen=True)
class _Row:
    """A row of the table: each cell is judged when it is asked for, so that a bad one costs one record.

    All of them raise RecordError, naming the row and the column.
    """

    table: Path
    where: str
    cells: tables.Row

    def statements(self) -> dict[str, float]:
        """SCP-ECG statements with their likelihood, from a Python literal that is parsed and never evaluated."""
        text = self.cells["scp_codes"]
        try:
            found = ast.literal_eval(text) if len(text) <= _LONGEST_CODES else None
        except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
            found = None
        if not isinstance(found, dict) or not all(
            isinstance(code, str) and code and type(value) in (int, float) and 0 <= value <= 100
            for code, value in found.items()
        ):
            raise self._error("scp_codes", "a literal {statement: likelihood from 0 to 100, ...}")
        return {code: float(value) for code, value in found.items()}

    def patient(self) -> str:
        """The table writes the whole number as a float: `15709.0`."""
        return str(self._whole("patient_id", 0, 2**53))

    def fold(self) -> int:
        return self._whole("strat_fold", 1, _FOLDS)

    def age(self) -> float | None:
        years = self._number("age")
        if math.isnan(years):
            return None
        if years == _HIDDEN_AGE:
            return _HIDDEN_AGE_MEANS
        if not 0 <= years <= headers.OLDEST:
            raise self._error("age", f"years up to {headers.OLDEST:g}, or {_HIDDEN_AGE:g} for above 89")
        return years

    def sex(self) -> str | None:
        sex = self._number("sex")
        if math.isnan(sex):
            return None
        if sex not in _SEXES:
            raise self._error("sex", "0 (male) or 1 (female)")
        return _SEXES[sex]

    def _whole(self, column: str, low: int, high: int) -> int:
        number = self._number(column)
        if not (low <= number <= high and number.is_integer()):
            raise self._error(column, f"a whole number from {low} to {high}")
        return int(number)

    def _number(self, column: str) -> float:
        """NaN for an empty cell."""
        text = self.cells[column].strip()
        try:
            return float(text) if text else math.nan
        except ValueError:
            raise self._error(column, "a number") from None

    def _error(self, column: str, expected: str) -> RecordError:
        return RecordError(self.table, f"{self.where}, {column}", expected, self.cells[column])


CORPORA.add("ptb-xl", PtbXl("ptb-xl", 500, "filename_hr"))
CORPORA.add("ptb-xl-100", PtbXl("ptb-xl-100", 100, "filename_lr"))
