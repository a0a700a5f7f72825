"""Concept graphs over SNOMED-CT: the knowledge that enters labels, losses and scores.

    >>> graph = ontology.cardiac()
    >>> graph.find("AF").term
    'atrial fibrillation'
    >>> ontology.concepts("scp-ecg", "AFIB")
    frozenset({'164889003'})

Names are imported when first used, so that `import ontology` costs nothing.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ontology.errors import OntologyError
from ontology.registry import Registry, UnknownNameError

if TYPE_CHECKING:
    from ontology.crosswalk import concepts, vocabulary
    from ontology.graph import Concept, ConceptGraph, Kind
    from ontology.kernels import KERNELS
    from ontology.labels import known_mask, multi_hot
    from ontology.owl import read_owl, write_owl
    from ontology.prompts import sentences

__all__ = [
    "KERNELS",
    "Concept",
    "ConceptGraph",
    "Kind",
    "OntologyError",
    "Registry",
    "UnknownNameError",
    "cardiac",
    "concepts",
    "known_mask",
    "multi_hot",
    "read_owl",
    "sentences",
    "vocabulary",
    "write_owl",
]

_HOME = {
    "KERNELS": "kernels",
    "Concept": "graph",
    "ConceptGraph": "graph",
    "Kind": "graph",
    "concepts": "crosswalk",
    "known_mask": "labels",
    "multi_hot": "labels",
    "read_owl": "owl",
    "sentences": "prompts",
    "vocabulary": "crosswalk",
    "write_owl": "owl",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'ontology' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f"ontology.{_HOME[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


@lru_cache(maxsize=1)
def cardiac() -> ConceptGraph:
    """The curated cardiac graph: 40 observed concepts of SNOMED-CT and the organisers above them.

    Read from the shipped `cardiac.owl`, which `python -m ontology.curate` makes from `cardiac_concepts.csv` and
    `cardiac_is_a.csv`. The 40 are the 26 scored classes of the PhysioNet/CinC Challenge 2021, equivalent codes merged,
    and 14 frequent codes beside them; the is-a edges are ours, each with its reason, and are not SNOMED-CT's own.

    References:
        Reyna et al., Will two do? Varying dimensions in electrocardiography, CinC 2021.
    """
    read = import_module("ontology.owl").read_owl
    graph: ConceptGraph = read(Path(__file__).with_name("cardiac.owl"))
    return graph
