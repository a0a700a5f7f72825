"""What a model says of itself in `config.json`: enough to build it, feed it, and know what it was trained on."""

from typing import Any, Literal

from pydantic import PositiveFloat, ValidationError

from biosig.explain import explain
from ontology.graph import Concept, ConceptGraph, Edge
from pretrain.errors import ModelError
from pretrain.models.intake import Intake
from pretrain.specs.architecture import Architecture, Spec


class OntologyConfig(Spec):
    """An ontology, whole: a model must not change its mind when a graph is revised.

    Attributes:
        concepts: The nodes.
        is_a: The edges.
        fingerprint: Of the graph as it was trained with; checked when it is rebuilt.
    """

    concepts: tuple[Concept, ...]
    is_a: tuple[Edge, ...]
    fingerprint: str

    @classmethod
    def of(cls, graph: ConceptGraph) -> "OntologyConfig":
        """Write a graph down."""
        return cls(concepts=tuple(graph), is_a=graph.edges, fingerprint=graph.fingerprint())

    def graph(self) -> ConceptGraph:
        """The graph again.

        Raises:
            ModelError: If it is not the one that was written down.
        """
        graph = ConceptGraph(self.concepts, self.is_a)
        if graph.fingerprint() != self.fingerprint:
            raise ModelError(
                f"ontology: expected a graph of fingerprint {self.fingerprint:.12}, its concepts give another"
            )
        return graph


class ReportEncoderConfig(Spec):
    """Which frozen report encoder the text tower stands on.

    Attributes:
        name: As in `pretrain.models.text.ReportEncoder`.
        fingerprint: Of its weights and tokeniser.
        dim: Numbers in its vectors.
    """

    name: str
    fingerprint: str
    dim: int


class StoreUse(Spec):
    """One store that a model was trained on.

    Attributes:
        corpus: Its corpus.
        sha256: Of its `store.json`, which holds the hash of every other file.
        folds: The folds of each role.
        records: Records of each role that were used.
        subjects: Subjects of each role that were used.
    """

    corpus: str
    sha256: str
    folds: dict[str, tuple[int, ...]]
    records: dict[str, int]
    subjects: dict[str, int]


class Provenance(Spec):
    """Where a model comes from.

    Attributes:
        recipe: The whole recipe.
        stores: What it was trained on.
        training_set: sha256 of `training_set.json`, the hashed names of every subject and waveform it has seen.
        versions: Of the packages.
        precision: The arithmetic of the towers while training.
        steps: Optimiser steps.
    """

    recipe: dict[str, Any]
    stores: tuple[StoreUse, ...]
    training_set: str
    versions: dict[str, str]
    precision: str
    steps: int


class ModelConfig(Spec):
    """The whole configuration of a foundation model."""

    format: Literal["biosig-model"] = "biosig-model"
    version: Literal[1] = 1
    architecture: Architecture
    intake: Intake
    ontology: OntologyConfig | None = None
    report_encoder: ReportEncoderConfig | None = None
    provenance: Provenance | None = None
    fingerprint: dict[str, tuple[float, ...]] | None = None
    tolerance: PositiveFloat = 1e-3

    @classmethod
    def parse(cls, content: object, name: str) -> "ModelConfig":
        """Check a configuration that was read.

        Raises:
            ModelError: In one line, naming the field.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            raise ModelError(f"{name}: {explain(error, whole='config')}") from error
