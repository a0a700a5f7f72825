"""Files that are whole or not there: written under another name, flushed to the disk, renamed."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import safetensors.torch
from jaxtyping import Shaped
from torch import Tensor


def save_bytes(content: bytes, path: Path) -> None:
    """Write a file atomically: a reader, or a crash, finds the old file or the new one."""
    descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".partial", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(0o644)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def save_json(content: object, path: Path) -> None:
    """Write JSON atomically, with sorted keys so that equal content is equal bytes."""
    save_bytes(
        json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n", path
    )


def load_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        ValueError: If it is not JSON.
        OSError: If it cannot be read.
    """
    return json.loads(path.read_text(encoding="utf-8"))


def save_tensors(tensors: Mapping[str, Tensor] | Mapping[str, Shaped[np.ndarray, ...]], path: Path) -> None:
    """Write tensors atomically as safetensors, in order of name."""
    torch_tensors = {k: v.detach().cpu().contiguous() for k, v in sorted(tensors.items()) if isinstance(v, Tensor)}
    arrays = {k: np.ascontiguousarray(v) for k, v in sorted(tensors.items()) if not isinstance(v, Tensor)}
    if torch_tensors and arrays:
        raise TypeError("expected tensors or arrays, got both")
    save_bytes(safetensors.numpy.save(arrays) if arrays else safetensors.torch.save(torch_tensors), path)
