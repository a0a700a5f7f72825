"""OWL in three notations: what is written is read back equal, and what others write is understood."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

import owlready2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ontology import OntologyError, cardiac, read_owl, write_owl
from ontology.graph import Concept, ConceptGraph, Edge, Kind
from ontology.owl import BIOSIG

words = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=12
).filter(lambda text: text.strip())
names = st.from_regex(r"(biosig:|http://example\.com/x[#/]|urn:x:)[A-Za-z][A-Za-z0-9_.&%'-]{0,8}[a-z]", fullmatch=True)
snomed = st.sampled_from([id_ for id_ in cardiac().ids if id_.isdigit()])


@st.composite
def graphs(draw: st.DrawFn) -> ConceptGraph:
    ids = draw(st.lists(names | snomed, unique=True, min_size=1, max_size=6))
    concepts = [
        Concept(
            id_, draw(words), draw(st.just("") | words), tuple(draw(st.lists(words, max_size=3))), draw(st.booleans())
        )
        for id_ in ids
    ]
    pairs = list(itertools.combinations(ids, 2))
    edges = draw(st.lists(st.sampled_from(pairs), unique=True, max_size=6)) if pairs else []
    return ConceptGraph(concepts, [Edge(a, b, draw(st.sampled_from(list(Kind)))) for a, b in edges])


@pytest.mark.parametrize("notation", ["rdfxml", "owlxml", "ntriples"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(graph=graphs())
def test_what_is_written_is_read_back_equal(graph: ConceptGraph, notation: str, tmp_path: Path) -> None:
    if notation == "owlxml" and (relative := [id_ for id_ in graph.ids if id_.startswith("urn:")]):
        with pytest.raises(OntologyError, match=f"{re.escape(relative[0])}: expected an IRI with '//' for OWL/XML"):
            write_owl(graph, tmp_path / "graph.owl", format=notation)
        return
    write_owl(graph, tmp_path / "graph.owl", format=notation)
    assert read_owl(tmp_path / "graph.owl") == graph


def by_protege(graph: ConceptGraph) -> str:
    """A graph as Protégé would write it, line by line."""

    def class_(id_: str) -> str:
        return f"<Class IRI={quoteattr(iri(id_))}/>"

    def iri(id_: str) -> str:
        return f"http://snomed.info/id/{id_}" if id_.isdigit() else id_.replace("biosig:", BIOSIG)

    def value(prop: str, id_: str, literal: str) -> str:
        subject = f"<IRI>{escape(iri(id_))}</IRI>"
        return f"<AnnotationAssertion><AnnotationProperty {prop}/>{subject}{literal}</AnnotationAssertion>"

    def text(literal: object, type_: str = "string") -> str:
        return f'<Literal datatypeIRI="&xsd;{type_}">{escape(str(literal))}</Literal>'

    lines = [
        '<?xml version="1.0"?>',
        '<!DOCTYPE Ontology [ <!ENTITY xsd "http://www.w3.org/2001/XMLSchema#" > ]>',
        '<Ontology xmlns="http://www.w3.org/2002/07/owl#" ontologyIRI="http://example.com/x">',
        '<Prefix name="" IRI="http://example.com/x#"/>',
        '<Prefix name="rdfs" IRI="http://www.w3.org/2000/01/rdf-schema#"/>',
        '<Prefix name="skos" IRI="http://www.w3.org/2004/02/skos/core#"/>',
        f'<Prefix name="biosig" IRI="{BIOSIG}"/>',
    ]
    for rank, concept in enumerate(graph):
        lines.append(f"<Declaration>{class_(concept.id)}</Declaration>")
        lines.append(value('abbreviatedIRI="rdfs:label"', concept.id, text(concept.term)))
        lines.append(value('abbreviatedIRI="biosig:rank"', concept.id, text(rank, "integer")))
        lines += [value('abbreviatedIRI="skos:altLabel"', concept.id, text(name)) for name in concept.synonyms]
        if concept.abbreviation:
            lines.append(value('abbreviatedIRI="biosig:abbreviation"', concept.id, text(concept.abbreviation)))
        if concept.organiser:
            lines.append(value('abbreviatedIRI="biosig:organiser"', concept.id, text("true", "boolean")))
    for edge in graph.edges:
        kind = f'<Annotation><AnnotationProperty abbreviatedIRI="biosig:kind"/>{text(edge.kind)}</Annotation>'
        lines.append(f"<SubClassOf>{kind}{class_(edge.child)}{class_(edge.parent)}</SubClassOf>")
    return "\n".join([*lines, "</Ontology>"])


def test_the_cardiac_graph_is_read_from_owl_xml(tmp_path: Path) -> None:
    (tmp_path / "graph.owx").write_text(by_protege(cardiac()), encoding="utf-8")
    assert read_owl(tmp_path / "graph.owx") == cardiac()


@pytest.mark.parametrize("notation", ["rdfxml", "owlxml", "ntriples"])
def test_the_same_graph_gives_the_same_bytes(notation: str, tmp_path: Path) -> None:
    write_owl(cardiac(), tmp_path / "a", format=notation)
    write_owl(read_owl(tmp_path / "a"), tmp_path / "b", format=notation)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_another_notation_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OntologyError, match="expected 'rdfxml', 'owlxml', 'ntriples', got 'turtle'"):
        write_owl(cardiac(), tmp_path / "a", format="turtle")


RDF = """<?xml version="1.0"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:rdfs="http://www.w3.org/2000/01/rdf-schema#"
  xmlns:owl="http://www.w3.org/2002/07/owl#" xmlns:skos="http://www.w3.org/2004/02/skos/core#"
  xml:base="http://example.com/heart">
  <owl:Ontology rdf:about="http://example.com/heart"/>
  {body}
</rdf:RDF>"""


def foreign(body: str, folder: Path) -> ConceptGraph:
    (folder / "foreign.owl").write_text(RDF.format(body=body), encoding="utf-8")
    return read_owl(folder / "foreign.owl")


def test_a_foreign_file_is_understood(tmp_path: Path) -> None:
    graph = foreign(
        """
        <owl:Class rdf:about="#heart-block">
          <rdfs:subClassOf rdf:resource="http://www.w3.org/2002/07/owl#Thing"/>
          <rdfs:label xml:lang="de">Herzblock</rdfs:label>
          <rdfs:label xml:lang="en-GB">heart block</rdfs:label>
        </owl:Class>
        <owl:Class rdf:about="http://purl.bioontology.org/ontology/SNOMEDCT/233917008">
          <skos:prefLabel>AV block</skos:prefLabel>
          <rdfs:label>Atrioventricular block (disorder)</rdfs:label>
          <skos:altLabel>AVB</skos:altLabel>
          <rdfs:subClassOf rdf:resource="#heart-block"/>
        </owl:Class>
        <owl:Class rdf:about="#defined">
          <owl:equivalentClass><owl:Class><owl:intersectionOf rdf:parseType="Collection">
            <rdf:Description rdf:about="#heart-block"/>
            <owl:Restriction><owl:onProperty rdf:resource="#site"/>
              <owl:someValuesFrom rdf:resource="#atrium"/></owl:Restriction>
          </owl:intersectionOf></owl:Class></owl:equivalentClass>
        </owl:Class>
        <owl:Class rdf:about="#old"><owl:deprecated rdf:datatype="http://www.w3.org/2001/XMLSchema#boolean">true</owl:deprecated>
          <rdfs:subClassOf rdf:resource="#heart-block"/></owl:Class>
        """,
        tmp_path,
    )
    base = "http://example.com/heart#"
    assert {concept.id: concept.term for concept in graph} == {
        "233917008": "AV block",
        f"{base}heart-block": "heart block",
        f"{base}defined": "defined",
    }
    assert graph["233917008"].synonyms == ("AVB",)
    assert graph.children(f"{base}heart-block") == ("233917008", f"{base}defined")
    assert graph.observed == graph.ids


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            """<owl:Class rdf:about="#a"><rdfs:subClassOf rdf:resource="#b"/></owl:Class>
            <owl:Class rdf:about="#b"><rdfs:subClassOf rdf:resource="#a"/></owl:Class>""",
            "foreign.owl: is-a edges form a cycle",
        ),
        ('<owl:Class rdf:about="http://snomed.info/id/164889004"/>', "foreign.owl: 164889004: not a SNOMED-CT"),
        (
            f'<owl:Class rdf:about="#a"><rank xmlns="{BIOSIG}">first</rank></owl:Class>',
            "foreign.owl: could not convert string to float: 'first'",
        ),
        (
            """<owl:Class rdf:about="#a">
            <rdfs:label rdf:datatype="http://www.w3.org/2001/XMLSchema#integer">x</rdfs:label></owl:Class>""",
            "foreign.owl: expected OWL as rdfxml",
        ),
    ],
)
def test_what_is_no_graph_is_refused_by_name(
    body: str, message: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(OntologyError, match=message):
        foreign(body, tmp_path)
    assert capfd.readouterr() == ("", "")


def test_an_unknown_kind_of_edge_is_refused(tmp_path: Path) -> None:
    write_owl(cardiac(), tmp_path / "a.owl")
    text = (tmp_path / "a.owl").read_text().replace(">structure<", ">melody<")
    (tmp_path / "a.owl").write_text(text)
    with pytest.raises(OntologyError, match=r"a.owl: http.*: kind: expected one of rhythm, .*, got 'melody'"):
        read_owl(tmp_path / "a.owl")


def test_the_default_world_of_owlready2_stays_as_it_was(tmp_path: Path) -> None:
    before = len(owlready2.default_world.graph), set(owlready2.default_world.ontologies)
    write_owl(cardiac(), tmp_path / "a.owl")
    read_owl(tmp_path / "a.owl")
    assert (len(owlready2.default_world.graph), set(owlready2.default_world.ontologies)) == before
    assert owlready2.default_world["http://snomed.info/id/164889003"] is None


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_owl(tmp_path / "none.owl")
