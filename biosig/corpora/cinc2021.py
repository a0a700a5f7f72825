"""The eight public sub-corpora of the PhysioNet/CinC Challenges 2020 and 2021, with SNOMED-CT codes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from biosig.corpora import headers, ptbxl
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.readers.wfdb import read_wfdb
from biosig.recording import Code, Modality, Recording
from biosig.splits import Split

_RECORD = re.compile(r"(A|Q|I|S)(\d{4})|(HR|E|JS)(\d{5})")
_BY_PREFIX = {
    "A": "cpsc_2018",
    "Q": "cpsc_2018_extra",
    "I": "st_petersburg_incart",
    "S": "ptb",
    "HR": "ptb-xl",
    "E": "georgia",
}
# Both hospitals of Zheng et al. share one series of numbers.
_LAST_OF_CHAPMAN_SHAOXING = 10646
# Several records a person, and no header says whose: 75 records of 32 people, 549 of 290.
_PEOPLE_UNKNOWN = frozenset({"st_petersburg_incart", "ptb"})
_CODED_IN_WORDS = frozenset({"cpsc_2018", "cpsc_2018_extra"})


class Cinc2021:
    """CPSC, CPSC-Extra, St Petersburg INCART, PTB, PTB-XL, Georgia, Chapman-Shaoxing and Ningbo in one form.

    Records are recognised by their names in any arrangement of folders (`georgia/g1/E00001`, `WFDB_Ga/E00001`);
    `meta["sub_corpus"]` has the folder names of the 2021 Challenge. Codes (system `snomed-ct`) are the items of `#Dx`
    as they stand; early copies of CPSC carry words (`RBBB`, `Normal`) instead of numbers: system `cpsc-2018`. There are
    no reports.

    The headers do not name people. A record counts as a person of its own, except that

    - St Petersburg INCART and PTB, with two or more records a person, count as one person each: they fall into one
      fold whole, so nobody is on two sides;
    - PTB-XL records get the patient of `ptbxl_database.csv` where that table lies in the same folder. Without it a
      seventh of them may have a sibling on the other side: take such numbers from the corpus `ptb-xl` instead.
    """

    name = "cinc2021"
    title = "PhysioNet/Computing in Cardiology Challenges 2020 and 2021, training data"
    modality = (Modality.ECG,)
    licence = "CC BY 4.0"
    citation = (
        "Reyna MA, Sadr N, Perez Alday EA, Gu A, Shah AJ, Robichaux C, Rad AB, Elola A, Seyedi S, Ansari S, Ghanbari "
        "H, Li Q, Sharma A, Clifford GD. Will two do? Varying dimensions in electrocardiography: the "
        "PhysioNet/Computing in Cardiology Challenge 2021. Computing in Cardiology 48:1-4, 2021. "
        "doi:10.23919/CinC53138.2021.9662687; "
        "Perez Alday EA, Gu A, Shah AJ, Robichaux C, Wong AI, Liu C, Liu F, Rad AB, Elola A, Seyedi S, Li Q, Sharma A, "
        "Clifford GD, Reyna MA. Classification of 12-lead ECGs: the PhysioNet/Computing in Cardiology Challenge 2020. "
        "Physiological Measurement 41:124003, 2020. doi:10.1088/1361-6579/abc960"
    )
    url = "https://physionet.org/content/challenge-2021/1.0.3/"
    split = Split()
    sampling_rates = (500.0, 257.0, 1000.0)

    def find(self, source: Path) -> Entries:
        found = headers.find(
            source,
            self.name,
            "WFDB headers named A0001, Q0001, I0001, S0001, HR00001, E00001 or JS00001 with a line '#Dx:'",
            belongs=lambda path: _RECORD.fullmatch(path.stem) is not None,
            says=lambda text: re.search(r"^#\s*Dx:", text, re.MULTILINE) is not None,
        )
        patients = {f"HR{ecg_id}": f"ptb-xl-{patient}" for ecg_id, patient in ptbxl.patients(source).items()}
        return Entries(
            (replace(entry, meta={**entry.meta, **_whose(entry.record_id, patients)}) for entry in found),
            skipped=found.skipped,
        )

    def read(self, entry: Entry) -> Recording:
        recording = read_wfdb(entry.path)
        said = headers.fields(recording.meta["comments"])
        words = "cpsc-2018" if entry.meta["sub_corpus"] in _CODED_IN_WORDS else "snomed-ct"
        return complete(
            recording,
            entry,
            subject_id=entry.meta["subject"],
            codes=[Code("snomed-ct" if dx.isdecimal() else words, dx) for dx in headers.listed(said.get("dx", ""))],
            sub_corpus=entry.meta["sub_corpus"],
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
        )


def sub_corpus(record_id: str) -> str:
    """Which sub-corpus a record name is of."""
    match = _RECORD.fullmatch(record_id)
    if match is None:
        raise ValueError(f"expected a record name of the Challenges 2020 and 2021, got {record_id!r}")
    prefix, number = (match[1], match[2]) if match[1] else (match[3], match[4])
    if prefix == "JS":
        return "chapman_shaoxing" if int(number) <= _LAST_OF_CHAPMAN_SHAOXING else "ningbo"
    return _BY_PREFIX[prefix]


def _whose(record_id: str, patients: Mapping[str, str]) -> dict[str, str]:
    part = sub_corpus(record_id)
    subject = part if part in _PEOPLE_UNKNOWN else patients.get(record_id, record_id)
    return {"sub_corpus": part, "subject": subject}


CORPORA.add(Cinc2021.name, Cinc2021())
