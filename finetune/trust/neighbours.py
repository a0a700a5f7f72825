"""Training records that an input is most like, with their findings: what an answer may be checked against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
from jaxtyping import Float, Float32, Int

from ontology.terms import term
from pretrain.errors import ModelError

if TYPE_CHECKING:
    from biosig.store import Store
    from finetune.trust.novelty import Novelty
    from ontology.graph import ConceptGraph


@dataclass(frozen=True)
class Neighbour:
    """A training record that is like an input.

    Attributes:
        record: Its name, unique in its corpus.
        corpus: Of which.
        concepts: SNOMED-CT ids of its findings, as its labels state them.
        findings: Their terms.
        similarity: The cosine of both vectors: 1 for the record itself, 0 for one that has nothing to do with it.
    """

    record: str
    corpus: str
    concepts: tuple[str, ...]
    findings: tuple[str, ...]
    similarity: float


@dataclass(frozen=True)
class Neighbours:
    """Records by the direction of their features from the mean of the training records, each number in its own unit.

    Attributes:
        vectors: `(record, dim)`, features as the encoder gives them.
        mean: Of the training features.
        deviation: Of each of their numbers.
        records: Names.
        corpora: Of each.
        concepts: Of each.
        findings: Of each.
    """

    vectors: Float32[np.ndarray, "record dim"]
    mean: Float32[np.ndarray, " dim"]
    deviation: Float32[np.ndarray, " dim"]
    records: Sequence[str]
    corpora: Sequence[str]
    concepts: Sequence[Sequence[str]]
    findings: Sequence[Sequence[str]]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_units", self._directions(self.vectors))

    @classmethod
    def of(
        cls,
        store: Store,
        rows: Int[np.ndarray, " row"],
        features: Float32[np.ndarray, "row dim"],
        novelty: Novelty,
        graph: ConceptGraph,
    ) -> Self:
        """Some records of a store, with what their labels state, measured as novelty is."""
        frame = store.frame("record", "corpus", "concepts").iloc[rows]
        concepts = [tuple(one) for one in frame["concepts"]]
        terms = [tuple(graph[id_].term if id_ in graph else term(id_) or id_ for id_ in one) for one in concepts]
        records, corpora = (frame[column].astype(str).tolist() for column in ("record", "corpus"))
        return cls(features, novelty.mean, novelty.deviation, records, corpora, concepts, terms)

    def __len__(self) -> int:
        return len(self.records)

    def nearest(self, features: Float[np.ndarray, "row dim"], k: int) -> list[tuple[Neighbour, ...]]:
        """The k records most like each input, the most alike first; equals in the order of the records."""
        units: np.ndarray = self._units  # type: ignore[attr-defined]  # made once, in `__post_init__`
        similarity = self._directions(features) @ units.T
        return [tuple(self._one(place, row[place]) for place in _largest(row, k)) for row in similarity]

    def _directions(self, features: Float[np.ndarray, "row dim"]) -> Float32[np.ndarray, "row dim"]:
        away = (features - self.mean) / self.deviation
        found: np.ndarray = (away / np.maximum(np.linalg.norm(away, axis=1, keepdims=True), 1e-12)).astype(np.float32)
        return found

    def _one(self, place: int, similarity: float) -> Neighbour:
        return Neighbour(
            self.records[place],
            self.corpora[place],
            tuple(self.concepts[place]),
            tuple(self.findings[place]),
            float(np.clip(similarity, -1, 1)),
        )

    def save(self, path: Path) -> None:
        """Write them as Parquet, a row a record; read it with any tool."""
        import pyarrow as pa  # noqa: PLC0415 -- for the few that write one
        import pyarrow.parquet as pq  # noqa: PLC0415 -- as above

        from pretrain.saving import save_bytes  # noqa: PLC0415 -- as above

        columns = {
            "record": pa.array(list(self.records), pa.string()),
            "corpus": pa.array(list(self.corpora), pa.string()),
            "concepts": pa.array([list(one) for one in self.concepts], pa.list_(pa.string())),
            "findings": pa.array([list(one) for one in self.findings], pa.list_(pa.string())),
            "vector": pa.FixedSizeListArray.from_arrays(
                pa.array(self.vectors.ravel(), pa.float32()), self.vectors.shape[1]
            ),
        }
        sink = pa.BufferOutputStream()
        pq.write_table(pa.table(columns), sink, compression="zstd")
        save_bytes(sink.getvalue().to_pybytes(), path)

    @classmethod
    def load(cls, path: Path, mean: Float32[np.ndarray, " dim"], deviation: Float32[np.ndarray, " dim"]) -> Self:
        """Read them.

        Args:
            path: As `save` wrote it.
            mean: Of the training features.
            deviation: Of each of their numbers.

        Raises:
            ModelError: If the file is damaged, or its vectors are not of this diagnoser's encoder.
        """
        import pyarrow as pa  # noqa: PLC0415 -- a diagnoser may have none
        import pyarrow.parquet as pq  # noqa: PLC0415 -- as above

        try:
            # Not `read_table`, which loads half a second of what several files need.
            with pq.ParquetFile(path) as file:
                table = file.read()
            dim = table.schema.field("vector").type.list_size
            columns = [table[name].to_pylist() for name in ("record", "corpus", "concepts", "findings")]
            vectors = np.from_dlpack(table["vector"].combine_chunks().flatten()).reshape(-1, dim)
        except (OSError, pa.ArrowException, KeyError, AttributeError, TypeError) as error:
            raise ModelError(f"{path}: training records that cannot be read: {' '.join(str(error).split())}") from error
        if dim != len(mean):
            raise ModelError(f"{path}: vector: expected {len(mean)} numbers each, got {dim}")
        return cls(vectors, mean, deviation, *columns)


def _largest(values: Float[np.ndarray, " record"], k: int) -> list[int]:
    """The places of the k largest, in falling order; of equals the first."""
    k = min(k, len(values))
    if not k:
        return []
    least = np.partition(values, len(values) - k)[len(values) - k]
    candidates = np.flatnonzero(values >= least)
    order: list[int] = candidates[np.argsort(-values[candidates], kind="stable")][:k].tolist()
    return order
