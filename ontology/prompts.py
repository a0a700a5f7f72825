"""Concepts in words, for zero-shot classification by a text encoder.

The words are those of the graph's tables: term, synonyms, a clinical description written for this package, and what
the concept is a kind of. The sentences around them are in `prompt_templates.csv`, some for each graph of the package.
"""

from __future__ import annotations

import csv
from functools import lru_cache

from ontology.concept import Concept
from ontology.graph import ConceptGraph
from ontology.shipped import FOLDER, GRAPHS, table

# Whose templates a concept gets that is in no graph of the package, such as one from a licensed SNOMED-CT release.
_DEFAULT = "cardiac"


def sentences(concept: Concept, graph: ConceptGraph | None = None) -> tuple[str, ...]:
    """The sentences that describe a concept; average their embeddings.

    Every template with the term and every synonym, the term first. Abbreviations are left out: to a general text
    encoder `PR` or `SA` means something else.

    Args:
        concept: What to describe.
        graph: If given, also what the concept looks like in a recording, where the package has a description, and what
            it is a kind of there. For an encoder that has read prose; one that knows terse labels is better off without
            (MiniLM found the concept of 36 of 44 LUDB diagnoses by the names alone, of 33 with these sentences too).

    Example:
        >>> said = sentences(cardiac().find("AF"), cardiac())
        >>> said[0], said[1], said[-1]
        ('atrial fibrillation', '12-lead ECG showing atrial fibrillation', 'atrial fibrillation, a kind of atrial \
fibrillation or flutter')

    References:
        Radford et al., arXiv 2103.00020, section 3.1.4 (averaged templates); Liu et al. (MERL), arXiv 2403.06659, whose
        prompts describe the finding.
    """
    home = _home().get(concept.id, _DEFAULT)
    names = dict.fromkeys((concept.term, *concept.synonyms))
    said = [template.format(name) for name in names for template in templates(home)]
    if graph is not None:
        if about := description(concept.id):
            said.append(f"{concept.term}: {about}")
        said += [f"{concept.term}, a kind of {graph[parent].term}" for parent in graph.parents(concept.id)]
    return tuple(dict.fromkeys(said))


def description(id_: str) -> str:
    """What a concept looks like in the recording, in a few words; empty if the package does not say."""
    return table(_home()[id_])[id_]["description"] if id_ in _home() else ""


@lru_cache(maxsize=16)
def templates(graph: str) -> tuple[str, ...]:
    """The sentences into which names of a graph's concepts are put; the bare name first, as reports have it."""
    with (FOLDER / "prompt_templates.csv").open(encoding="utf-8", newline="") as file:
        found = tuple(row["template"] for row in csv.DictReader(file) if row["graph"] == graph)
    return found or ("{}",)


@lru_cache(maxsize=1)
def _home() -> dict[str, str]:
    """The graph of the package that each concept belongs to."""
    return {id_: name for name in GRAPHS for id_ in table(name)}
