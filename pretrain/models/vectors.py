"""A cache of text vectors on disk: append-only parts, each written whole or not at all."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float32
from safetensors import SafetensorError, safe_open

from pretrain.saving import save_tensors


class VectorCache:
    """Vectors by the text they stand for.

    A part is a safetensors file with the sha256 of its texts `keys (n, 32)` and their `vectors (n, dim)`. Parts are
    never changed, so any number of processes may read and write at once; the same text in two parts does no harm.

    Args:
        folder: Where the parts lie, one folder for each model. Made when the first part is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def get(self, texts: Sequence[str]) -> dict[str, Float32[np.ndarray, " dim"]]:
        """The vectors of those texts that are here."""
        wanted = {_key(text): text for text in texts}
        found: dict[str, Float32[np.ndarray, " dim"]] = {}
        for part in sorted(self.folder.glob("part-*.safetensors")):
            try:
                with safe_open(part, framework="numpy") as tensors:
                    keys = [row.tobytes() for row in tensors.get_tensor("keys")]
                    rows = [row for row, key in enumerate(keys) if key in wanted]
                    if rows:
                        vectors = tensors.get_tensor("vectors")
                        found.update((wanted[keys[row]], vectors[row]) for row in rows)
            except (SafetensorError, OSError, IndexError) as error:  # fewer vectors than keys
                warnings.warn(f"{part}: damaged part of the text cache left aside ({error})", stacklevel=2)
        return found

    def put(self, vectors: Mapping[str, Float32[np.ndarray, " dim"]]) -> None:
        """Add vectors as one new part."""
        keys = np.stack([np.frombuffer(_key(text), dtype=np.uint8) for text in vectors])
        name = hashlib.sha256(keys.tobytes()).hexdigest()[:16]
        self.folder.mkdir(parents=True, exist_ok=True)
        save_tensors(
            {"keys": keys, "vectors": np.stack(list(vectors.values()))}, self.folder / f"part-{name}.safetensors"
        )


def cache_folder() -> Path:
    """Where caches lie: `$BIOSIG_CACHE`, or `biosig` under `$XDG_CACHE_HOME` or `~/.cache`."""
    if folder := os.environ.get("BIOSIG_CACHE"):
        return Path(folder)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "biosig"


def _key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
