"""Every graph of the package: it is what its tables say, hangs together, and its crosswalks know it."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

import ontology
from ontology import GRAPHS, KERNELS, UnknownNameError, concepts, known_mask, multi_hot, vocabulary, write_owl
from ontology import crosswalk as walk
from ontology.curate import from_tables, main
from ontology.graph import Kind
from ontology.identifiers import is_snomed
from ontology.prompts import templates
from ontology.shipped import FOLDER, shipped, table

EEG = {"sleep": 7, "seizure": 12, "emotion": 23}


def test_there_are_four_and_each_has_its_function() -> None:
    assert list(GRAPHS) == ["cardiac", "emotion", "seizure", "sleep"]
    for name in GRAPHS:
        assert GRAPHS[name]() is shipped(name) is getattr(ontology, name)()
    for wrong in (shipped, table):
        with pytest.raises(UnknownNameError, match=r"no graph named 'seizures' \(did you mean 'seizure'\?\)"):
            wrong("seizures")


@pytest.mark.parametrize("name", list(GRAPHS))
def test_the_owl_file_is_what_the_tables_say(name: str, tmp_path: Path) -> None:
    graph = from_tables(FOLDER / f"{name}_concepts.csv", FOLDER / f"{name}_is_a.csv")
    assert shipped(name) == graph
    write_owl(graph, tmp_path / "again.owl")
    shipped_bytes = (FOLDER / f"{name}.owl").read_bytes()
    assert (tmp_path / "again.owl").read_bytes() == shipped_bytes, "run python -m ontology.curate"


def test_a_new_graph_is_two_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tiny_concepts.csv").write_text(
        "id,abbreviation,term,synonyms,organiser,description,provenance\n"
        "test:a,A,one,,0,,known\ntest:b,B,other,second,1,,known\n"
    )
    (tmp_path / "tiny_is_a.csv").write_text("child,parent,kind,reason\ntest:a,test:b,other,so it is\n")
    monkeypatch.setattr("ontology.curate.FOLDER", tmp_path)
    monkeypatch.setattr("ontology.curate.GRAPHS", {"tiny": None})
    main()
    assert ontology.read_owl(tmp_path / "tiny.owl").find("second").id == "test:b"


@pytest.mark.parametrize("name", list(GRAPHS))
def test_everything_hangs_from_one_root_and_no_organiser_is_empty(name: str) -> None:
    graph = shipped(name)
    (root,) = (id_ for id_ in graph.ids if not graph.parents(id_))
    assert graph[root].organiser
    assert graph.descendants(root) == set(graph.ids) - {root}
    for concept in graph:
        assert not concept.organiser or graph.children(concept.id)
        assert concept.id.startswith("biosig:") or (name == "cardiac" and is_snomed(concept.id))
        assert concept.organiser or table(name)[concept.id]["description"]


def test_no_concept_is_in_two_graphs() -> None:
    ids = [id_ for name in GRAPHS for id_ in shipped(name).ids]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", list(EEG))
def test_the_graphs_of_the_eeg_hold_what_corpora_label(name: str) -> None:
    graph = shipped(name)
    assert len(graph.observed) == EEG[name]
    said = frozenset().union(*(vocabulary(system) for system in walk.SYSTEMS if walk.SYSTEMS[system].graph == name))
    assert said == set(graph.observed)
    hearts = {Kind.RHYTHM, Kind.CONDUCTION, Kind.REPOLARISATION, Kind.STRUCTURE}
    assert not hearts & {edge.kind for edge in graph.edges}
    for kernel in KERNELS:
        assert KERNELS[kernel](graph).shape == (EEG[name], EEG[name])
    assert np.triu(KERNELS["hop"](graph), 1).any()


@pytest.mark.parametrize(
    ("name", "child", "parent"),
    [
        ("sleep", "S4", "N3"),
        ("sleep", "N1", "NREM"),
        ("sleep", "R", "sleep"),
        ("seizure", "complex partial seizure", "FNSZ"),
        ("seizure", "ABSZ", "GNSZ"),
        ("seizure", "TCSZ", "generalised motor seizure"),
        ("seizure", "CPSZ", "seizure with impaired awareness"),
        ("seizure", "ABSZ", "seizure with impaired awareness"),
        ("emotion", "joy", "POS"),
        ("emotion", "fear", "high arousal"),
        ("emotion", "sadness", "low arousal"),
        ("emotion", "severe anxiety", "LVHA"),
        ("emotion", "tenderness", "HVLA"),
    ],
)
def test_what_the_field_expects(name: str, child: str, parent: str) -> None:
    graph = shipped(name)
    assert graph.find(parent).id in graph.ancestors(graph.find(child).id)


def test_what_is_no_kind_of_what() -> None:
    def under(name: str, child: str, parent: str) -> bool:
        graph = shipped(name)
        return graph.find(parent).id in graph.ancestors(graph.find(child).id)

    assert not under("sleep", "W", "sleep")
    assert not under("sleep", "R", "NREM")
    assert not under("seizure", "BCKG", "SEIZ")
    assert not under("seizure", "SPSZ", "seizure with impaired awareness")
    assert not under("emotion", "NEU", "high arousal")
    assert not under("emotion", "no anxiety", "POS")


@pytest.mark.parametrize(
    ("system", "code", "names"),
    [
        ("aasm", "N3", ["N3"]),
        ("aasm", "?", []),
        ("rechtschaffen-kales", "4", ["S4", "N3"]),
        ("rechtschaffen-kales", "S2", ["N2"]),
        ("rechtschaffen-kales", "MT", []),
        ("edf-sleep", "Sleep stage R", ["R"]),
        ("edf-sleep", "Sleep stage 3", ["S3", "N3"]),
        ("edf-sleep", "Sleep stage N3", ["N3"]),
        ("tusz", "cpsz", ["CPSZ", "FNSZ", "SEIZ"]),
        ("tusz", "BCKG", ["BCKG"]),
        ("tusz", "nesz", []),
        ("seed", "-1", ["NEG"]),
        ("seed", "positive", ["POS"]),
        ("seed-iv", "1", ["SADNESS", "LVLA", "NEG", "LA"]),
        ("seed-iv", "3", ["HAPPY", "HVHA", "POS", "HA"]),
        ("seed-v", "0", ["DISGUST", "LVHA", "NEG", "HA"]),
        ("seed-v", "4", ["HAPPY", "HVHA", "POS", "HA"]),
        ("faced", "8", ["TENDERNESS", "HVLA", "POS", "LA"]),
        ("faced", "neutral", ["NEU"]),
        ("deap", "HALV", ["LVHA", "NEG", "HA"]),
        ("deap", "LA", ["LA"]),
        ("dasps-4-class", "Severe", ["ANX3", "ANXIETY"]),
        ("dasps-4-class", "Anxious", ["ANXIETY"]),
        ("dasps-2-class", "Normal", ["NOANX"]),
    ],
)
def test_labels_of_the_corpora(system: str, code: str, names: list[str]) -> None:
    graph = shipped(walk.SYSTEMS[system].graph)
    assert concepts(system, code) == {graph.find(name).id for name in names}


def test_labels_that_exclude_one_another_state_all_they_imply() -> None:
    # Anxiety is of a place in the circumplex, its absence is not: there only the degrees imply anything.
    for system in walk.SYSTEMS:
        if name := walk.SYSTEMS[system].graph:
            graph = shipped(name)
            for code, entry in walk.entries(system).items():
                above = {id_ for one in entry.concepts for id_ in graph.ancestors(one) & set(graph.observed)}
                assert system.startswith("dasps") or above <= entry.concepts, (system, code)


def test_an_unknown_valence_is_no_negative_valence() -> None:
    graph = ontology.emotion()
    ids, row = graph.observed, {graph[id_].abbreviation: place for place, id_ in enumerate(graph.observed)}
    systems, codes = ["dasps-2-class", "dasps-4-class", "seed", "faced"], ["Normal", "Severe", "positive", "sadness"]
    labels = multi_hot([concepts(*pair) for pair in zip(systems, codes, strict=True)], ids, graph)
    known = known_mask([vocabulary(system) for system in systems], ids, graph) | labels
    assert known[:, row["NEG"]].tolist() == [False, True, True, True]
    assert labels[:, row["NEG"]].tolist() == [False, True, False, True]
    assert known[:, row["JOY"]].tolist() == [False, False, False, True]
    assert known[:, row["ANXIETY"]].tolist() == [True, True, False, False]


def test_templates_are_of_shipped_graphs() -> None:
    with (FOLDER / "prompt_templates.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["graph"] for row in rows} == set(GRAPHS)
    assert all(row["template"].count("{}") == 1 for row in rows)
    for name in GRAPHS:
        assert templates(name)[0] == "{}"
        assert len(templates(name)) >= 3
    assert templates("unheard of") == ("{}",)
