"""What is said of each record: its report, its concepts, and which concepts its coding could have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Int64

from ontology.annotation import annotated, named
from ontology.crosswalk import SYSTEMS, doubted
from ontology.graph import ConceptGraph
from ontology.labels import known_mask, multi_hot
from pretrain.models.text import ReportEncoder, normalise_report
from pretrain.specs.recipe import LabelScope

#: The id of a record without a report.
NO_REPORT = -1


@dataclass(frozen=True)
class Reports:
    """Reports as numbers.

    Attributes:
        ids: One a record; equal where the normalised reports are equal, -1 where there is none.
        texts: The distinct normalised reports, by id.
        vectors: Of the frozen report encoder, by id; without columns if there is no text tower.
    """

    ids: Int64[np.ndarray, " record"]
    texts: tuple[str, ...]
    vectors: Float32[np.ndarray, "report dim"]

    @classmethod
    def of(cls, reports: Sequence[str | None], encoder: ReportEncoder | None, *, progress: bool = False) -> Reports:
        """Number and encode reports; the order of the ids is that of first appearance."""
        plain = [normalise_report(text) if isinstance(text, str) else "" for text in reports]
        distinct = tuple(dict.fromkeys(text for text in plain if text))
        place = {text: number for number, text in enumerate(distinct)}
        ids = np.array([place.get(text, NO_REPORT) for text in plain], dtype=np.int64)
        if encoder is None:
            return cls(ids, distinct, np.zeros((len(distinct), 0), dtype=np.float32))
        return cls(ids, distinct, encoder.encode(distinct, progress=progress))

    def take(self, ids: Int64[np.ndarray, " batch"]) -> Float32[np.ndarray, "batch dim"]:
        """The vectors of reports; zero where there is none."""
        found = np.zeros((len(ids), self.vectors.shape[1]), dtype=np.float32)
        found[ids >= 0] = self.vectors[ids[ids >= 0]]
        return found


@dataclass(frozen=True)
class Labels:
    """Concepts as numbers, over `graph.observed`.

    Attributes:
        stated: Which concepts a record carries.
        known: Which concepts the record's database annotates (`ontology.annotated`); elsewhere, absence says nothing,
            and neither does a presence that only follows from the graph or from a finer code: with positives alone,
            a model would be taught, and scored for, telling that database from the others. A concept that a code of
            the record names is known, one that it hedges ("possible infarct") is not. A record without any code has no
            known concept.
    """

    stated: Bool[np.ndarray, "record concept"]
    known: Bool[np.ndarray, "record concept"]

    def of_concepts(self, columns: Sequence[int]) -> Labels:
        """Those of some concepts."""
        return Labels(self.stated[:, columns], self.known[:, columns])

    @classmethod
    def of(cls, records: pd.DataFrame, graph: ConceptGraph | None, scope: LabelScope) -> Labels:
        """From the columns `corpus`, `sub_corpus`, `codes` and `concepts` of a store; no column without a graph."""
        if graph is None:
            return cls(*np.zeros((2, len(records), 0), dtype=bool))
        ids = graph.observed
        stated = multi_hot(
            [frozenset(concepts) for concepts in records["concepts"]],
            ids,
            graph if scope is LabelScope.ANCESTORS else None,
        )
        # Ratings, tasks and the like are codes of no coding system, and say nothing of concepts.
        codes = [
            [(code["system"], code["code"]) for code in row if code["system"] in SYSTEMS] for row in records["codes"]
        ]
        vocabularies = [
            annotated(corpus, sub_corpus, frozenset(system for system, _ in row))
            for corpus, sub_corpus, row in zip(records["corpus"], records["sub_corpus"], codes, strict=True)
        ]
        said, hedged = (
            multi_hot([frozenset[str]().union(*(of(*code) for code in row)) for row in codes], ids)
            for of in (named, doubted)
        )
        return cls(stated, (known_mask(vocabularies, ids, graph) & ~hedged) | said)
