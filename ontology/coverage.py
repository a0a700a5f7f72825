"""What share of the labels of some recordings a graph knows, and what becomes of the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ontology.crosswalk import SYSTEMS, concepts, entries, listed
from ontology.graph import ConceptGraph

UNKNOWN_SYSTEM = "no crosswalk for the coding system"
UNLISTED = "not in the crosswalk"
NOT_STATED = "hedged, denied, or a phrase without a concept"
ELSEWHERE = "its concept is not in the graph"


@dataclass(frozen=True)
class Coverage:
    """How much of the labels is known. A label is one code on one record.

    Attributes:
        labels: All.
        known: Those that state an observed concept of the graph.
        grouped: Those that state only organisers of it: nothing that is a label of its own.
        codes: Different codes.
        known_codes: Those of them that state an observed concept.
        records: Records that have a label.
        known_records: Those of them with a known one.
        others: `(system, code, labels, reason)` of codes that state no observed concept, the commonest first.
    """

    labels: int
    known: int
    grouped: int
    codes: int
    known_codes: int
    records: int
    known_records: int
    others: tuple[tuple[str, str, int, str], ...]

    @property
    def share(self) -> float:
        """Of the labels that are known; NaN without labels."""
        return self.known / self.labels if self.labels else float("nan")


def coverage(records: Iterable[Sequence[tuple[str, str]]], graph: ConceptGraph) -> Coverage:
    """Count which labels state a concept of the graph.

    Args:
        records: The `(system, code)` pairs of each record.
        graph: Any graph.
    """
    counts: Counter[tuple[str, str]] = Counter()
    observed = frozenset(graph.observed)
    labelled = reached = 0
    for codes in records:
        distinct = dict.fromkeys(codes)
        counts.update(distinct.keys())
        labelled += bool(distinct)
        reached += any(_stated(*label) & observed for label in distinct)
    known = {label for label in counts if _stated(*label) & observed}
    grouped = {label for label in counts.keys() - known if any(id_ in graph for id_ in _stated(*label))}
    others = [
        (*label, number, f"groups others there: {_terms(label, graph)}" if label in grouped else _reason(*label))
        for label, number in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
        if label not in known
    ]
    return Coverage(
        labels=counts.total(),
        known=sum(counts[label] for label in known),
        grouped=sum(counts[label] for label in grouped),
        codes=len(counts),
        known_codes=len(known),
        records=labelled,
        known_records=reached,
        others=tuple(others),
    )


def _stated(system: str, code: str) -> frozenset[str]:
    return concepts(system, code) if system in SYSTEMS else frozenset()


def _terms(label: tuple[str, str], graph: ConceptGraph) -> str:
    return ", ".join(sorted(graph[id_].term for id_ in _stated(*label) if id_ in graph))


def _reason(system: str, code: str) -> str:
    if system not in SYSTEMS:
        return UNKNOWN_SYSTEM
    if not listed(system, code):
        return UNLISTED
    entry = entries(system).get(SYSTEMS[system].normalise(code))
    if _stated(system, code):
        return f"{entry.name}: {ELSEWHERE}" if entry and entry.name else ELSEWHERE
    return entry.provenance.removeprefix("unmapped: ") if entry else NOT_STATED
