"""Concepts by anything that people call them: names, identifiers, and the codes of every crosswalk."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ontology.concept import Concept
from ontology.crosswalk import SYSTEMS, concepts, entries
from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.names import hint
from ontology.registry import UnknownNameError
from ontology.shipped import GRAPHS


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
        UnknownNameError: If it is none of them; with what a code of no concept means, or the nearest name of the graph.
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
            if elsewhere := _without_concept(text):
                raise UnknownNameError(f"{elsewhere}: no concept of this graph") from None
            raise
    if len(meanings) > 1:
        said = "; ".join(
            f"{', '.join(graph[id_].term for id_ in sorted(ids, key=graph.index))} in {', '.join(systems)}"
            for ids, systems in meanings.items()
        )
        raise OntologyError(f"{text!r} is a code for different things: {said}")
    ((ids, systems),) = meanings.items()
    return Found(tuple(graph[id_] for id_ in sorted(ids, key=graph.index)), tuple(systems))


def everywhere(text: str, *others: str) -> tuple[ConceptGraph, tuple[Found, ...]]:
    """The first graph of the package in which all of some texts mean something, and what; names go before codes.

    Raises:
        UnknownNameError: If there is none, saying which text is unknown, or where each one is.
        OntologyError: See `look_up`.

    Example:
        >>> everywhere("joy")[1][0].concepts[0].term
        'joy'
    """
    texts = (text, *others)
    coded = None
    homes: dict[str, list[str]] = {one: [] for one in texts}
    for name in GRAPHS:
        graph, found = GRAPHS[name](), []
        for one in texts:
            try:
                found.append(look_up(one, graph))
            except UnknownNameError:
                continue
            homes[one].append(name)
        if len(found) == len(texts):
            if not any(one.how for one in found):
                return graph, tuple(found)
            coded = coded or (graph, tuple(found))
    if coded:
        return coded
    if unknown := next((one for one, names in homes.items() if not names), None):
        raise UnknownNameError(_nowhere(unknown))
    said = ", ".join(f"{one!r} is in {' and '.join(names)}" for one, names in homes.items())
    raise UnknownNameError(f"no graph has both: {said}")


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


def _nowhere(text: str) -> str:
    if elsewhere := _without_concept(text):
        return f"{elsewhere}: no concept of {', '.join(GRAPHS)}"
    known = {name.casefold() for graph in GRAPHS for concept in GRAPHS[graph]() for name in concept.names}
    return (
        f"no concept of {', '.join(GRAPHS)} is named {text!r} and no crosswalk has it as a code for one"
        f"{hint(' '.join(text.split()).casefold(), sorted(known))}"
    )


def _without_concept(text: str) -> str:
    """What a code means that is listed, but states no concept of a graph; empty if it is not listed either."""
    meanings: dict[tuple[str, str], list[str]] = {}
    for system in SYSTEMS:
        if entry := entries(system).get(SYSTEMS[system].normalise(text)):
            why = entry.provenance if not entry.concepts else f"stated as {', '.join(sorted(entry.concepts))}"
            meanings.setdefault((entry.name or text, why), []).append(system)
    said = "; ".join(f"{name!r} in {', '.join(systems)} ({why})" for (name, why), systems in meanings.items())
    return f"{text!r} is {said}" if said else ""
