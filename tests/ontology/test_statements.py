"""Machine statements: what is stated, doubted and denied, sentence by sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ontology import cardiac, concepts, doubted
from ontology.crosswalk import SYSTEMS, entries, listed
from ontology.statements import plain, understand

SYSTEM = "mimic-iv-ecg"


def names(ids: frozenset[str]) -> set[str]:
    return {cardiac()[id_].abbreviation if id_ in cardiac() else id_ for id_ in ids}


@pytest.mark.parametrize(
    ("sentence", "stated", "hedged"),
    [
        ("Sinus rhythm", "NSR", ""),
        ("Normal sinus rhythm.", "NSR", ""),
        ("Atrial fibrillation with rapid ventricular response", "AF 314208002", ""),
        ("Atrial fibrillation with slow ventricular response", "AF", ""),
        ("Left bundle branch block", "LBBB", ""),
        ("Incomplete RBBB", "IRBBB", ""),
        ("RBBB with left anterior fascicular block", "RBBB LAnFB", ""),
        ("Possible inferior infarct - age undetermined", "", "MI"),
        ("Inferior infarct - age undetermined", "MI", ""),
        ("Cannot rule out anteroseptal infarct - age undetermined", "", "MI"),
        ("Anterior infarct, possibly acute", "54329005 MI", ""),
        ("Old inferior infarct", "164867002 MI", ""),
        ("Prolonged QT interval", "LQT", ""),
        ("Long QTc interval", "LQT", ""),
        ("Low QRS voltages in precordial leads", "LQRSV", ""),
        ("Normal ECG", "", ""),
        ("Sinus rhythm with 1st degree A-V block", "NSR IAVB", ""),
        ("Sinus rhythm with PAC(s)", "NSR PAC", ""),
        ("Sinus rhythm with possible PVCs", "NSR", "PVC VEB"),
        ("2nd degree A-V block, Mobitz I (Wenckebach)", "IIAVB 54016002", ""),
        ("2nd degree A-V block, Mobitz II", "IIAVB 426183003", ""),
        ("Poor R wave progression - probable normal variant", "PRWP", ""),
        ("Extensive ST-T changes are nonspecific", "NSSTTA", ""),
        ("Non-specific ST-T wave changes", "NSSTTA", ""),
        ("T wave changes may be due to myocardial ischaemia", "TAb", "164861001"),
        ("Left ventricular hypertrophy may be present", "", "LVH"),
        ("Left ventricular hypertrophy cannot be excluded", "", "LVH"),
        ("Left ventricular hypertrophy not excluded", "", "LVH"),
        ("Left axis deviation, left ventricular hypertrophy is possible", "LAD", "LVH"),
        ("Voltage criteria for left ventricular hypertrophy", "55827005", ""),
        ("Sinus rhythm or ectopic atrial rhythm", "", "NSR 106068003"),
        ("Atrial fibrillation or flutter", "195080001", ""),
        ("ST elevation, consider early repolarization", "STE", "428417006"),
        ("*** Consider Acute ST Elevation MI ***", "", "57054005 MI STE"),
        ("Borderline first degree A-V block", "", "IAVB"),
        ("Pacemaker rhythm - no further analysis", "PR", ""),
        ("A-V dual-paced rhythm", "PR 251268003 251266004", ""),
        ("Sinus rhythm without PVCs", "NSR", ""),
        ("No evidence of acute ischemia", "", ""),
        ("No ST elevation, sinus tachycardia", "STach", ""),
        ("No AF but sinus tachycardia", "STach", ""),
        ("Atrial fibrillation not seen", "", ""),
        ("PVCs have resolved", "", ""),
        ("Since previous tracing, atrial fibrillation is no longer present", "", "AF"),
        ("Sinus rhythm has replaced atrial flutter", "", "NSR AFL"),
        ("Infarct. Possible infarct.", "MI", ""),
        ("Left axis devaition", "", ""),
        ("a premature ventricular contractionist", "", ""),
    ],
)
def test_sentences(sentence: str, stated: str, hedged: str) -> None:
    assert names(concepts(SYSTEM, sentence)) == set(stated.split())
    assert names(doubted(SYSTEM, sentence)) == set(hedged.split())


@pytest.mark.parametrize(
    ("sentence", "denied"),
    [
        ("Sinus rhythm without PVCs", "PVC VEB"),
        ("No evidence of acute ischemia", "413444003"),
        ("Atrial fibrillation not seen", "AF"),
        ("No AF but sinus tachycardia", ""),
        ("Sinus rhythm. No sinus rhythm.", ""),
    ],
)
def test_denials(sentence: str, denied: str) -> None:
    phrases = {code: entry.concepts for code, entry in entries(SYSTEM).items()}
    assert names(understand(plain(sentence), phrases).denied) == set(denied.split())


def test_spelling_is_one_spelling() -> None:
    assert plain("  A-V block;  ISCHAEMIA - can't  ") == "av block | ischemia | cannot"
    assert plain("Non-specific ST-T, 2:1 (x)") == "nonspecific st t , 2 1 | x"
    assert plain(" - ") == ""
    assert listed(SYSTEM, "Normal ECG")
    assert not listed(SYSTEM, "Lunch at noon")


def test_every_phrase_is_plain() -> None:
    for phrase in entries(SYSTEM):
        assert plain(phrase) == phrase


@given(
    st.lists(st.sampled_from([*list(entries(SYSTEM))[:60], "no", "possible", "or", ",", "-", "with", "is"]), max_size=7)
)
def test_nothing_is_in_two_sets(words: list[str]) -> None:
    phrases = {code: entry.concepts for code, entry in entries(SYSTEM).items()}
    said = understand(plain(" ".join(words)), phrases)
    assert not said.stated & said.doubted | said.stated & said.denied | said.doubted & said.denied
    assert said.stated | said.doubted | said.denied == said.stated or said.listed


def test_only_sentences_are_hedged() -> None:
    for system in SYSTEMS:
        if not SYSTEMS[system].phrases:
            assert doubted(system, "Possible atrial flutter") == frozenset()
