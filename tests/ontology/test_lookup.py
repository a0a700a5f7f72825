"""Concepts by whatever people call them."""

from __future__ import annotations

import pytest

from ontology import Concept, ConceptGraph, OntologyError, UnknownNameError, cardiac, emotion, sleep
from ontology.lookup import codes_of, everywhere, look_up, one


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
    with pytest.raises(UnknownNameError, match=r"'atrial bigeminy' in snomed-ct, simulated \(stated as 251173003, 2"):
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


def test_names_are_looked_for_in_every_graph() -> None:
    graph, (joy, fear) = everywhere("joy", "fear")
    assert graph == emotion()
    assert [found.concepts[0].term for found in (joy, fear)] == ["joy", "fear"]
    graph, (found,) = everywhere("SBRAD")
    assert graph == cardiac()
    assert found.how == ("scp-ecg",)


def test_a_name_goes_before_a_code_of_another_graph() -> None:
    """`W` is a stage of sleep; no crosswalk's code for something else may hide it."""
    for text, wanted in (("W", sleep()), ("AF", cardiac()), ("neutral", emotion())):
        assert everywhere(text)[0] == wanted


def test_what_lies_in_two_graphs_or_in_none_is_said() -> None:
    with pytest.raises(UnknownNameError, match="no graph has both: 'AF' is in cardiac, 'joy' is in emotion"):
        everywhere("AF", "joy")
    with pytest.raises(UnknownNameError, match=r"named 'left bundl' .*\(did you mean 'left bundle branch block'\?\)"):
        everywhere("AF", "left bundl")
    with pytest.raises(UnknownNameError, match=r"named 'xyzzyq' and no crosswalk has it as a code for one$"):
        everywhere("xyzzyq")


def test_a_code_without_a_concept_is_explained() -> None:
    reason = (
        r"'R94\.31' is 'Abnormal electrocardiogram' in icd-10 \(unmapped: in what way is not said\): no concept of "
    )
    with pytest.raises(UnknownNameError, match=reason + "cardiac, emotion, seizure, sleep"):
        everywhere("R94.31")
    with pytest.raises(UnknownNameError, match=reason + "this graph"):
        look_up("R94.31", cardiac())
    with pytest.raises(UnknownNameError, match=r"in icd-10 \(stated as 195080001\)"):
        everywhere("I48")
