"""From every form of a graph to every other."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from ontology import GRAPHS, Concept, ConceptGraph, OntologyError, UnknownNameError, cardiac, read_owl
from ontology.convert import convert, load
from ontology.tabular import table_paths, write_tables
from tests.ontology import rf2_release as rf2


@pytest.mark.parametrize("graph", list(GRAPHS))
@pytest.mark.parametrize("ending", [".owl", ".rdf", ".owx", ".nt", ".csv"])
def test_there_and_back(graph: str, ending: str, tmp_path: Path) -> None:
    made, files = convert(graph, tmp_path / f"copy{ending}")
    assert made == GRAPHS[graph]()
    assert sorted(tmp_path.iterdir()) == sorted(files)
    assert load(files[0]) == made


def test_tables_have_our_columns_and_a_provenance(tmp_path: Path) -> None:
    ours = Path(__file__).parents[2] / "ontology/cardiac_concepts.csv"
    concepts, is_a = write_tables(cardiac(), tmp_path / "own.csv", source="us")
    with concepts.open() as file, ours.open() as same:
        rows, expected = csv.DictReader(file), csv.DictReader(same)
        assert rows.fieldnames == expected.fieldnames
        for row, other in zip(rows, expected, strict=True):
            assert {k: row[k] for k in ("id", "term", "organiser")} == {
                k: other[k] for k in ("id", "term", "organiser")
            }
            assert row["provenance"] == "us"
    assert is_a.read_text().splitlines()[0] == "child,parent,kind,reason"
    assert table_paths(is_a) == table_paths(tmp_path / "own") == (concepts, is_a)
    odd = ConceptGraph([Concept("x:a", "a, b", synonyms=('say "c"; d',)), Concept("x:b", "ü")], [("x:a", "x:b")])
    write_tables(odd, tmp_path / "odd", source="us")
    assert {concept.synonyms for concept in load(tmp_path / "odd.csv")} == {('say "c", d',), ()}
    with pytest.raises(ValueError, match="source is empty"):
        write_tables(odd, tmp_path / "odd", source="")


def test_a_part_of_a_graph(tmp_path: Path) -> None:
    graph, _ = convert("cardiac", tmp_path / "a.owl", descendants_of=["AV block", "BBB"], ancestors_of=["CHB", "RBBB"])
    assert {concept.abbreviation for concept in graph} == {"AVB", "CHB", "BBB", "RBBB"}
    assert read_owl(tmp_path / "a.owl") == graph
    with pytest.raises(OntologyError, match="no concept is left"):
        load("cardiac", descendants_of=["AF"], ancestors_of=["RBBB"])
    with pytest.raises(UnknownNameError, match="did you mean"):
        load("cardiac", descendants_of=["bundle branch blok"])


def test_rf2(tmp_path: Path) -> None:
    release = rf2.save(rf2.small(6, [(2, 1), (3, 2), (4, 2), (5, 1), (6, 5)]), tmp_path / "release")
    graph, files = convert(release, tmp_path / "part.csv", descendants_of=[rf2.concept_id(2)])
    assert set(graph.ids) == {rf2.concept_id(number) for number in (2, 3, 4)}
    assert load(files[0]) == graph
    with pytest.raises(OntologyError, match="descendants_of: for RF2 expected a SNOMED-CT identifier, got 'heart'"):
        load(release, descendants_of=["heart"])


@pytest.mark.parametrize(
    ("source", "dest", "message"),
    [
        ("cardiac", "a.txt", r"a\.txt: expected a name ending in \.owl"),
        ("cardiac", "none/a.owl", "there is no folder"),
        ("missing.owl", "a.owl", r"missing\.owl: no such file"),
    ],
)
def test_what_cannot_be(source: str, dest: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match=message):
        convert(source, tmp_path / dest)
    assert not list(tmp_path.iterdir())


def test_a_misspelt_graph_and_half_a_pair_of_tables(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="did you mean 'cardiac'"):
        load("cardic")
    (tmp_path / "own_concepts.csv").write_text("id\n")
    with pytest.raises(
        OntologyError, match=r"expected the tables own_concepts\.csv and own_is_a\.csv, got no own_is_a"
    ):
        load(tmp_path / "own_concepts.csv")
