"""What is said of each record: its report, its concepts, and which concepts its coding could have said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float32, Int64

from ontology import crosswalk
from ontology.graph import ConceptGraph
from ontology.labels import known_mask, multi_hot
from pretrain.specs import LabelScope
from pretrain.text import ReportEncoder, normalise_report

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
        known: Which concepts its coding system can express; elsewhere, absence says nothing. A record without any
            code has no known concept.
    """

    stated: Bool[np.ndarray, "record concept"]
    known: Bool[np.ndarray, "record concept"]

    @classmethod
    def of(cls, records: pd.DataFrame, graph: ConceptGraph, scope: LabelScope) -> Labels:
        """From the `concepts` and `codes` columns of a store."""
        ids = graph.observed
        stated = multi_hot(
            [frozenset(concepts) for concepts in records["concepts"]],
            ids,
            graph if scope is LabelScope.ANCESTORS else None,
        )
        systems = [frozenset(code["system"] for code in codes) for codes in records["codes"]]
        vocabularies = {
            spoken: frozenset[str]().union(*(crosswalk.vocabulary(system) for system in spoken))
            for spoken in set(systems)
        }
        known = known_mask([vocabularies[spoken] for spoken in systems], ids, graph)
        return cls(stated, known | stated)
