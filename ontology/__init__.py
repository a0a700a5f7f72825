"""Concept graphs of the ECG, over SNOMED-CT, and of the EEG: the knowledge that enters labels, losses and scores.

    >>> graph = ontology.cardiac()
    >>> graph.find("AF").term
    'atrial fibrillation'
    >>> ontology.concepts("scp-ecg", "AFIB")
    frozenset({'164889003'})

Names are imported when first used, so that `import ontology` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ontology.errors import OntologyError
from ontology.registry import Registry, UnknownNameError

if TYPE_CHECKING:
    from ontology.annotation import annotated
    from ontology.crosswalk import concepts, doubted, vocabulary
    from ontology.graph import Concept, ConceptGraph, Kind
    from ontology.kernels import KERNELS
    from ontology.labels import known_mask, multi_hot
    from ontology.owl import read_owl, write_owl
    from ontology.prompts import sentences
    from ontology.rf2 import read_rf2
    from ontology.shipped import GRAPHS

__all__ = [
    "GRAPHS",
    "KERNELS",
    "Concept",
    "ConceptGraph",
    "Kind",
    "OntologyError",
    "Registry",
    "UnknownNameError",
    "annotated",
    "cardiac",
    "concepts",
    "doubted",
    "emotion",
    "known_mask",
    "multi_hot",
    "read_owl",
    "read_rf2",
    "seizure",
    "sentences",
    "sleep",
    "vocabulary",
    "write_owl",
]

_HOME = {
    "GRAPHS": "shipped",
    "KERNELS": "kernels",
    "Concept": "graph",
    "ConceptGraph": "graph",
    "Kind": "graph",
    "annotated": "annotation",
    "concepts": "crosswalk",
    "doubted": "crosswalk",
    "known_mask": "labels",
    "multi_hot": "labels",
    "read_owl": "owl",
    "read_rf2": "rf2",
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


def cardiac() -> ConceptGraph:
    """The curated cardiac graph: 40 observed concepts of SNOMED-CT and the organisers above them.

    The 40 are the 26 scored classes of the PhysioNet/CinC Challenge 2021, equivalent codes merged, and 14 frequent
    codes beside them; the is-a edges are ours, each with its reason, and are not SNOMED-CT's own.

    References:
        Reyna et al., Will two do? Varying dimensions in electrocardiography, CinC 2021.
    """
    return _shipped("cardiac")


def sleep() -> ConceptGraph:
    """Sleep stages: W, N1, N2, N3 and R of the AASM manual; stages 3 and 4 of Rechtschaffen and Kales are kinds of N3.

    References:
        Iber et al., The AASM manual for the scoring of sleep and associated events, 2007.
    """
    return _shipped("sleep")


def seizure() -> ConceptGraph:
    """Seizure types of the TUH EEG Seizure Corpus, in the words and on the lines of ILAE 2017, and background.

    References:
        Shah et al., The Temple University Hospital Seizure Detection Corpus, Front. Neuroinform. 2018; Fisher et al.,
        Operational classification of seizure types by the ILAE, Epilepsia 2017.
    """
    return _shipped("seizure")


def emotion() -> ConceptGraph:
    """Emotions as EEG corpora label them, over the quadrants of valence and arousal.

    Every discrete emotion is a kind of one quadrant, and every quadrant a kind of one pole of valence and one of
    arousal; so SEED's `positive`, DEAP's `HVHA` and FACED's `joy` are three depths of one graph.

    References:
        Russell, A circumplex model of affect, 1980. Corpora: Zheng and Lu 2015 (SEED), Zheng et al. 2019 (SEED-IV), Liu
        et al. 2022 (SEED-V), Chen et al. 2023 (FACED), Koelstra et al. 2012 (DEAP), Baghdadi et al. 2019 (DASPS).
    """
    return _shipped("emotion")


def _shipped(name: str) -> ConceptGraph:
    graph: ConceptGraph = import_module("ontology.shipped").shipped(name)
    return graph
