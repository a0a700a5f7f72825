"""Make the OWL files of the package from the tables that a person edits: `python -m ontology.curate [NAME ...]`.

What the tables hold is told in `ontology.shipped`.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from ontology.concept import Concept
from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.owl import write_owl
from ontology.shipped import FOLDER, GRAPHS


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


def main(names: Sequence[str] = ()) -> None:
    """Write `NAME.owl` beside its tables, for the given graphs or all.

    Raises:
        UnknownNameError: If there are no tables of this name.
    """
    for name in names or GRAPHS:
        GRAPHS[name]
        graph = from_tables(FOLDER / f"{name}_concepts.csv", FOLDER / f"{name}_is_a.csv")
        write_owl(graph, FOLDER / f"{name}.owl")


if __name__ == "__main__":
    main(sys.argv[1:])
