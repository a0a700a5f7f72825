"""LUDB: 200 twelve-lead ECGs with diagnoses in words and every P, QRS and T wave drawn in every lead."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from biosig.channels import LEADS_12
from biosig.corpora import headers
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.errors import RecordError
from biosig.readers.wfdb import read_wfdb
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split

_TITLE_LINE = "<diagnoses>"
_WAVES = ("p", "N", "t")
# The annotations of a lead have its name in lower case as their extension.
_LEAD_OF = {lead.lower(): lead for lead in LEADS_12}


class Ludb:
    """Lobachevsky University Electrocardiography Database 1.0.1.

    Age, sex and diagnoses come from the header; `ludb.csv` repeats them in another spelling and is not read.
    Codes (system `ludb`) are the diagnosis lines without their final stop; the report is those lines in order.
    People are the records: 200 of each.

    A wave of a lead is two events with code `p`, `N` (QRS) or `t` and the lead as text: the interval from its start to
    its end, and with duration 0 its peak. A wave whose start or end was not drawn has only its peak.
    """

    name = "ludb"
    title = "Lobachevsky University Electrocardiography Database 1.0.1"
    modality = (Modality.ECG,)
    licence = "ODC-By 1.0"
    citation = (
        "Kalyakulina AI, Yusipov II, Moskalenko VA, Nikolskiy AV, Kosonogov KA, Osipov GV, Zolotykh NYu, Ivanchenko "
        "MV. LUDB: a new open-access validation tool for electrocardiogram delineation algorithms. IEEE Access "
        "8:186181-186190, 2020. doi:10.1109/ACCESS.2020.3029211"
    )
    url = "https://physionet.org/content/ludb/1.0.1/"
    split = Split()
    sampling_rates = (500.0,)

    def find(self, source: Path) -> Entries:
        return headers.find(
            source, self.name, "WFDB headers with the line '#<diagnoses>:'", says=lambda text: _TITLE_LINE in text
        )

    def read(self, entry: Entry) -> Recording:
        annotators = [ending for ending in _LEAD_OF if entry.path.with_suffix(f".{ending}").is_file()]
        recording = read_wfdb(entry.path, annotations=annotators)
        comments = recording.meta["comments"]
        said = headers.fields(comments)
        lines = _diagnoses(entry.path, comments)
        return complete(
            recording,
            entry,
            subject_id=entry.record_id,
            codes=[Code("ludb", line.rstrip(". ")) for line in lines],
            report=" ".join(lines),
            events=_delineation(recording.events, annotators),
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
        )


def _diagnoses(path: Path, comments: Sequence[str]) -> list[str]:
    """The comment lines after `<diagnoses>:`.

    Raises:
        RecordError: If there is no such line.
    """
    for index, comment in enumerate(comments):
        if comment.strip("# ").startswith(_TITLE_LINE):
            return [line for line in (comment.strip("# ") for comment in comments[index + 1 :]) if line]
    raise RecordError(path, "comments", f"a line {_TITLE_LINE}: before the diagnoses", f"none in {len(comments)} lines")


def _delineation(marks: Sequence[Event], annotators: Sequence[str]) -> list[Event]:
    """The waves of all leads in order of time."""
    by_lead: dict[str, list[Event]] = {ending: [] for ending in annotators}
    for mark in marks:
        # With one annotator the reader does not name it.
        by_lead[mark.text or annotators[0]].append(mark)
    found = [wave for ending, lead in by_lead.items() for wave in waves(lead, _LEAD_OF[ending])]
    return sorted(found, key=lambda event: event.onset)


def waves(marks: Sequence[Event], lead: str) -> Iterator[Event]:
    """Peaks and intervals from the marks `(`, wave, `)` of one lead.

    Some waves lack a mark, and a T wave of record 116 was drawn six times over itself: only three marks in a row make
    an interval.
    """
    blank = Event(0.0, 0.0, "")
    for before, mark, after in zip([blank, *marks], marks, [*marks[1:], blank], strict=False):
        if mark.code in _WAVES:
            yield Event(mark.onset, 0.0, mark.code, lead)
            if before.code == "(" and after.code == ")":
                yield Event(before.onset, after.onset - before.onset, mark.code, lead)


CORPORA.add(Ludb.name, Ludb())
