"""Make `cardiac.owl` from the two tables a person edits: `python -m ontology.curate`.

- `cardiac_concepts.csv`: id, abbreviation, term, synonyms (`;` between), organiser (0 or 1), provenance. An organiser
  has a SNOMED-CT identifier where one says just that; the others are `biosig:name`, ours alone.
- `cardiac_is_a.csv`: child, parent, kind, reason.
"""

from __future__ import annotations

import csv
from pathlib import Path

from ontology.concept import Concept
from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.owl import write_owl

FOLDER = Path(__file__).parent


def from_tables(concepts: Path, is_a: Path) -> ConceptGraph:
    """The graph that two tables describe.

    Raises:
        OntologyError: If a row has no provenance or reason, or the graph is none.
    """
    with concepts.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with is_a.open(encoding="utf-8", newline="") as file:
        edges = list(csv.DictReader(file))
    for path, table, why in ((concepts, rows, "provenance"), (is_a, edges, "reason")):
        for number, row in enumerate(table, start=2):
            if not row[why]:
                raise OntologyError(f"{path.name}:{number}: {why} is empty")
    return ConceptGraph(
        (
            Concept(
                id=row["id"],
                term=row["term"],
                abbreviation=row["abbreviation"],
                synonyms=tuple(row["synonyms"].split(";")),
                organiser=row["organiser"] == "1",
            )
            for row in rows
        ),
        ((edge["child"], edge["parent"], edge["kind"]) for edge in edges),
    )


def main() -> None:
    """Write `cardiac.owl` beside its tables."""
    graph = from_tables(FOLDER / "cardiac_concepts.csv", FOLDER / "cardiac_is_a.csv")
    write_owl(graph, FOLDER / "cardiac.owl")


if __name__ == "__main__":
    main()
