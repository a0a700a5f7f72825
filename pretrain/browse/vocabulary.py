"""What concepts are called, and which is a kind of which, over all graphs of the package and a model's own."""

from __future__ import annotations

from functools import cached_property, lru_cache

from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.lookup import everywhere, look_up
from ontology.registry import UnknownNameError
from ontology.shipped import GRAPHS
from ontology.terms import term


class Vocabulary:
    """Concepts by name.

    Args:
        own: A model's graph, which goes before those of the package.
    """

    def __init__(self, own: ConceptGraph | None = None) -> None:
        self.own = own

    @cached_property
    def graphs(self) -> dict[str, ConceptGraph]:
        """Every graph by name; the model's own, where it is another, is `model`."""
        shipped = {name: GRAPHS[name]() for name in GRAPHS}
        if self.own is None or self.own in shipped.values():
            return shipped
        return {"model": self.own, **shipped}

    def resolve(self, text: str) -> frozenset[str]:
        """The concepts that a name, abbreviation, identifier or code means, and all their kinds.

        Raises:
            UnknownNameError: If it means none.
            OntologyError: If it means several.
        """
        if self.own is not None and (found := self._in_own(text)):
            return found
        try:
            graph, (meant,) = everywhere(text)
        except UnknownNameError:
            # A concept of no graph may still be on a record.
            if term(text):
                return frozenset({text})
            raise
        return frozenset[str]().union(*({one.id} | graph.descendants(one.id) for one in meant.concepts))

    def with_kinds(self, concept: str) -> frozenset[str]:
        """A concept and all its kinds, in any graph."""
        return frozenset({concept}).union(
            *(graph.descendants(concept) for graph in self.graphs.values() if concept in graph)
        )

    @lru_cache(maxsize=4096)  # noqa: B019 -- one vocabulary lives as long as the program
    def term(self, concept: str) -> str:
        """What it is called; its identifier where that is unknown."""
        for graph in self.graphs.values():
            if concept in graph:
                return graph[concept].term
        return term(concept) or concept

    @lru_cache(maxsize=4096)  # noqa: B019 -- as above
    def short(self, concept: str) -> str:
        """Its abbreviation where there is one, else its term."""
        for graph in self.graphs.values():
            if concept in graph:
                return graph[concept].abbreviation or graph[concept].term
        return self.term(concept)

    def _in_own(self, text: str) -> frozenset[str]:
        assert self.own is not None
        try:
            found = look_up(text, self.own).concepts
        except (UnknownNameError, OntologyError):
            return frozenset()
        return frozenset[str]().union(*({one.id} | self.own.descendants(one.id) for one in found))
