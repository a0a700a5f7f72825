"""Concepts by anything that people call them: names, identifiers, and the codes of every crosswalk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ontology.concept import Concept
from ontology.crosswalk import SYSTEMS, concepts, entries
from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.registry import UnknownNameError


@dataclass(frozen=True)
class Found:
    """What a text means.

    Attributes:
        concepts: The concepts of the graph, in its order; several where a code states several.
        how: In which coding systems the text is a code for them; empty where it is their name or identifier.
    """

    concepts: tuple[Concept, ...]
    how: tuple[str, ...] = ()


def look_up(text: str, graph: ConceptGraph) -> Found:
    """What a name, an abbreviation, an identifier or a code means in a graph; names go before codes.

    Raises:
        UnknownNameError: If it is none of them; with the nearest name of the graph.
        OntologyError: If it names several concepts, or is a code for different things in different systems.

    Example:
        >>> look_up("AFIB", cardiac()).concepts[0].term
        'atrial fibrillation'
    """
    try:
        return Found((graph.find(text),))
    except UnknownNameError:
        meanings = _as_code(text, graph)
        if not meanings:
            raise
    if len(meanings) > 1:
        said = "; ".join(
            f"{', '.join(graph[id_].term for id_ in sorted(ids, key=graph.index))} in {', '.join(systems)}"
            for ids, systems in meanings.items()
        )
        raise OntologyError(f"{text!r} is a code for different things: {said}")
    ((ids, systems),) = meanings.items()
    return Found(tuple(graph[id_] for id_ in sorted(ids, key=graph.index)), tuple(systems))


def one(text: str, graph: ConceptGraph) -> Concept:
    """As `look_up`, for a text that must mean one concept.

    Raises:
        UnknownNameError: If it means none.
        OntologyError: If it means several.
    """
    found = look_up(text, graph).concepts
    if len(found) > 1:
        raise OntologyError(f"{text!r} states {len(found)} concepts: {', '.join(concept.term for concept in found)}")
    return found[0]


@lru_cache(maxsize=4096)
def codes_of(id_: str) -> dict[str, tuple[str, ...]]:
    """The codes that state a concept, by coding system."""
    found = {}
    for system in SYSTEMS:
        if codes := tuple(code for code, entry in entries(system).items() if id_ in entry.concepts):
            found[system] = codes
    return found


def _as_code(text: str, graph: ConceptGraph) -> dict[frozenset[str], list[str]]:
    """The sets of concepts that the text is a code for, each with the systems that say so."""
    found: dict[frozenset[str], list[str]] = {}
    for system in SYSTEMS:
        if stated := frozenset(id_ for id_ in concepts(system, text) if id_ in graph):
            found.setdefault(stated, []).append(system)
    return found
