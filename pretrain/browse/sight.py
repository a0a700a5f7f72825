"""What a model sees in the records of a catalogue: how near they are to a sentence, a concept, or each other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Int64

from biosig.errors import BiosigError
from biosig.plot.embedding import Projection
from ontology.lookup import one
from pretrain.browse.catalogue import Catalogue
from pretrain.browse.embeddings import embeddings, key, places
from pretrain.browse.query import Query, Rank
from pretrain.models.foundation import FoundationModel
from pretrain.zero_shot import prompts, unit


@dataclass(frozen=True)
class Score:
    """How much of a concept a model sees in a record.

    Attributes:
        concept: Its identifier.
        cosine: Of the two on the sphere.
        share: Of all records, those that the model finds less like the concept.
    """

    concept: str
    cosine: float
    share: float


class Sight:
    """The vectors of the records of all stores that a model can take.

    Args:
        model: In evaluation mode.
        catalogue: Whose stores; one that was prepared in another way than the model's data has no vectors.
        folder: Where vectors are kept.
        projection: How they become a map.
        progress: Whether to show bars.

    Attributes:
        refused: Why stores have no vectors, by their key.

    Raises:
        BiosigError: If the model can take none of the stores.
    """

    def __init__(
        self,
        model: FoundationModel,
        catalogue: Catalogue,
        folder: Path,
        *,
        projection: Projection = Projection.PCA,
        progress: bool = False,
    ) -> None:
        self.model, self.catalogue, self.projection = model, catalogue, projection
        self.refused: dict[str, str] = {}
        self._folder = folder
        parts: list[tuple[int, Float32[np.ndarray, "record dim"]]] = []
        for name, store, first in zip(catalogue.keys, catalogue.stores, catalogue.starts, strict=False):
            try:
                parts.append((first, embeddings(model, store, folder, progress=progress)))
            except BiosigError as error:
                self.refused[name] = str(error)
        if not parts:
            raise BiosigError(next(iter(self.refused.values())))
        self._parts = parts

    @property
    def reads(self) -> bool:
        """Whether sentences can be compared with records."""
        return self.model.text is not None

    @cached_property
    def concepts(self) -> tuple[str, ...]:
        """The concepts that records can be compared with: the tower's own, else those of the graph by their words."""
        if self.model.concept is not None:
            return self.model.concepts
        return self.model.graph.observed if self.reads and self.model.graph is not None else ()

    def order(
        self, query: Query, rows: Int64[np.ndarray, " found"]
    ) -> tuple[Int64[np.ndarray, " found"], Float[np.ndarray, " found"]]:
        """Rows by what the query compares them with, the most alike first, and cosines; unscored ones are left out.

        Raises:
            BiosigError: If the model cannot make that comparison, or there is no such record or concept.
        """
        cosines = self._cosines(self._vector(query))[rows]
        known = np.flatnonzero(np.isfinite(cosines))
        best = known[np.argsort(-cosines[known], kind="stable")]
        return rows[best], cosines[best]

    def scores(self, row: int) -> list[Score]:
        """Of every concept, the most unusual first; none where the record has no vector."""
        vector = self.vector(row)
        if vector is None or not self.concepts:
            return []
        cosines = self._directions @ vector
        shares = [
            float(np.searchsorted(column, cosine)) / len(column)
            for column, cosine in zip(self._sorted, cosines, strict=True)
        ]
        found = [Score(*each) for each in zip(self.concepts, map(float, cosines), shares, strict=True)]
        return sorted(found, key=lambda score: -score.share)

    def vector(self, row: int) -> Float32[np.ndarray, " dim"] | None:
        """Of a record; None where its store has none."""
        for first, part in self._parts:
            if first <= row < first + len(part):
                return np.asarray(part[row - first])
        return None

    @cached_property
    def map(self) -> Float[np.ndarray, "row 2"]:
        """Each record in two dimensions; NaN where it has no vector."""
        stores = [self.catalogue.place(first)[0] for first, _ in self._parts]
        flat = places(self._vectors, self.projection, key(self.model, *stores), self._folder)
        return self._spread(flat)

    @cached_property
    def _vectors(self) -> Float32[np.ndarray, "known dim"]:
        return self._parts[0][1] if len(self._parts) == 1 else np.concatenate([part for _, part in self._parts])

    def _spread(self, values: Float32[np.ndarray, ...]) -> Float32[np.ndarray, ...]:
        """Values of records that have a vector, over all rows."""
        whole = np.full((len(self.catalogue), *values.shape[1:]), np.nan, dtype=np.float32)
        begin = 0
        for first, part in self._parts:
            whole[first : first + len(part)] = values[begin : begin + len(part)]
            begin += len(part)
        return whole

    @cached_property
    def _directions(self) -> Float32[np.ndarray, "concept dim"]:
        if self.model.concept is not None:
            return unit(self.model.encode_concepts())
        assert self.model.graph is not None
        return prompts(self.model.encode_text, self.model.graph, self.concepts).astype(np.float32)

    @cached_property
    def _sorted(self) -> Float32[np.ndarray, "concept known"]:
        return np.sort(self._directions @ self._vectors.T, axis=1)

    def _cosines(self, vector: Float32[np.ndarray, " dim"]) -> Float[np.ndarray, " row"]:
        return self._spread(self._vectors @ vector)

    def _vector(self, query: Query) -> Float32[np.ndarray, " dim"]:
        if query.by is Rank.SENTENCE:
            return self._said(query.to)
        if query.by is Rank.CONCEPT:
            return self._meant(query.to)
        store, _, record = query.to.partition("/")
        row = self.catalogue.row(store, record)
        if row is None:
            raise BiosigError(f"like: no record {query.to[:80]!r} in these stores")
        vector = self.vector(row)
        if vector is None:
            raise BiosigError(f"like: {query.to[:80]}: {self.refused[store]}")
        return vector

    def _meant(self, text: str) -> Float32[np.ndarray, " dim"]:
        if not self.concepts or self.model.graph is None:
            raise BiosigError("the model knows no concepts: it was pretrained without an ontology")
        concept = one(text, self.model.graph)
        if concept.id not in self.concepts:
            raise BiosigError(f"{concept.term}: an organiser, which the model has no vector for; pick one of its kinds")
        return np.asarray(self._directions[self.concepts.index(concept.id)])

    @lru_cache(maxsize=256)  # noqa: B019 -- one sight lives as long as the program
    def _said(self, text: str) -> Float32[np.ndarray, " dim"]:
        return np.asarray(unit(self.model.encode_text([text]))[0])
