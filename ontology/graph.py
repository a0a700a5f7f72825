"""A graph of concepts: what is a kind of what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any

import networkx as nx
import numpy as np
from jaxtyping import Float64
from scipy import sparse

from ontology.collector import paused
from ontology.concept import Concept, Edge, IsA, Kind, as_edge
from ontology.distance import Weights, edge_weights, fewest_hops, least_weight
from ontology.edges import ends_of, grouped, matrix
from ontology.errors import OntologyError
from ontology.names import Names, hint
from ontology.registry import UnknownNameError

__all__ = ["Concept", "ConceptGraph", "Edge", "Kind"]


class ConceptGraph:
    """Concepts and the is-a edges between them: a directed graph without cycles.

    Observed concepts come before organisers in `ids`, otherwise the given order is kept; so `index` of an observed
    concept is also its row in a matrix over `observed`. A graph never changes; two graphs are equal if their
    fingerprints are. Half a million concepts are well within its reach.

    Args:
        concepts: The nodes.
        is_a: `(child, parent)`, `(child, parent, kind)` or `Edge`.
        allow_orphans: Whether concepts may be without any edge (see `orphans`).

    Raises:
        OntologyError: If an id or an edge occurs twice, an edge names an unknown concept, the edges form a cycle, or
            there are orphans where none are allowed.
    """

    @paused()
    def __init__(self, concepts: Iterable[Concept], is_a: Iterable[IsA] = (), *, allow_orphans: bool = True) -> None:
        self._concepts: dict[str, Concept] = {}
        for concept in sorted(concepts, key=attrgetter("organiser")):
            if concept.id in self._concepts:
                raise OntologyError(f"concept {concept.id} ({concept.term}) is defined twice")
            self._concepts[concept.id] = concept
        self.ids: tuple[str, ...] = tuple(self._concepts)
        self.observed: tuple[str, ...] = tuple(id_ for id_ in self.ids if not self._concepts[id_].organiser)
        self._index = {id_: row for row, id_ in enumerate(self.ids)}
        # The order of `Edge` itself, whose comparisons are slow.
        self.edges: tuple[Edge, ...] = tuple(sorted(map(as_edge, is_a), key=attrgetter("child", "parent")))
        self._ends = ends_of(self.edges, self._index)
        self._above = grouped(self.edges, self._ends.children, self.ids)
        self._below = grouped(self.edges, self._ends.parents, self.ids)
        if not allow_orphans and self.orphans:
            raise OntologyError(f"concept {self.orphans[0]} has no is-a edge ({len(self.orphans)} such)")
        # Whoever asks about a concept's ancestors mostly asks again.
        self._climb = lru_cache(maxsize=8192)(self._above_any)

    @cached_property
    def _links(self) -> sparse.csr_array[np.float64]:
        up = matrix(self._ends, len(self))
        return (up + up.T).tocsr()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (tuple(self), self.edges)

    def __getitem__(self, id_: str) -> Concept:
        try:
            return self._concepts[id_]
        except KeyError:
            raise UnknownNameError(f"no concept {id_!r} in this graph of {len(self)}{hint(id_, self.ids)}") from None

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
        match self._names.ids(text):
            case [id_]:
                return self._concepts[id_]
            case []:
                raise UnknownNameError(f"no concept is named {text!r}{self._names.hint(text)}")
            case several:
                raise OntologyError(f"{text!r} names {len(several)} concepts: {', '.join(several)}")

    @cached_property
    def _names(self) -> Names:
        return Names(self)

    @property
    def roots(self) -> tuple[str, ...]:
        """The concepts that are a kind of nothing."""
        return tuple(id_ for id_ in self.ids if id_ not in self._above)

    @property
    def orphans(self) -> tuple[str, ...]:
        """The concepts without any edge, where there are others: nothing is known of them."""
        return tuple(id_ for id_ in self.roots if id_ not in self._below) if len(self) > 1 else ()

    def parents(self, id_: str) -> tuple[str, ...]:
        """What the concept is directly a kind of."""
        return self._sorted(edge.parent for edge in self._above.get(self[id_].id, ()))

    def children(self, id_: str) -> tuple[str, ...]:
        """The direct kinds of the concept."""
        return self._sorted(edge.child for edge in self._below.get(self[id_].id, ()))

    def ancestors(self, id_: str) -> frozenset[str]:
        """All that the concept is a kind of, without itself."""
        return self._climb(self[id_].id)

    def descendants(self, id_: str) -> frozenset[str]:
        """All kinds of the concept, without itself."""
        found, waiting = set[str](), [self[id_].id]
        while waiting:
            new = {edge.child for edge in self._below.get(waiting.pop(), ())} - found
            found |= new
            waiting += new
        return frozenset(found)

    def _above_any(self, *ids: str) -> frozenset[str]:
        found, waiting = set[str](), [*ids]
        while waiting:
            new = {edge.parent for edge in self._above.get(waiting.pop(), ())} - found
            found |= new
            waiting += new
        return frozenset(found)

    def lowest_common_ancestors(self, a: str, b: str) -> frozenset[str]:
        """The most specific concepts that both are, or are kinds of; a concept counts as its own ancestor."""
        common = {a, *self.ancestors(a)} & {b, *self.ancestors(b)}
        lowest = set()
        while common:
            # Whatever is above another one has fewer ancestors than that.
            low = max(common, key=lambda id_: len(self._climb(id_)))
            lowest.add(low)
            common.discard(low)
            common -= self._climb(low)
        return frozenset(lowest)

    def distance(self, a: str, b: str, *, weights: Weights | None = None) -> float:
        """Fewest is-a edges between two concepts, up or down, or least weight; infinite where there is no path."""
        return float(self.distances([a, b], weights=weights)[0, 1])

    def distances(
        self, ids: Sequence[str] | None = None, *, weights: Weights | None = None
    ) -> Float64[np.ndarray, "concept concept"]:
        """Fewest is-a edges between every two of `ids`, up or down, through any concept; infinite without a path.

        Args:
            ids: Rows and columns; all by default.
            weights: If given, what an edge counts for, by its kind (`{"rhythm": 0.5}`) or by `(child, parent)`, which
                goes before; an edge that is not named counts 1.

        Raises:
            OntologyError: If a weight is not above 0, or is that of no kind and no edge.
        """
        chosen = np.array([self.index(id_) for id_ in (self.ids if ids is None else ids)], dtype=np.int64)
        if weights is None:
            return fewest_hops(self._links, chosen)
        up = matrix(self._ends, len(self), edge_weights(self.edges, weights))
        return least_weight((up + up.T).tocsr(), chosen)

    def subgraph(self, ids: Iterable[str]) -> ConceptGraph:
        """The given concepts, each still a kind of what it was a kind of.

        Where a path leads through concepts left out, its ends are joined by an edge, unless other edges already say it.
        """
        kept = {self[id_].id for id_ in ids}
        edges = [edge for low in kept for edge in self._kept_above(low, kept)]
        return ConceptGraph((self._concepts[id_] for id_ in self._sorted(kept)), edges)

    def to_networkx(self) -> nx.DiGraph:
        """A copy for the algorithms of networkx: edges lead from child to parent and have a `kind`."""
        copy = nx.DiGraph()
        copy.add_nodes_from((concept.id, {"term": concept.term, "organiser": concept.organiser}) for concept in self)
        copy.add_edges_from((edge.child, edge.parent, {"kind": edge.kind}) for edge in self.edges)
        return copy

    def fingerprint(self) -> str:
        """SHA-256 of everything in the graph, order of the concepts included."""
        digest = hashlib.sha256(b'{"concepts": [')
        _feed(digest, ({name: getattr(concept, name) for name in Concept.__slots__} for concept in self))
        digest.update(b'], "is_a": [')
        _feed(digest, ({name: getattr(edge, name) for name in Edge.__slots__} for edge in self.edges))
        digest.update(b"]}")
        return digest.hexdigest()

    def _sorted(self, ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(ids, key=self._index.__getitem__))

    def _kept_above(self, low: str, kept: set[str]) -> Iterator[Edge]:
        """The edges from a kept concept to kept parents, and to the kept ancestors that nothing kept lies before."""
        direct = [edge for edge in self._above.get(low, ()) if edge.parent in kept]
        yield from direct
        bridges: dict[str, Edge] = {}
        for first in sorted(self._above.get(low, ()), key=lambda edge: self._index[edge.parent]):
            seen, waiting = {first.parent}, [first.parent]
            while waiting:
                step = waiting.pop()
                if step in kept:
                    bridges.setdefault(step, Edge(low, step, first.kind))
                    continue
                new = {edge.parent for edge in self._above.get(step, ())} - seen
                seen |= new
                waiting += new
        parents = {edge.parent for edge in direct}
        if beyond := bridges.keys() - parents:
            yield from (bridges[high] for high in beyond - self._above_any(*parents, *bridges))


def _feed(digest: hashlib._Hash, entries: Iterable[dict[str, Any]]) -> None:
    for number, entry in enumerate(entries):
        digest.update(((", " if number else "") + json.dumps(entry, sort_keys=True)).encode())
