"""Concepts by whatever people call them."""

from __future__ import annotations

import pytest

from ontology import Concept, ConceptGraph, OntologyError, UnknownNameError, cardiac
from ontology.lookup import codes_of, look_up, one


@pytest.mark.parametrize(
    ("text", "abbreviations", "systems"),
    [
        ("atrial  Fibrillation", ["AF"], set()),
        ("164889003", ["AF"], set()),
        ("PVC", ["PVC"], set()),
        ("713427006", ["RBBB"], {"snomed-ct", "simulated"}),
        ("SBRAD", ["SB"], {"scp-ecg"}),
        ("I-AVB", ["IAVB"], {"snomed-ct", "cpsc-2018"}),
        ("(AFL", ["AFL"], {"mitdb"}),
        ("ALMI", ["MI"], {"scp-ecg"}),
        ("V", ["PVC", "VEB"], {"mitdb"}),
    ],
)
def test_names_go_before_codes(text: str, abbreviations: list[str], systems: set[str]) -> None:
    found = look_up(text, cardiac())
    assert [concept.abbreviation for concept in found.concepts] == abbreviations
    assert set(found.how) == systems


def test_what_means_nothing_suggests_the_nearest_name() -> None:
    with pytest.raises(UnknownNameError, match=r"no concept is named 'left bundel branch block' \(did you mean 'left"):
        look_up("left bundel branch block", cardiac())
    with pytest.raises(UnknownNameError):
        look_up("251173004", cardiac())
    with pytest.raises(UnknownNameError, match="no concept is named '251173003'"):
        one("251173003", ConceptGraph([Concept("164889003", "atrial fibrillation")]))


def test_one_concept_or_an_error() -> None:
    assert one("AFLT", cardiac()).term == "atrial flutter"
    with pytest.raises(OntologyError, match="'V' states 2 concepts: premature ventricular contractions, ventricular"):
        one("V", cardiac())


def test_a_code_with_two_meanings_is_no_answer() -> None:
    two = ConceptGraph([Concept("biosig:emotion-neutral", "calm"), Concept("biosig:emotion-negative", "not calm")])
    with pytest.raises(
        OntologyError, match=r"'0' is a code for different things: .*calm in seed, seed-iv; not calm in"
    ):
        look_up("0", two)


def test_codes_of_a_concept() -> None:
    codes = codes_of(cardiac().find("AF").id)
    assert codes["scp-ecg"] == ("AFIB",)
    assert codes["mitdb"] == ("(AFIB",)
    assert "164889003" in codes["snomed-ct"]
    assert codes_of("biosig:stage-w")["aasm"] == ("w",)
    assert codes_of("biosig:nowhere") == {}
