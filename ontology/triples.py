"""The triples of an OWL file, parsed by owlready2 in a store of their own."""

from __future__ import annotations

import contextlib
import io
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, TypeAlias

import owlready2

from ontology.errors import OntologyError
from ontology.untrusted import Format

RDF, RDFS = "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
BASE = "http://example.org/relative#"  # what relative names in a file are relative to

Node: TypeAlias = str | int  # an IRI, or the number of a blank node


@contextlib.contextmanager
def stored(form: Format, data: bytes) -> Iterator[Any]:
    """A store of its own with the triples of a file.

    `Ontology.load` would follow imports, and import a Python module that the file may name; `graph.parse` only parses.
    """
    world = owlready2.World()
    try:
        try:
            # owlready2 prints the traceback of what it then raises.
            with contextlib.redirect_stderr(io.StringIO()):
                world.get_ontology(BASE).graph.parse(io.BytesIO(data), str(form), default_base=BASE[:-1])
        except (owlready2.OwlReadyOntologyParsingError, ValueError, LookupError, TypeError) as error:
            raise OntologyError(f"expected OWL as {form}: {error}") from error
        yield world
    finally:
        world.close()


class Triples:
    """What a store holds, by property."""

    def __init__(self, world: Any) -> None:
        self._links: defaultdict[str, list[tuple[Node, Node]]] = defaultdict(list)
        self._values: defaultdict[str, list[tuple[Node, str, str]]] = defaultdict(list)
        # The three tables of owlready2's store. Its SPARQL engine says the same, but each query it has compiled keeps
        # the store alive, and the first one costs a tenth of a second.
        names = "LEFT JOIN resources AS a ON a.storid = t.s JOIN resources AS b ON b.storid = t.p"
        for subject, link, object_ in world.graph.execute(
            f"SELECT ifnull(a.iri, t.s), b.iri, ifnull(c.iri, t.o) FROM objs AS t {names} "  # noqa: S608 - of table names, not of data
            "LEFT JOIN resources AS c ON c.storid = t.o"
        ):
            self._links[link].append((subject, object_))
        for subject, link, value, type_ in world.graph.execute(
            f"SELECT ifnull(a.iri, t.s), b.iri, t.o, t.d FROM datas AS t {names}"  # noqa: S608 - of table names, not of data
        ):
            language = type_[1:] if isinstance(type_, str) else ""
            self._values[link].append((subject, str(value), language))

    def links(self, link: str) -> list[tuple[Node, Node]]:
        """Subjects and objects of a property."""
        return self._links.get(link, [])

    def texts(self, link: str) -> dict[Node, list[str]]:
        """Values by subject, those in English or no language first, each group sorted."""
        found = defaultdict(list)
        for subject, text, language in self._values.get(link, ()):
            found[subject].append((language.partition("-")[0].lower() not in ("", "en"), text))
        return {subject: [text for _, text in sorted(texts)] for subject, texts in found.items()}

    def marked(self, link: str) -> set[Node]:
        """Subjects for which a boolean property is true."""
        return {subject for subject, text, _ in self._values.get(link, ()) if text.lower() in ("true", "1")}

    def is_a(self) -> Iterator[tuple[str, str]]:
        """Class and named superclass, also where that is one part of an intersection."""
        first, rest = dict(self.links(f"{RDF}first")), dict(self.links(f"{RDF}rest"))
        parts: dict[Node, set[Node]] = {}
        for whole, cell in self.links(f"{OWL}intersectionOf"):
            cells: set[Node] = set()
            while cell in first and cell not in cells:
                cells.add(cell)
                cell = rest.get(cell, "")  # noqa: PLW2901 - along the list
            parts[whole] = {first[cell] for cell in cells}
        pairs = self.links(f"{RDFS}subClassOf") + [
            (child, part)
            for link in (f"{RDFS}subClassOf", f"{OWL}equivalentClass")
            for child, whole in self.links(link)
            for part in parts.get(whole, ())
        ]
        for child, parent in pairs:
            if isinstance(child, str) and isinstance(parent, str):
                yield child, parent
