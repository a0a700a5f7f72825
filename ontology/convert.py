"""Concept graphs from any of their forms to another: OWL, RF2, tables."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from ontology.errors import OntologyError
from ontology.graph import ConceptGraph
from ontology.shipped import GRAPHS

_OWL = {".owl": "rdfxml", ".rdf": "rdfxml", ".owx": "owlxml", ".nt": "ntriples"}
_TABLES = ".csv"
_RF2 = ".zip"


def load(
    source: str | Path,
    *,
    descendants_of: Collection[str] | None = None,
    ancestors_of: Collection[str] | None = None,
    language: str = "en-US",
    progress: bool = False,
) -> ConceptGraph:
    """A graph of the package by name, or one from an OWL file, from tables, or from an RF2 snapshot.

    Args:
        source: `cardiac`, `heart.owl`, `heart_concepts.csv`, a folder or zip in RF2.
        descendants_of: Keep only these concepts, by name or identifier, and all kinds of them.
        ancestors_of: Keep only these and all that they are a kind of; with both, what is in both.
        language: Of the names in RF2.
        progress: Whether to show the reading of RF2.

    Raises:
        OntologyError: If the source is none of these or no graph; if a concept in RF2 is not given by its identifier.
        UnknownNameError: If a concept is not there.
    """
    path = Path(source)
    if path.is_dir() or path.suffix.lower() == _RF2:
        for field, asked in (("descendants_of", descendants_of), ("ancestors_of", ancestors_of)):
            for text in asked or ():
                if not re.fullmatch(r"\d+", text):
                    raise OntologyError(f"{field}: for RF2 expected a SNOMED-CT identifier, got {text!r}")
        from ontology.rf2 import read_rf2  # noqa: PLC0415 - most sources are small and need none of it

        return read_rf2(
            path, descendants_of=descendants_of, ancestors_of=ancestors_of, language=language, progress=progress
        )
    return _part(_whole(source), descendants_of, ancestors_of)


def convert(
    source: str | Path,
    dest: str | Path,
    *,
    descendants_of: Collection[str] | None = None,
    ancestors_of: Collection[str] | None = None,
    language: str = "en-US",
    progress: bool = False,
) -> tuple[ConceptGraph, tuple[Path, ...]]:
    """Read a graph as `load` does and write it by the ending of `dest`.

    Args:
        source: As for `load`, as is all the rest.
        dest: `.owl` or `.rdf` for RDF/XML, `.owx` for OWL/XML, `.nt` for N-Triples, `.csv` for the two tables of
            `ontology.tabular`.
        descendants_of: See `load`.
        ancestors_of: See `load`.
        language: See `load`.
        progress: See `load`.

    Returns:
        The graph and the files.

    Raises:
        OntologyError: See `load`; also if `dest` ends otherwise or its folder is missing.
        UnknownNameError: See `load`.
    """
    from ontology.owl import write_owl  # noqa: PLC0415 - owlready2 is slow to import
    from ontology.tabular import write_tables  # noqa: PLC0415 - as above

    dest = Path(dest)
    ending = dest.suffix.lower()
    if ending not in (*_OWL, _TABLES):
        raise OntologyError(f"{dest.name}: expected a name ending in {', '.join((*_OWL, _TABLES))}")
    if not dest.parent.is_dir():
        raise OntologyError(f"{dest}: there is no folder {dest.parent}")
    graph = load(source, descendants_of=descendants_of, ancestors_of=ancestors_of, language=language, progress=progress)
    if ending == _TABLES:
        return graph, write_tables(graph, dest, source=f"converted from {Path(source).name}")
    write_owl(graph, dest, format=_OWL[ending])
    return graph, (dest,)


def _whole(source: str | Path) -> ConceptGraph:
    path = Path(source)
    if str(source) in GRAPHS:
        return GRAPHS[str(source)]()
    if not path.suffix and not path.exists():
        return GRAPHS[str(source)]()  # says which there are
    if path.suffix.lower() == _TABLES:
        from ontology.curate import from_tables  # noqa: PLC0415 - as above
        from ontology.tabular import table_paths  # noqa: PLC0415 - as above

        concepts, is_a = table_paths(path)
        for table in (concepts, is_a):
            if not table.is_file():
                raise OntologyError(
                    f"{source}: expected the tables {concepts.name} and {is_a.name}, got no {table.name}"
                )
        return from_tables(concepts, is_a)
    if not path.is_file():
        raise OntologyError(f"{source}: no such file")
    from ontology.owl import read_owl  # noqa: PLC0415 - as above

    return read_owl(path)


def _part(
    graph: ConceptGraph, descendants_of: Collection[str] | None, ancestors_of: Collection[str] | None
) -> ConceptGraph:
    kept = set(graph.ids)
    if descendants_of is not None:
        tops = [graph.find(text).id for text in descendants_of]
        kept &= set(tops).union(*map(graph.descendants, tops))
    if ancestors_of is not None:
        lows = [graph.find(text).id for text in ancestors_of]
        kept &= set(lows).union(*map(graph.ancestors, lows))
    if not kept:
        raise OntologyError("no concept is left: none is both below and above those asked for")
    return graph if len(kept) == len(graph) else graph.subgraph(kept)
