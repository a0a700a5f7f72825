"""Prompts name every synonym and nothing else."""

from __future__ import annotations

import pytest

from ontology import GRAPHS, ConceptGraph, cardiac, seizure, sentences, sleep
from ontology.graph import Concept
from ontology.prompts import description


def test_the_bare_term_comes_first_then_every_name_in_every_template() -> None:
    assert sentences(Concept("test:a", "wide QRS", "WQ", ("broad QRS",))) == (
        "wide QRS",
        "12-lead ECG showing wide QRS",
        "electrocardiogram with wide QRS",
        "broad QRS",
        "12-lead ECG showing broad QRS",
        "electrocardiogram with broad QRS",
    )


def test_description_and_parents_come_last() -> None:
    concept = cardiac().find("LBBB")
    said = sentences(concept, cardiac())
    assert said[:-2] == sentences(concept)
    assert said[-2] == f"left bundle branch block: {description(concept.id)}"
    assert said[-1] == "left bundle branch block, a kind of bundle branch block"
    assert "12-lead ECG showing complete left bundle branch block" in said
    bradycardia = sentences(cardiac().find("SB"), cardiac())
    assert sum("a kind of" in sentence for sentence in bradycardia) == 2


def test_each_modality_has_its_own_sentences() -> None:
    asleep, ictal = (" ".join(sentences(graph.find(name))) for graph, name in ((sleep(), "N2"), (seizure(), "ABSZ")))
    assert "polysomnogram" in asleep
    assert "EEG showing absence seizure" in ictal
    for text in (asleep, ictal):
        assert "ECG" not in text
        assert "electrocardiogram" not in text


def test_a_concept_of_another_graph_has_its_parents_there() -> None:
    graph = ConceptGraph([Concept("test:a", "flat P"), Concept("test:b", "P wave")], [("test:a", "test:b")])
    assert sentences(graph["test:a"], graph)[-1] == "flat P, a kind of P wave"
    assert description("test:a") == ""


@pytest.mark.parametrize("name", list(GRAPHS))
def test_no_sentence_twice_and_none_shared(name: str) -> None:
    graph = GRAPHS[name]()
    said = [text for concept in graph for text in sentences(concept, graph)]
    assert len(set(said)) == len(said)
    assert all(len(sentences(concept)) >= 3 for concept in graph)


@pytest.mark.parametrize("name", list(GRAPHS))
def test_descriptions_say_more_than_the_name(name: str) -> None:
    graph = GRAPHS[name]()
    about = [description(id_) for id_ in graph.observed]
    assert len(set(about)) == len(about)
    for id_, text in zip(graph.observed, about, strict=True):
        assert 10 <= len(text) <= 140
        assert text[-1] != "."
        assert not {other.casefold() for other in graph[id_].names} & {text.casefold()}
