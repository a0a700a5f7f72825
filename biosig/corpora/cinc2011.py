"""PhysioNet/CinC Challenge 2011, set A: is this ECG, taken with a mobile phone, good enough?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from biosig.corpora import headers, tables
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.errors import RecordError
from biosig.readers.wfdb import read_wfdb
from biosig.recording import Code, Modality, Recording
from biosig.splits import Split

_TABLE = "quality.csv"
_LISTS = {"RECORDS-acceptable": "acceptable", "RECORDS-unacceptable": "unacceptable"}
_GRADES = frozenset({"acceptable", "unacceptable", "indeterminate"})


class Cinc2011:
    """Challenge 2011 set A: 1,000 twelve-lead ECGs of 10 s, graded by people.

    The grade (code system `cinc2011`: `acceptable`, `unacceptable` or, for two records, `indeterminate`) stands in the
    header's comment `Quality:`, in a table `quality.csv` (record, quality), or in the original lists
    `RECORDS-acceptable` and `RECORDS-unacceptable`, where the two are in neither and have no code. Where header and
    table disagree the record is refused. Flat leads and amplitudes beyond 20 mV are what the grades are about: nothing
    is repaired here. Nobody says who the people are or how old; a record counts as a person of its own.

    In the copy that this was tested on, whose headers were made anew from the text files, what is named aVL is aVF and
    the other way round, in all 438 records where Einthoven and Goldberger can judge (aVF is II - I/2, aVL is I - II/2).
    Such records have the quality flag `leads`; whether another copy has them right, it tells as well.
    """

    name = "cinc2011"
    title = "PhysioNet/Computing in Cardiology Challenge 2011, set A: quality of ECGs from mobile phones"
    modality = (Modality.ECG,)
    licence = "ODC-By 1.0"
    citation = (
        "Silva I, Moody GB, Celi L. Improving the quality of ECGs collected using mobile phones: the "
        "PhysioNet/Computing in Cardiology Challenge 2011. Computing in Cardiology 38:273-276, 2011"
    )
    url = "https://physionet.org/content/challenge-2011/1.0.0/"
    split = Split()
    sampling_rates = (500.0,)

    def find(self, source: Path) -> Entries:
        grades = _grades(Path(source))
        found = headers.find(
            source,
            self.name,
            f"WFDB headers with a comment 'Quality:', or beside {_TABLE} or {', '.join(_LISTS)}",
            belongs=lambda path: path.stem.isdecimal(),
            says=lambda text: bool(grades) or "Quality:" in text,
        )
        return Entries(
            (replace(entry, meta={**entry.meta, "grade": grades.get(entry.record_id, "")}) for entry in found),
            missing=sorted(grades.keys() - {entry.record_id for entry in found}),
            skipped=found.skipped,
        )

    def read(self, entry: Entry) -> Recording:
        recording = read_wfdb(entry.path)
        said = headers.fields(recording.meta["comments"])
        return complete(
            recording,
            entry,
            subject_id=entry.record_id,
            codes=[Code("cinc2011", grade) for grade in _agreed(entry, said)],
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
        )


def _agreed(entry: Entry, said: Mapping[str, str]) -> list[str]:
    grades = {grade.lower() for grade in (said.get("quality", ""), entry.meta["grade"]) if grade}
    if not grades:
        return []
    if len(grades) > 1 or not grades <= _GRADES:
        expected = f"one of {', '.join(sorted(_GRADES))}, the same wherever it stands"
        raise RecordError(entry.path, "quality", expected, " and ".join(sorted(grades)))
    return list(grades)


def _grades(source: Path) -> dict[str, str]:
    if table := tables.locate(source, _TABLE):
        return {row["record"]: row["quality"] for _, row in tables.rows(table, ("record", "quality")) if row}
    found: dict[str, str] = {}
    for name, grade in _LISTS.items():
        if listing := tables.locate(source, name):
            found |= dict.fromkeys(listing.read_text(encoding="utf-8", errors="replace").split(), grade)
    return found


CORPORA.add(Cinc2011.name, Cinc2011())
