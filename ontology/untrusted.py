"""What a foreign OWL file must be before a parser sees it.

An OWL file can ask a reader to fetch other files, from the disk or the network, in two ways: as XML, by external
entities; as an ontology, by `owl:imports`. The first is refused here. The second never happens, because the triples are
parsed without acting on them (see `ontology.owl`).
"""

from __future__ import annotations

import re
from enum import StrEnum
from typing import NoReturn
from xml.parsers import expat

from ontology.errors import OntologyError


class Format(StrEnum):
    """The ways to write OWL that are read; the values are owlready2's names."""

    RDF_XML = "rdfxml"
    OWL_XML = "owlxml"
    N_TRIPLES = "ntriples"


_ROOTS = {
    "http://www.w3.org/1999/02/22-rdf-syntax-ns# RDF": Format.RDF_XML,
    "http://www.w3.org/2002/07/owl# Ontology": Format.OWL_XML,
}
# Editors abbreviate IRIs by internal entities; a few short ones, never one within another, cannot explode.
_MAX_ENTITIES, _MAX_ENTITY_CHARS = 256, 1024

_IRI = r"<[^<>\"{}|^`\\\s]*>"
_NODE = rf"(?:{_IRI}|_:[\w.-]*\w)"
_LITERAL = rf'"(?:[^"\\\r\n]|\\.)*"(?:@[A-Za-z0-9-]+|\^\^{_IRI})?'
_TRIPLE = re.compile(rf"\s*({_NODE})\s*({_IRI})\s*({_NODE}|{_LITERAL})\s*\.\s*(?:#.*)?")


def screen(data: bytes) -> tuple[Format, bytes]:
    """The format of an OWL file, and its bytes if they are safe to parse.

    XML is returned as it is. N-Triples are returned one triple a line, in the plainest spacing, which is the only one
    that every parser understands.

    Raises:
        OntologyError: If the file is in no known format, not well-formed, or refers to anything outside itself.
    """
    start = data.removeprefix(b"\xef\xbb\xbf").lstrip()
    if re.match(rb"<[?!A-Za-z]", start) and not re.match(rb"<[A-Za-z][A-Za-z0-9+.-]*:[^\s>]*>\s*<", start):
        return _xml(data), data
    return Format.N_TRIPLES, _triples(data)


def _xml(data: bytes) -> Format:
    parser = expat.ParserCreate(namespace_separator=" ")
    roots: list[str] = []
    entities: list[str] = []

    def doctype(_name: str, system: str | None, public: str | None, _internal: int) -> None:
        if system or public:
            _refuse(f"a document type kept elsewhere ({system or public})")

    def entity(name: str, parameter: int, value: str | None, *rest: str | None) -> None:
        if value is None or parameter:
            _refuse(f"the external or parameter entity {name!r} ({rest[1] or 'inline'})")
        entities.append(name)
        if "&" in value or "%" in value or len(value) > _MAX_ENTITY_CHARS or len(entities) > _MAX_ENTITIES:
            _refuse(f"the entity {name!r}, which is nested, long, or one of too many")

    def element(name: str, _attributes: dict[str, str]) -> None:
        if not roots:
            roots.append(name)

    parser.StartDoctypeDeclHandler = doctype
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = element
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:
        if isinstance(error, OntologyError):
            raise
        raise OntologyError(f"expected well-formed XML: {error}") from None
    if roots[0] not in _ROOTS:
        raise OntologyError(f"expected rdf:RDF or owl:Ontology as the root element, got {roots[0]!r}")
    return _ROOTS[roots[0]]


def _triples(data: bytes) -> bytes:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OntologyError(f"expected N-Triples in UTF-8: byte {error.start}: {error.reason}") from None
    lines = []
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not (triple := _TRIPLE.fullmatch(line)):
            raise OntologyError(f"line {number}: expected a triple of N-Triples, got {line[:80]!r}")
        lines.append(" ".join(triple.groups()) + " .\n")
    return "".join(lines).encode()


def _refuse(what: str) -> NoReturn:
    raise OntologyError(f"refused: the file declares {what}; nothing outside an OWL file is ever opened")
