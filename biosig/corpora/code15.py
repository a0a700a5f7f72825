"""CODE-15% and SaMi-Trop as the PhysioNet Challenge 2025 gives them: is it Chagas disease?"""

from __future__ import annotations

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


class Code15SamiTrop:
    """Challenge 2025 training data: twelve leads at 400 Hz, 7 or 10 s, a Chagas label, age and sex.

    The label is a code of the system `chagas`, `True` or `False`. **Every SaMi-Trop record is positive**, by the design
    of that study, and in CODE-15% the labels are self-reported: a model can learn the source instead of the disease.
    `meta["sub_corpus"]` (`code-15`, `sami-trop`) is there to score CODE-15 alone as well.

    The headers do not name people. CODE-15% has 345,779 exams of 233,770 patients; where its table `exams.csv` (with
    `exam_id` and `patient_id`) lies in the folder they are kept together, otherwise an exam counts as a person of its
    own.
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
    split = Split()
    sampling_rates = (400.0,)

    def find(self, source: Path) -> Entries:
        found = headers.find(
            source,
            self.name,
            "WFDB headers with the comments 'Chagas label:' and 'Source:'",
            says=lambda text: "Chagas label:" in text,
        )
        patients = _patients(Path(source))
        return Entries(
            (replace(entry, meta={**entry.meta, "subject": _whose(entry.record_id, patients)}) for entry in found),
            skipped=found.skipped,
        )

    def read(self, entry: Entry) -> Recording:
        recording = read_wfdb(entry.path)
        said = headers.fields(recording.meta["comments"])
        label = said.get("chagas label", "").lower()
        if label and label not in _LABELS:
            raise RecordError(entry.path, "Chagas label", "True or False", said["chagas label"])
        return complete(
            recording,
            entry,
            subject_id=entry.meta["subject"],
            codes=[Code("chagas", _LABELS[label])] if label else [],
            sub_corpus=said.get("source", "").lower().rstrip("% "),
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
        )


def _patients(source: Path) -> dict[str, str]:
    table = tables.locate(source, _EXAMS)
    if table is None:
        return {}
    return {row["exam_id"]: row["patient_id"] for _, row in tables.rows(table, ("exam_id", "patient_id")) if row}


def _whose(record_id: str, patients: dict[str, str]) -> str:
    # A patient's number may equal another one's exam.
    return f"patient-{patients[record_id]}" if patients.get(record_id) else record_id


CORPORA.add(Code15SamiTrop.name, Code15SamiTrop())
