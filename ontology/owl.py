"""Concept graphs as OWL, read and written: RDF/XML, OWL/XML and N-Triples, by owlready2.

| OWL | here |
|---|---|
| class `http://snomed.info/id/164889003` | concept `164889003` |
| class with any other IRI | concept with that IRI |
| `rdfs:label` (`skos:prefLabel` goes before it) | term |
| `skos:altLabel` | synonyms |
| `rdfs:subClassOf` a class; a named part of an equivalent intersection | is-a edge |
| annotation `biosig:kind` of that axiom | kind of the edge |
| `biosig:abbreviation`, `biosig:organiser`, `biosig:rank` | abbreviation, organiser, place in the order |

`biosig:` stands for `http://example.org/biosig#`, a name that by RFC 2606 is nobody's; concepts called `biosig:name`
have such IRIs. In OWL/XML owlready2 takes an IRI without `//` (`urn:...`) for a relative one; use RDF/XML for those.
"""

from __future__ import annotations

import io
import json
import os
import re
from collections.abc import Iterable
from pathlib import Path

from ontology.concept import Concept, Edge, Kind
from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.owl_xml import BIOSIG, SKOS, XSD, owl_xml
from ontology.triples import BASE, OWL, RDF, RDFS, Triples, stored
from ontology.untrusted import Format, screen

_SNOMED = "http://snomed.info/id/"
# The same identifiers elsewhere: older SNOMED-CT files and BioPortal's.
_SNOMED_ALSO = re.compile(r"http://(?:snomed\.info/(?:id|sct)|purl\.bioontology\.org/ontology/SNOMEDCT)/(\d+)")


def read_owl(path: str | Path) -> ConceptGraph:
    """Read a concept graph from an OWL file, whoever wrote it.

    The format is told from the content. Nothing else is opened: `owl:imports` are not followed (a class that only an
    imported file describes is named by the end of its IRI), external entities are refused, and the triples stay in a
    store of their own that is thrown away. Deprecated classes are left out.

    Raises:
        OntologyError: If the file cannot be read, or what it says is no concept graph (see `ConceptGraph`).
    """
    path = Path(path)
    try:
        form, data = screen(path.read_bytes())
        with stored(form, data) as world:
            return _graph(Triples(world))
    except ValueError as error:
        raise OntologyError(f"{path.name}: {error}") from error


def write_owl(graph: ConceptGraph, path: str | Path, *, format: Format | str = Format.RDF_XML) -> None:  # noqa: A002 - what it is called everywhere
    """Write a concept graph; `read_owl` gives it back equal. The same graph gives the same bytes.

    Args:
        graph: What to write.
        path: The file; an old one is replaced when the new one is whole.
        format: `rdfxml`, `owlxml` or `ntriples`.

    Raises:
        OntologyError: If the format is none of these, or cannot hold an identifier of the graph.
    """
    if format not in list(Format):
        raise OntologyError(f"format: expected {', '.join(map(repr, map(str, Format)))}, got {str(format)!r}")
    if format == Format.OWL_XML:
        data = owl_xml(graph, _iri)
    else:
        buffer = io.BytesIO()
        with stored(Format.N_TRIPLES, "".join(_statements(graph)).encode()) as world:
            world.get_ontology(BASE).save(file=buffer, format=str(format))
        data = buffer.getvalue()
    path = Path(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        partial.write_bytes(data)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _graph(triples: Triples) -> ConceptGraph:
    skipped = {f"{OWL}Thing", f"{OWL}Nothing", *triples.marked(f"{OWL}deprecated")}
    edges = dict.fromkeys((pair for pair in triples.is_a() if not skipped.intersection(pair)), Kind.OTHER)
    sources, targets = dict(triples.links(f"{OWL}annotatedSource")), dict(triples.links(f"{OWL}annotatedTarget"))
    for axiom, kinds in triples.texts(f"{BIOSIG}kind").items():
        pair = (str(sources.get(axiom)), str(targets.get(axiom)))
        if pair in edges:
            edges[pair] = _kind(kinds[0], *pair)

    declared = {
        class_ for class_, type_ in triples.links(f"{RDF}type") if type_ == f"{OWL}Class" and isinstance(class_, str)
    }
    names = [triples.texts(link) for link in (f"{SKOS}prefLabel", f"{RDFS}label")]
    synonyms, short = triples.texts(f"{SKOS}altLabel"), triples.texts(f"{BIOSIG}abbreviation")
    ranks, organisers = triples.texts(f"{BIOSIG}rank"), triples.marked(f"{BIOSIG}organiser")
    ranked = []
    for iri in declared.union(*edges).difference(skipped):
        concept = Concept(
            id=_id(iri),
            term=next((found[iri][0] for found in names if iri in found), re.split(r"[/#:]", iri.rstrip("/#:"))[-1]),
            abbreviation=short.get(iri, [""])[0],
            synonyms=tuple(synonyms.get(iri, ())),
            organiser=iri in organisers,
        )
        ranked.append((float(ranks.get(iri, ["inf"])[0]), concept.id, concept))
    return ConceptGraph(
        (concept for _, _, concept in sorted(ranked, key=lambda entry: entry[:2])),
        (Edge(_id(child), _id(parent), kind) for (child, parent), kind in edges.items()),
    )


def _kind(text: str, child: str, parent: str) -> Kind:
    try:
        return Kind(text)
    except ValueError:
        raise OntologyError(f"{child} -> {parent}: kind: expected one of {', '.join(Kind)}, got {text!r}") from None


def _id(iri: str) -> str:
    match = _SNOMED_ALSO.fullmatch(iri)
    return match[1] if match else iri.replace(BIOSIG, "biosig:", 1)


def _iri(id_: str) -> str:
    return f"{_SNOMED}{id_}" if id_.isdigit() else re.sub("^biosig:", BIOSIG, id_)


def _statements(graph: ConceptGraph) -> Iterable[str]:
    """The graph in N-Triples."""
    yield f"<{BIOSIG[:-1]}> <{RDF}type> <{OWL}Ontology> .\n"
    for name in ("abbreviation", "organiser", "rank", "kind"):
        yield f"<{BIOSIG}{name}> <{RDF}type> <{OWL}AnnotationProperty> .\n"
    yield f"<{SKOS}altLabel> <{RDF}type> <{OWL}AnnotationProperty> .\n"
    for rank, concept in enumerate(graph):
        class_ = f"<{_iri(concept.id)}>"
        yield f"{class_} <{RDF}type> <{OWL}Class> .\n"
        yield f"{class_} <{RDFS}label> {_literal(concept.term)}@en .\n"
        yield f'{class_} <{BIOSIG}rank> "{rank}"^^<{XSD}integer> .\n'
        if concept.abbreviation:
            yield f"{class_} <{BIOSIG}abbreviation> {_literal(concept.abbreviation)} .\n"
        for synonym in concept.synonyms:
            yield f"{class_} <{SKOS}altLabel> {_literal(synonym)}@en .\n"
        if concept.organiser:
            yield f'{class_} <{BIOSIG}organiser> "true"^^<{XSD}boolean> .\n'
    for number, edge in enumerate(graph.edges):
        child, parent, axiom = f"<{_iri(edge.child)}>", f"<{_iri(edge.parent)}>", f"_:axiom{number}"
        yield f"{child} <{RDFS}subClassOf> {parent} .\n"
        yield f"{axiom} <{RDF}type> <{OWL}Axiom> .\n"
        yield f"{axiom} <{OWL}annotatedSource> {child} .\n"
        yield f"{axiom} <{OWL}annotatedProperty> <{RDFS}subClassOf> .\n"
        yield f"{axiom} <{OWL}annotatedTarget> {parent} .\n"
        yield f"{axiom} <{BIOSIG}kind> {_literal(edge.kind)} .\n"


def _literal(text: str) -> str:
    return json.dumps(str(text), ensure_ascii=False)
