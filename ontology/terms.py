"""What a concept is called, whoever knows it."""

from __future__ import annotations

from ontology import crosswalk, shipped


def term(concept: str) -> str:
    """What a concept is called, in any graph of the package or in the list of SNOMED-CT codes; empty if nowhere."""
    for graph in shipped.GRAPHS:
        if found := shipped.table(graph).get(concept):
            return found["term"]
    listed = crosswalk.entries("snomed-ct")
    return listed[concept].name if concept in listed else ""
