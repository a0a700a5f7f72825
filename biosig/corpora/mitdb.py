"""MIT-BIH Arrhythmia Database: half-hour two-lead recordings with every beat and every change of rhythm."""

from __future__ import annotations

import re
from pathlib import Path

from biosig.corpora import headers
from biosig.corpora.base import CORPORA, Entries, Entry, complete
from biosig.readers.wfdb import read_wfdb
from biosig.recording import Code, Event, Modality, Recording
from biosig.splits import Split, hashed_fold

# The records of the inter-patient split, and those with a pacemaker.
DS1, DS2, PACED = (
    frozenset(map(str, records))
    for records in (
        (101, 106, 108, 109, 112, 114, 115, 116, 118, 119, 122, 124, 201, 203, 205, 207, 208, 209, 215, 220, 223, 230),
        (100, 103, 105, 111, 113, 117, 121, 123, 200, 202, 210, 212, 213, 214, 219, 221, 222, 228, 231, 232, 233, 234),
        (102, 104, 107, 217),
    )
)
_TEST_FOLD, _UNUSED_FOLD = 10, 9
_TRAINING_FOLDS = 8
_SAME_PERSON = {"202": "201"}
# Beats, blocked P waves and flutter waves; other symbols are marks on the tape.
_FINDINGS = frozenset("NLRBAaJSVrFejnE/fQ?x!")
_PERSON = re.compile(r"[#\s]*(-?\d+)\s+([MF?])\s")


class Mitdb:
    """MIT-BIH Arrhythmia Database 1.0.0, all 48 records or the 44 without pacemaker (AAMI EC57).

    Events are the reference annotations: a beat or a mark is an instant with its symbol as code (`N`, `V`, `~`), a
    rhythm lasts until the next one (`(AFIB`). Codes (system `mitdb`) are the rhythms and kinds of beats that occur at
    all in the half hour, in order of appearance. Age and sex are in a comment line like `69 M 1085 1629 x1`; `-1` is
    unknown.

    The usual inter-patient split (de Chazal) trains on DS1 and tests on DS2, but 201 (DS1) and 202 (DS2) are one
    person. DS2 stays whole, so that results compare: 201 takes no side, and neither do the paced records. DS2 is fold
    10; the people of DS1 are hashed to folds 1 to 8, of which 7 and 8 validate; fold 9 is unused.
    """

    name = "mitdb"
    title = "MIT-BIH Arrhythmia Database 1.0.0"
    modality = (Modality.ECG,)
    licence = "ODC-By 1.0"
    citation = (
        "Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Engineering in Medicine and Biology "
        "Magazine 20(3):45-50, 2001. doi:10.1109/51.932724; "
        "split: de Chazal P, O'Dwyer M, Reilly RB. Automatic classification of heartbeats using ECG morphology and "
        "heartbeat interval features. IEEE Transactions on Biomedical Engineering 51(7):1196-1206, 2004. "
        "doi:10.1109/TBME.2004.827359"
    )
    url = "https://physionet.org/content/mitdb/1.0.0/"
    split = Split(train=(1, 2, 3, 4, 5, 6), validation=(7, 8), test=(_TEST_FOLD,))
    sampling_rates = (360.0,)

    def find(self, source: Path) -> Entries:
        return headers.find(
            source,
            self.name,
            "WFDB headers 100 to 234, each with its annotations .atr",
            belongs=lambda path: path.stem in DS1 | DS2 | PACED and path.with_suffix(".atr").is_file(),
        )

    def read(self, entry: Entry) -> Recording:
        recording = read_wfdb(entry.path, annotations=("atr",))
        person = next((match for text in recording.meta["comments"] if (match := _PERSON.match(text))), None)
        said = {"age": person[1], "sex": person[2]} if person else {}
        subject = _SAME_PERSON.get(entry.record_id, entry.record_id)
        return complete(
            recording,
            entry,
            subject_id=subject,
            codes=[Code("mitdb", event.code) for event in recording.events if _is_finding(event)],
            fold=_fold(entry.record_id, subject),
            age=headers.age(entry.path, said),
            sex=headers.sex(entry.path, said),
        )


def _is_finding(event: Event) -> bool:
    return event.code in _FINDINGS or event.code.startswith("(")


def _fold(record_id: str, subject: str) -> int:
    if record_id in DS2:
        return _TEST_FOLD
    if record_id in PACED or subject in _SAME_PERSON.values():
        return _UNUSED_FOLD
    return hashed_fold(Mitdb.name, subject, _TRAINING_FOLDS)


CORPORA.add(Mitdb.name, Mitdb())
