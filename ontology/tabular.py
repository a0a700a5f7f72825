"""Concept graphs as the two tables that the graphs of this package are kept in."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from ontology.graph import ConceptGraph

_CONCEPTS = ("id", "abbreviation", "term", "synonyms", "organiser", "description", "provenance")
_IS_A = ("child", "parent", "kind", "reason")


def table_paths(path: str | Path) -> tuple[Path, Path]:
    """`NAME_concepts.csv` and `NAME_is_a.csv`, from NAME, `NAME.csv` or either of them."""
    path = Path(path)
    stem = path.name.removesuffix(".csv").removesuffix("_concepts").removesuffix("_is_a")
    return path.with_name(f"{stem}_concepts.csv"), path.with_name(f"{stem}_is_a.csv")


def write_tables(graph: ConceptGraph, path: str | Path, *, source: str) -> tuple[Path, Path]:
    """Write a graph as tables; `ontology.curate.from_tables` reads them back equal.

    A `;` within a synonym becomes a comma, because it stands between synonyms. Descriptions are left empty: nobody has
    written any.

    Args:
        graph: What to write.
        path: As `table_paths` takes it.
        source: The provenance of every row.

    Raises:
        ValueError: If there is no source.
    """
    if not source:
        raise ValueError("every row of a table needs a provenance: source is empty")
    concepts, is_a = table_paths(path)
    _write(
        concepts,
        _CONCEPTS,
        (
            (
                concept.id,
                concept.abbreviation,
                concept.term,
                ";".join(name.replace(";", ",") for name in concept.synonyms),
                str(int(concept.organiser)),
                "",
                source,
            )
            for concept in graph
        ),
    )
    _write(is_a, _IS_A, ((edge.child, edge.parent, edge.kind, source) for edge in graph.edges))
    return concepts, is_a


def _write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(rows)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
