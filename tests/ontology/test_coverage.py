"""Coverage against counting by hand."""

from __future__ import annotations

import math

from ontology import cardiac, sleep
from ontology.coverage import ELSEWHERE, NOT_STATED, UNKNOWN_SYSTEM, UNLISTED, coverage

RECORDS = [
    [("snomed-ct", "164889003"), ("snomed-ct", "253352002")],
    [("snomed-ct", "164889003"), ("snomed-ct", "164889003")],
    [("ludb", "Electric axis of the heart: normal"), ("scp-ecg", "NEWCODE")],
    [("snomed-ct", "233917008")],
    [("elsewhere", "17")],
    [("scp-ecg", "AFIB")],
    [],
]


def test_every_label_is_counted_once_a_record() -> None:
    found = coverage(RECORDS, cardiac())
    assert (found.labels, found.known, found.grouped) == (8, 3, 1)
    assert (found.codes, found.known_codes) == (7, 2)
    assert (found.records, found.known_records) == (6, 3)
    assert found.share == 3 / 8
    assert {code: reason for _, code, _, reason in found.others} == {
        "253352002": f"left atrial abnormality: {ELSEWHERE}",
        "Electric axis of the heart: normal": "an axis within normal limits has no code in the list",
        "NEWCODE": UNLISTED,
        "233917008": "groups others there: atrioventricular block",
        "17": UNKNOWN_SYSTEM,
    }


def test_the_commonest_unknown_comes_first() -> None:
    found = coverage([*RECORDS, [("elsewhere", "17")]], cardiac())
    assert found.others[0] == ("elsewhere", "17", 2, UNKNOWN_SYSTEM)
    assert coverage([[("snomed-ct", "38341003")]], cardiac()).others == (("snomed-ct", "38341003", 1, ELSEWHERE),)


def test_another_graph_and_no_labels() -> None:
    assert coverage(RECORDS, sleep()).known == 0
    assert coverage([[("edf-sleep", "Sleep stage 2")]], sleep()).share == 1
    assert math.isnan(coverage([[]], cardiac()).share)


def test_a_sentence_that_states_nothing() -> None:
    found = coverage([[("mimic-iv-ecg", "Possible atrial flutter")], [("mimic-iv-ecg", "Sinus rhythm.")]], cardiac())
    assert found.known == 1
    assert found.others == (("mimic-iv-ecg", "Possible atrial flutter", 1, NOT_STATED),)
