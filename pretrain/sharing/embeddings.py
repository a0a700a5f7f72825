"""Embeddings of recordings as a Parquet table: streamed, whole or not there, and saying what they were made of and by.

    record, subject, session, corpus   as in the store; of a file, its name and nothing else
    fold                               of the store; null for a file without one
    concepts                           SNOMED-CT identifiers
    start                              seconds; only in a table of windows
    embedding                          float32, a list of fixed length

The key `biosig` of the file's metadata holds JSON: the version, the model (`identity`), its rate and window, the space,
and corpus, licence and SHA-256 of each store.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Float32, Float64

from biosig.recording import Recording
from biosig.store import Store
from pretrain.errors import ModelError
from pretrain.models.foundation import FoundationModel, Space
from pretrain.models.plan import Plan
from pretrain.saving import writing
from pretrain.sharing.identity import identity

if TYPE_CHECKING:
    import pyarrow as pa

# Records that are in memory at a time, and windows that go through the encoder together.
_CHUNK, _BATCH = 256, 64
_COLUMNS = ("record", "subject", "session", "corpus", "fold", "concepts")


@dataclass(frozen=True)
class Written:
    """What a table holds.

    Attributes:
        rows: How many.
        dim: Numbers in an embedding.
    """

    rows: int
    dim: int


def write_embeddings(
    model: FoundationModel,
    sources: Sequence[Store | Iterable[Recording]],
    out: str | Path,
    *,
    space: Space = Space.FEATURES,
    windows: bool = False,
    advance: Callable[[int], None] = lambda _: None,
    left_out: Callable[[ModelError], None] | None = None,
) -> Written:
    """Write a row a recording, or a row a window; no file if not one recording can be embedded.

    Args:
        model: In any mode; it is left in evaluation mode.
        sources: Stores that went through the model's preprocessing, or recordings as they were read.
        out: The file; one that is there is replaced when the new one is whole.
        space: The encoder's features, or the sphere.
        windows: A row for each of the windows that cover a recording, instead of their mean.
        advance: Told how many records are done.
        left_out: Told of a recording that the model does not take, which has no row then; without it, it is an error.

    Raises:
        ModelError: If a store is not what the model was made for.
        TrainingError: If the file cannot be written.

    Example:
        >>> write_embeddings(model, [Store("ludb.store")], "ludb.parquet")
        >>> table = pandas.read_parquet("ludb.parquet")
        >>> numpy.stack(table["embedding"]).shape
        (200, 512)
    """
    import pyarrow.parquet as pq  # noqa: PLC0415  slow to import

    out = Path(out)
    stores = [source for source in sources if isinstance(source, Store)]
    for store in stores:
        model.config.intake.check_store(store)
    dim = model.config.architecture.dim if space is Space.SPHERE else model.signal.encoder.dim
    schema = _schema(dim, windows).with_metadata({"biosig": json.dumps(_about(model, stores, space, windows))})
    partial = out.with_name(f".{out.name}.partial")
    rows = 0
    try:
        with writing(out), pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for source in sources:
                parts = _of_store(model, source) if isinstance(source, Store) else _of_files(model, source, left_out)
                for facts, plan, done in parts:
                    if plan is not None:
                        vectors = _vectors(model, plan, space)
                        if windows:
                            starts = plan.starts / model.config.intake.sampling_rate
                            part = _table(_each(facts, plan) | {"start": starts.tolist()}, vectors, schema)
                        else:
                            part = _table(facts, _means(vectors, plan, space), schema)
                        writer.write_table(part)
                        rows += len(part)
                    advance(done)
        if rows:
            with writing(out):
                partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return Written(rows, dim)


_Facts = dict[str, list[Any]]


def _of_store(model: FoundationModel, store: Store) -> Iterator[tuple[_Facts, Plan, int]]:
    columns = store.frame(*_COLUMNS)
    for first in range(0, len(store), _CHUNK):
        rows = np.arange(first, min(first + _CHUNK, len(store)))
        facts = {name: columns[name].iloc[rows].tolist() for name in _COLUMNS}
        yield facts, model.config.intake.plan(store, rows), len(rows)


def _of_files(
    model: FoundationModel, recordings: Iterable[Recording], left_out: Callable[[ModelError], None] | None
) -> Iterator[tuple[_Facts, Plan | None, int]]:
    for one in recordings:
        fold = one.meta.get("fold")
        values = (one.record_id, one.subject_id, one.session, "", fold, sorted(one.concepts))
        try:
            plan = model.config.intake.plan(one)
        except ModelError as error:
            if left_out is None:
                raise
            left_out(error)
            yield {}, None, 1
            continue
        yield {name: [value] for name, value in zip(_COLUMNS, values, strict=True)}, plan, 1


@torch.inference_mode()
def _vectors(model: FoundationModel, plan: Plan, space: Space) -> Float32[np.ndarray, "window dim"]:
    model.eval()
    found = []
    for _, batch in plan.batches(_BATCH):
        pooled = model.embed({name: value.to(model.device) for name, value in batch.items()})
        found.append((model.signal(pooled) if space is Space.SPHERE else pooled).float().cpu().numpy())
    return np.concatenate(found)


def _means(vectors: Float32[np.ndarray, "window dim"], plan: Plan, space: Space) -> Float64[np.ndarray, "record dim"]:
    """As `FoundationModel.encode` has it."""
    sums = np.zeros((plan.records, vectors.shape[1]))
    np.add.at(sums, plan.owners, vectors)
    means = sums / np.bincount(plan.owners, minlength=plan.records)[:, None]
    if space is Space.SPHERE:
        means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    return means


def _each(facts: _Facts, plan: Plan) -> _Facts:
    """What is known of the owner of each window."""
    return {name: [values[owner] for owner in plan.owners] for name, values in facts.items()}


def _table(facts: _Facts, vectors: Float[np.ndarray, "row dim"], schema: pa.Schema) -> pa.Table:
    import pyarrow as pa  # noqa: PLC0415

    flat = pa.array(np.ascontiguousarray(vectors, dtype=np.float32).reshape(-1))
    embedding = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    columns = [pa.array(facts[field.name], type=field.type) for field in schema if field.name != "embedding"]
    return pa.Table.from_arrays([*columns, embedding], schema=schema)


def _schema(dim: int, windows: bool) -> pa.Schema:
    import pyarrow as pa  # noqa: PLC0415

    text = pa.string()
    kinds = {"fold": pa.int32(), "concepts": pa.list_(text)}
    fields = [pa.field(name, kinds.get(name, text)) for name in _COLUMNS]
    fields += [pa.field("start", pa.float64())] if windows else []
    return pa.schema([*fields, pa.field("embedding", pa.list_(pa.float32(), dim))])


def _about(model: FoundationModel, stores: Sequence[Store], space: Space, windows: bool) -> dict[str, Any]:
    intake = model.config.intake
    return {
        "version": version("biosig"),
        "model": identity(model),
        "sampling_rate": intake.sampling_rate,
        "window_seconds": intake.window_seconds,
        "space": space.value,
        "rows": "windows" if windows else "records",
        "stores": [
            {"corpus": one.info.corpus.name, "licence": one.info.corpus.licence, "sha256": one.fingerprint}
            for one in stores
        ],
    }
