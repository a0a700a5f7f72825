"""The vectors of every record of a store, computed once and kept on disk."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from biosig.plot.embedding import Projection, project
from biosig.store import Store
from pretrain.models.fingerprint import fingerprint
from pretrain.models.foundation import FoundationModel, Space
from pretrain.saving import save_bytes, writing


def embeddings(
    model: FoundationModel, store: Store, folder: Path, *, progress: bool = False
) -> Float32[np.ndarray, "record dim"]:
    """All records of a store on the model's sphere, memory-mapped from a file that is made where it is missing.

    The file's name is a digest of the model's configuration, its answers to a fixed input, and the store: another
    model or another store never finds it. It is written whole or not at all; a damaged one is made again.

    Args:
        model: On its device.
        store: Prepared as the model's training data were.
        folder: Where the files lie.
        progress: Whether to show a bar.

    Raises:
        ModelError: If the store was prepared in another way.
        TrainingError: If the file cannot be written.
    """
    model.config.intake.check_store(store)
    return _kept(
        folder / f"{key(model, store)}.npy",
        (len(store), model.config.architecture.dim),
        lambda: model.encode(store, space=Space.SPHERE, progress=progress),
    )


def key(model: FoundationModel, *stores: Store) -> str:
    """What tells a model and some stores from all others."""
    answers = model.config.fingerprint or fingerprint(model)
    stated = model.config.model_dump(mode="json", exclude={"fingerprint", "tolerance"})
    said = json.dumps([stated, answers, [store.fingerprint for store in stores]], sort_keys=True)
    return hashlib.sha256(said.encode()).hexdigest()[:40]


def places(
    vectors: Float32[np.ndarray, "record dim"], projection: Projection, name: str, folder: Path
) -> Float32[np.ndarray, "record 2"]:
    """Vectors in two dimensions, kept in the same way.

    Args:
        vectors: Of all records.
        projection: How.
        name: The `key` of the model and the stores.
        folder: Where the files lie.
    """
    return _kept(
        folder / f"{name}.{projection}.npy",
        (len(vectors), 2),
        lambda: project(np.asarray(vectors, dtype=float), projection).astype(np.float32),
    )


def _kept(
    path: Path, shape: tuple[int, int], make: Callable[[], Float32[np.ndarray, "row column"]]
) -> Float32[np.ndarray, "row column"]:
    if (found := _load(path, shape)) is not None:
        return found
    made = make()
    with writing(path, made.nbytes):
        path.parent.mkdir(parents=True, exist_ok=True)
        buffer = io.BytesIO()
        np.save(buffer, made, allow_pickle=False)
        save_bytes(buffer.getvalue(), path)
    found = _load(path, shape)
    return made if found is None else found


def _load(path: Path, shape: tuple[int, int]) -> Float32[np.ndarray, "row column"] | None:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    # The header is an expression of Python, and numpy trips over a damaged one in every way there is.
    except Exception:  # noqa: BLE001 -- as above
        return None
    return found if found.shape == shape and found.dtype == np.float32 else None
