"""What can be asked of a recording: its diagnoses, or one question that a corpus answers with yes or no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ontology import cardiac
from ontology.graph import Concept, ConceptGraph
from ontology.registry import Registry
from pretrain.data.labels import Labels
from pretrain.models.foundation import FoundationModel
from pretrain.specs.recipe import LabelScope


@dataclass(frozen=True)
class Question:
    """A question, and where its answers are.

    Attributes:
        name: As the command line has it.
        title: In words.
        graph: The concepts that are asked for, and how they hang together; of a model that has a graph, its own.
        label: From the table of records to what is stated, and what is known at all.
    """

    name: str
    title: str
    graph: Callable[[FoundationModel], ConceptGraph]
    label: Callable[[pd.DataFrame, ConceptGraph], Labels]


#: The question whose answers are the concepts of a graph.
DIAGNOSIS = "diagnosis"
QUESTIONS: Registry[Question] = Registry("task")
#: What `label` reads of the table of records.
COLUMNS = ("corpus", "sub_corpus", "codes", "concepts")


def diagnoses(records: pd.DataFrame, graph: ConceptGraph) -> Labels:
    """The concepts of each record and what they are kinds of."""
    return Labels.of(records, graph, LabelScope.ANCESTORS)


def coded(system: str, yes: str, no: str) -> Callable[[pd.DataFrame, ConceptGraph], Labels]:
    """One concept, from two codes of a system; a record with neither of them, or with both, is not known."""

    def label(records: pd.DataFrame, graph: ConceptGraph) -> Labels:
        said = [{code["code"] for code in row if code["system"] == system} & {yes, no} for row in records["codes"]]
        columns = len(graph.observed)
        stated = np.array([[yes in one] * columns for one in said], bool).reshape(-1, columns)
        known = np.array([[len(one) == 1] * columns for one in said], bool).reshape(-1, columns)
        return Labels(stated & known, known)

    return label


def _asked(concept: Concept) -> Callable[[FoundationModel], ConceptGraph]:
    return lambda _: ConceptGraph([concept])


QUESTIONS.add(DIAGNOSIS, Question(DIAGNOSIS, "diagnoses", lambda model: model.graph or cardiac(), diagnoses))
QUESTIONS.add(
    "chagas",
    Question(
        "chagas",
        "Chagas disease, yes or no",
        _asked(Concept("biosig:chagas", "Chagas disease", abbreviation="Chagas")),
        coded("chagas", "True", "False"),
    ),
)
QUESTIONS.add(
    "quality",
    Question(
        "quality",
        "a recording of unacceptable quality, yes or no",
        _asked(Concept("biosig:unacceptable", "unacceptable quality", abbreviation="Bad")),
        coded("cinc2011", "unacceptable", "acceptable"),
    ),
)
