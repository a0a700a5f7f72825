"""The cardiac graph as a page for people: `python -m ontology.describe docs/cardiac_graph.md`."""

from __future__ import annotations

import csv
import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ontology import cardiac
from ontology.annotation import counts, databases, named
from ontology.concept import Concept
from ontology.graph import ConceptGraph
from ontology.shipped import FOLDER, table

_CINC = "cinc2021"


def cardiac_page() -> str:
    """Every concept and every edge of `ontology.cardiac()` in Markdown, from the graph and its tables."""
    graph = cardiac()
    observed = [graph[id_] for id_ in graph.observed]
    organisers = [concept for concept in graph if concept.organiser]
    records, annotators = _records()
    head = f"""# The cardiac graph

`ontology.cardiac()`: {len(observed)} observed concepts of SNOMED-CT, which recordings carry as labels, and \
{len(organisers)} organisers above them, which only group. The observed ones are the 26 scored classes of the \
PhysioNet/CinC Challenge 2021, codes that it scores as equal merged, and 14 frequent or structurally needed codes \
beside them. The is-a edges are clinical common knowledge written for this package, each with its reason; they are not \
SNOMED-CT's own, whose release is licensed. This page is made by `python -m ontology.describe`, the figure by \
`biosig ontology draw`.

![The cardiac graph](images/cardiac_graph.svg)
"""
    concepts = _markdown(
        ("abbreviation", "SNOMED-CT", "term", "is a", "records", "annotated in"),
        (
            (
                concept.abbreviation,
                concept.id,
                concept.term,
                _parents(graph, concept),
                f"{records[concept.id]:,}",
                str(annotators[concept.id]),
            )
            for concept in observed
        ),
    )
    groups = _markdown(
        ("abbreviation", "identifier", "term", "is a", "why it is there"),
        (
            (
                concept.abbreviation,
                concept.id,
                concept.term,
                _parents(graph, concept),
                table("cardiac")[concept.id]["provenance"],
            )
            for concept in organisers
        ),
    )
    edges = _markdown(
        ("child", "parent", "kind", "reason"),
        ((graph[row["child"]].term, graph[row["parent"]].term, row["kind"], row["reason"]) for row in _edges()),
    )
    notes = f"""Records: of the public training data of the Challenge 2021 with the code or one that counts as equal; \
a record with both counts twice. Annotated in: how many of its {len(databases(_CINC))} databases use it at all; in the \
others the concept is unknown, not absent (`ontology.annotated`).
"""
    return f"{head}\n## Observed concepts\n\n{notes}\n{concepts}\n\n## Organisers\n\n{groups}\n\n## Edges\n\n{edges}\n"


def _records() -> tuple[Counter[str], Counter[str]]:
    """Records of each concept, and databases that annotate it."""
    records: Counter[str] = Counter()
    annotators: Counter[str] = Counter()
    for database in databases(_CINC):
        said = counts(_CINC, database)
        annotators.update({id_ for code in said for id_ in named("snomed-ct", code)})
        for code, number in said.items():
            records.update(dict.fromkeys(named("snomed-ct", code), number))
    return records, annotators


def _edges() -> list[dict[str, str]]:
    with (FOLDER / "cardiac_is_a.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _parents(graph: ConceptGraph, concept: Concept) -> str:
    return ", ".join(graph[parent].term for parent in graph.parents(concept.id))


def _markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(cardiac_page(), encoding="utf-8")
