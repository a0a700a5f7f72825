"""CODE-15% and SaMi-Trop as the PhysioNet Challenge 2025 gives them: is it Chagas disease?"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path

from biosig.corpora import headers, tables
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.errors import RecordError
from biosig.readers.wfdb import read_wfdb
from biosig.recording import Code, Modality, Recording
from biosig.splits import Split

_LABELS = {"true": "True", "false": "False"}
_EXAMS = "exams.csv"
_SIX = ("1dAVb", "RBBB", "LBBB", "SB", "ST", "AF")
_SAYS = {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}
_SAMI_TROP = "sami-trop"


class Code15SamiTrop:
    """Challenge 2025 training data: twelve leads at 400 Hz, 7 or 10 s, a Chagas label, age and sex.

    The label is a code of the system `chagas`, `True` or `False`. **Every SaMi-Trop record is positive**, by the design
    of that study, and in CODE-15% the labels are self-reported: a model can learn the source instead of the disease.
    `meta["sub_corpus"]` (`code-15`, `sami-trop`) is there to score CODE-15 alone as well.

    The headers name neither people nor findings. Both are in the table `exams.csv` of CODE-15%; put it in the folder:

    - `patient_id`: 345,779 exams are of 233,770 patients. Without the table an exam counts as a person of its own.
    - `1dAVb`, `RBBB`, `LBBB`, `SB`, `ST`, `AF`: the six findings of an exam, `True` or `False`. Those that are true are
      codes of the system `code15`, and `none` is where none is. An exam without these columns, or with all six empty,
      has none of these codes, so that nothing is known of its findings; so has SaMi-Trop, whose exams have other
      numbers.
    """

    name = "code15-samitrop"
    title = "CODE-15% and SaMi-Trop in the form of the PhysioNet Challenge 2025"
    modality = (Modality.ECG,)
    licence = "CC BY 4.0"
    citation = (
        "Ribeiro AH, Paixao GMM, Lima EM, Ribeiro MH, Pinto Filho MM, Gomes PR, Oliveira DM, Meira Jr W, Schon TB, "
        "Ribeiro ALP. CODE-15%: a large scale annotated dataset of 12-lead ECGs. Zenodo, 2021. "
        "doi:10.5281/zenodo.4916206; "
        "Ribeiro ALP, Ribeiro AH, Paixao GMM, Lima EM, et al. Sami-Trop: 12-lead ECG traces with age and mortality "
        "annotations. Zenodo, 2021. doi:10.5281/zenodo.4905618; "
        "Reyna MA, Koscova Z, Pavlus J, Saghafi S, Weigle J, Elola A, Seyedi S, Campbell K, Li Q, Bahrami Rad A, "
        "Ribeiro AH, Ribeiro ALP, Sameni R, Clifford GD. Detection of Chagas disease from the ECG: the George B. Moody "
        "PhysioNet Challenge 2025. arXiv:2510.02202, 2025"
    )
    url = "https://moody-challenge.physionet.org/2025/"
    access = (
        "it is put together from Zenodo (CODE-15%, doi:10.5281/zenodo.4916206; SaMi-Trop, "
        "doi:10.5281/zenodo.4905618) by the scripts of the page, which write its WFDB records; no account is "
        "needed"
    )
    split = Split()
    sampling_rates = (400.0,)

    def find(self, source: Path) -> Entries:
        found = headers.find(
            source,
            self.name,
            "WFDB headers with the comments 'Chagas label:' and 'Source:'",
            says=lambda text: "Chagas label:" in text,
        )
        exams = _exams(Path(source), {entry.record_id for entry in found})
        known = ((entry, exams.get(entry.record_id, {})) for entry in found)
        return Entries(
            (
                replace(entry, meta={**entry.meta, "subject": _whose(entry.record_id, exam), "exam": exam})
                for entry, exam in known
            ),
            skipped=found.skipped,
        )

    def read(self, entry: Entry) -> Recording:
        recording = read_wfdb(entry.path)
        said = headers.fields(recording.meta["comments"])
        label = said.get("chagas label", "").lower()
        if label and label not in _LABELS:
            raise RecordError(entry.path, "Chagas label", "True or False", said["chagas label"])
        source = said.get("source", "").lower().rstrip("% ")
        codes = [Code("chagas", _LABELS[label])] if label else []
        if source != _SAMI_TROP:
            codes += [Code("code15", name) for name in _findings(entry)]
        return complete(
            recording,
            entry,
            subject_id=entry.meta["subject"],
            codes=codes,
            sub_corpus=source,
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
        )


def _exams(source: Path, wanted: Collection[str]) -> dict[str, dict[str, str]]:
    """What the table says of the wanted exams: `patient_id`, and the six findings if it has them."""
    table = tables.locate(source, _EXAMS)
    if table is None:
        return {}
    columns: tuple[str, ...] = ("exam_id", "patient_id")
    with table.open(encoding="utf-8-sig", errors="replace") as file:
        header = {name.strip().strip('"') for name in file.readline().split(",")}
    if header & set(_SIX):
        columns += _SIX
    return {
        row["exam_id"]: {name: row[name].strip() for name in columns[1:]}
        for _, row in tables.rows(table, columns)
        if row and row["exam_id"] in wanted
    }


def _whose(record_id: str, exam: Mapping[str, str]) -> str:
    # A patient's number may equal another one's exam.
    return f"patient-{exam['patient_id']}" if exam.get("patient_id") else record_id


def _findings(entry: Entry) -> list[str]:
    """The findings of an exam that are true; `none` if all six are said to be false.

    Raises:
        RecordError: If a cell is neither.
    """
    cells = {name: entry.meta["exam"].get(name, "") for name in _SIX}
    if not any(cells.values()):
        return []
    for name, cell in cells.items():
        if cell.lower() not in _SAYS:
            raise RecordError(entry.path, f"{name} in {_EXAMS}", "True or False", cell)
    return [name for name, cell in cells.items() if _SAYS[cell.lower()]] or ["none"]


CORPORA.add(Code15SamiTrop.name, Code15SamiTrop())
