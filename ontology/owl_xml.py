"""OWL/XML, which owlready2 reads but does not write."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree as ET

from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.triples import OWL, RDFS

BIOSIG = "http://example.org/biosig#"
SKOS, XSD = "http://www.w3.org/2004/02/skos/core#", "http://www.w3.org/2001/XMLSchema#"


def owl_xml(graph: ConceptGraph, iri: Callable[[str], str]) -> bytes:
    """A graph in OWL/XML, a line for each axiom.

    Args:
        graph: What to write.
        iri: Of a concept's identifier.

    Raises:
        OntologyError: If an IRI has no `//`: owlready2 would take it for a relative one.

    References:
        Motik et al., OWL 2 web ontology language: XML serialization, W3C recommendation 2012.
    """
    for concept in graph:
        if "//" not in iri(concept.id):
            raise OntologyError(f"{concept.id}: expected an IRI with '//' for OWL/XML; RDF/XML takes any")
    root = ET.Element("Ontology", {"xmlns": OWL, "ontologyIRI": BIOSIG[:-1]})

    def class_(within: ET.Element, id_: str) -> None:
        ET.SubElement(within, "Class", IRI=iri(id_))

    def annotation(within: ET.Element, link: str, text: object, type_: str, subject: str = "") -> None:
        ET.SubElement(within, "AnnotationProperty", IRI=link)
        if subject:
            ET.SubElement(within, "IRI").text = subject
        ET.SubElement(within, "Literal", datatypeIRI=f"{XSD}{type_}").text = str(text)

    for rank, concept in enumerate(graph):
        class_(ET.SubElement(root, "Declaration"), concept.id)
        said: list[tuple[str, object, str]] = [(f"{RDFS}label", concept.term, "string")]
        said += [(f"{SKOS}altLabel", name, "string") for name in concept.synonyms]
        said += [(f"{BIOSIG}rank", rank, "integer")]
        if concept.abbreviation:
            said.append((f"{BIOSIG}abbreviation", concept.abbreviation, "string"))
        if concept.organiser:
            said.append((f"{BIOSIG}organiser", "true", "boolean"))
        for one in said:
            annotation(ET.SubElement(root, "AnnotationAssertion"), *one, iri(concept.id))
    for edge in graph.edges:
        axiom = ET.SubElement(root, "SubClassOf")
        annotation(ET.SubElement(axiom, "Annotation"), f"{BIOSIG}kind", edge.kind, "string")
        class_(axiom, edge.child)
        class_(axiom, edge.parent)
    for axiom in root:
        axiom.tail = "\n"
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
