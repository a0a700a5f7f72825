"""A graph of concepts: what is a kind of what."""

from __future__ import annotations

import difflib
import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict

import networkx as nx
import numpy as np
from jaxtyping import Float64

from ontology.concept import Concept, Edge, IsA, Kind, as_edge
from ontology.errors import OntologyError
from ontology.registry import UnknownNameError

__all__ = ["Concept", "ConceptGraph", "Edge", "Kind"]


class ConceptGraph:
    """Concepts and the is-a edges between them: a directed graph without cycles.

    Observed concepts come before organisers in `ids`, otherwise the given order is kept; so `index` of an observed
    concept is also its row in a matrix over `observed`. A graph never changes; two graphs are equal if their
    fingerprints are.

    Args:
        concepts: The nodes.
        is_a: `(child, parent)`, `(child, parent, kind)` or `Edge`.

    Raises:
        OntologyError: If an id or an edge occurs twice, an edge names an unknown concept, or the edges form a cycle.
    """

    def __init__(self, concepts: Iterable[Concept], is_a: Iterable[IsA] = ()) -> None:
        ordered = sorted(concepts, key=lambda concept: concept.organiser)
        self._concepts: dict[str, Concept] = {}
        for concept in ordered:
            if concept.id in self._concepts:
                raise OntologyError(f"concept {concept.id} ({concept.term}) is defined twice")
            self._concepts[concept.id] = concept
        self.ids: tuple[str, ...] = tuple(self._concepts)
        self.observed: tuple[str, ...] = tuple(id_ for id_ in self.ids if not self._concepts[id_].organiser)
        self._index = {id_: row for row, id_ in enumerate(self.ids)}
        self.edges: tuple[Edge, ...] = tuple(sorted(map(as_edge, is_a)))
        self._up = nx.DiGraph()
        self._up.add_nodes_from(self.ids)
        for edge in self.edges:
            self._add(edge)
        if not nx.is_directed_acyclic_graph(self._up):
            cycle = nx.find_cycle(self._up)
            raise OntologyError("is-a edges form a cycle: " + " -> ".join([cycle[0][0], *(end for _, end in cycle)]))
        self._undirected = self._up.to_undirected(as_view=True)
        self._by_name: dict[str, set[str]] = {}
        for concept in self:
            for name in concept.names:
                self._by_name.setdefault(name.casefold(), set()).add(concept.id)

    def _add(self, edge: Edge) -> None:
        for end in (edge.child, edge.parent):
            if end not in self._concepts:
                raise OntologyError(f"is-a edge {edge.child} -> {edge.parent}: no concept {end}")
        if self._up.has_edge(edge.child, edge.parent):
            raise OntologyError(f"is-a edge {edge.child} -> {edge.parent} is given twice")
        self._up.add_edge(edge.child, edge.parent, kind=edge.kind)

    def __getitem__(self, id_: str) -> Concept:
        try:
            return self._concepts[id_]
        except KeyError:
            raise UnknownNameError(f"no concept {id_!r} in this graph of {len(self)}{_hint(id_, self.ids)}") from None

    def __contains__(self, id_: object) -> bool:
        return id_ in self._concepts

    def __iter__(self) -> Iterator[Concept]:
        return iter(self._concepts.values())

    def __len__(self) -> int:
        return len(self._concepts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConceptGraph) and self.fingerprint() == other.fingerprint()

    def __hash__(self) -> int:
        return hash(self.ids)

    def __repr__(self) -> str:
        return f"ConceptGraph({len(self.observed)} observed of {len(self)} concepts, {len(self.edges)} is-a edges)"

    def index(self, id_: str) -> int:
        """The row of a concept."""
        return self._index[self[id_].id]

    def find(self, text: str) -> Concept:
        """The one concept with this id, abbreviation, term or synonym, whatever the case.

        Raises:
            UnknownNameError: If there is none.
            OntologyError: If there are several.
        """
        name = " ".join(text.split()).casefold()
        match sorted(self._by_name.get(name, ()), key=self.index):
            case [id_]:
                return self._concepts[id_]
            case []:
                raise UnknownNameError(f"no concept is named {text!r}{_hint(name, self._by_name)}")
            case several:
                raise OntologyError(f"{text!r} names {len(several)} concepts: {', '.join(several)}")

    def parents(self, id_: str) -> tuple[str, ...]:
        """What the concept is directly a kind of."""
        return self._sorted(self._up.successors(self[id_].id))

    def children(self, id_: str) -> tuple[str, ...]:
        """The direct kinds of the concept."""
        return self._sorted(self._up.predecessors(self[id_].id))

    def ancestors(self, id_: str) -> frozenset[str]:
        """All that the concept is a kind of, without itself."""
        return frozenset(nx.descendants(self._up, self[id_].id))

    def descendants(self, id_: str) -> frozenset[str]:
        """All kinds of the concept, without itself."""
        return frozenset(nx.ancestors(self._up, self[id_].id))

    def lowest_common_ancestors(self, a: str, b: str) -> frozenset[str]:
        """The most specific concepts that both are, or are kinds of; a concept counts as its own ancestor."""
        common = ({a} | self.ancestors(a)) & ({b} | self.ancestors(b))
        return frozenset(common.difference(*(self.ancestors(id_) for id_ in common)) if common else common)

    def distance(self, a: str, b: str) -> float:
        """Fewest is-a edges between two concepts, up or down; infinite where there is no path."""
        return float(self.distances([a, b])[0, 1])

    def distances(self, ids: Sequence[str] | None = None) -> Float64[np.ndarray, "concept concept"]:
        """Fewest is-a edges between every two of `ids` (all by default), up or down, through any concept."""
        chosen = [self[id_].id for id_ in (self.ids if ids is None else ids)]
        hops = np.full((len(chosen), len(chosen)), math.inf)
        for row, source in enumerate(chosen):
            reached = nx.single_source_shortest_path_length(self._undirected, source)
            hops[row] = [reached.get(target, math.inf) for target in chosen]
        return hops

    def subgraph(self, ids: Iterable[str]) -> ConceptGraph:
        """The given concepts, each still a kind of what it was a kind of.

        Where a path leads through concepts left out, its ends are joined by an edge, unless other edges already say it.
        """
        kept = {self[id_].id for id_ in ids}
        up = self._up.subgraph(kept).copy()
        bridges = [
            edge for low in kept for edge in self._bridges(low, kept) if not up.has_edge(edge.child, edge.parent)
        ]
        up.add_edges_from((edge.child, edge.parent) for edge in bridges)
        minimal = nx.transitive_reduction(up)
        edges = [edge for edge in self.edges if edge.child in kept and edge.parent in kept]
        edges += [edge for edge in bridges if minimal.has_edge(edge.child, edge.parent)]
        return ConceptGraph((concept for concept in self if concept.id in kept), edges)

    def fingerprint(self) -> str:
        """SHA-256 of everything in the graph, order of the concepts included."""
        content = {"concepts": [asdict(concept) for concept in self], "is_a": [asdict(edge) for edge in self.edges]}
        return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()

    def _sorted(self, ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(ids, key=self._index.__getitem__))

    def _bridges(self, low: str, kept: set[str]) -> Iterator[Edge]:
        """Edges to the kept ancestors that some path reaches before any other kept concept."""
        found: set[str] = set()
        for first in self.parents(low):
            kind, seen, waiting = self._up.edges[low, first]["kind"], set[str](), [first]
            while waiting:
                step = waiting.pop()
                if step in kept and step not in found:
                    found.add(step)
                    yield Edge(low, step, kind)
                if step not in kept and step not in seen:
                    waiting.extend(self.parents(step))
                seen.add(step)


def _hint(name: str, names: Iterable[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
