"""Files and folders that are whole or not there: written under another name, flushed to the disk, renamed.

A rename is on the disk only when its folder is; so folders are flushed as well. What a writer that was killed leaves
has a name that ends in `.partial`.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
import safetensors.torch
from jaxtyping import Shaped
from torch import Tensor

from biosig.sealed import SEAL, broken, sealed
from biosig.store.layout import digest
from pretrain.errors import TrainingError

PARTIAL = ".partial"
_FULL = {errno.ENOSPC, errno.EDQUOT}


@contextmanager
def writing(path: Path, needed: int | None = None) -> Iterator[None]:
    """What the system says when something cannot be written, in one line.

    Args:
        path: What is written.
        needed: Its bytes, if they are known.

    Raises:
        TrainingError: Naming the path; where the disk is full, with the room that is needed and the room there is.
    """
    try:
        yield
    except OSError as error:
        raise TrainingError(refusal(path, error, needed)) from error


def refusal(path: Path, error: OSError, needed: int | None = None) -> str:
    """See `writing`."""
    reason = error.strerror or type(error).__name__
    if error.errno in _FULL:
        there = next(folder for folder in (path, *path.absolute().parents) if folder.is_dir())
        wanted = "" if needed is None else f"{_megabytes(needed)} are needed, "
        reason += f" ({wanted}{_megabytes(shutil.disk_usage(there).free)} are free)"
    return f"{path}: cannot be written: {reason}"


@contextmanager
def whole_folder(path: Path, *, new: bool = False) -> Iterator[Path]:
    """A folder to fill that gets its name when all of it is on the disk; one that has the name already goes first.

    Its files must be on the disk when the block ends; those of `save_bytes` are.

    Args:
        path: The folder.
        new: Fail if somebody else makes it meanwhile.
    """
    partial = partial_name(path)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir(parents=True)
        yield partial
        _flush(partial)
        if not new:
            remove_folder(path)
        partial.rename(path)
        _flush(path.parent)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise


def remove_folder(path: Path) -> None:
    """Remove a folder, if it is there, so that it never looks whole when half of it is gone."""
    if path.exists():
        doomed = partial_name(path.with_name(f"{path.name}.old"))
        shutil.rmtree(doomed, ignore_errors=True)
        path.rename(doomed)
        shutil.rmtree(doomed)


def remove_remains(folder: Path) -> None:
    """Remove what writers that were killed have left in a folder."""
    for remains in folder.glob(f".*{PARTIAL}"):
        shutil.rmtree(remains) if remains.is_dir() else remains.unlink()


def partial_name(path: Path) -> Path:
    """What a folder is called while it is filled."""
    return path.with_name(f".{path.name}{PARTIAL}")


def _flush(folder: Path) -> None:
    """Put the names in a folder on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def save_bytes(content: bytes, path: Path) -> None:
    """Write a file atomically: a reader, or a crash, finds the old file or the new one."""
    descriptor, partial = tempfile.mkstemp(prefix=f".{path.name}.", suffix=PARTIAL, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(0o644)
        Path(partial).replace(path)
        _flush(path.parent)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def save_json(content: object, path: Path) -> None:
    """Write JSON atomically, with sorted keys so that equal content is equal bytes."""
    save_bytes(json_bytes(content), path)


def json_bytes(content: object) -> bytes:
    """What `save_json` writes."""
    return json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False).encode() + b"\n"


def load_json(path: Path) -> Any:
    """Read JSON.

    Raises:
        ValueError: If it is not JSON.
        OSError: If it cannot be read.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested more deeply than anything we write") from None


def _refuse(word: str) -> None:
    """Python reads NaN and Infinity, which are no JSON and which we never write."""
    raise ValueError(f"expected finite numbers, got {word}")


def save_sealed(content: Mapping[str, Any], path: Path) -> None:
    """`save_json` with the document's own digest in it."""
    save_json(sealed(content), path)


def load_sealed(path: Path) -> tuple[Any, str | None]:
    """A document without its digest, and what is wrong with that: for who reads on may know a plainer reason.

    Raises:
        ValueError: If it is not JSON.
        OSError: If it cannot be read.
    """
    content = load_json(path)
    if not isinstance(content, dict):
        return content, None
    wrong = broken(content)
    return {name: value for name, value in content.items() if name != SEAL}, wrong


def digests(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """SHA-256 of those files of a folder that are there."""
    return {name: digest(folder / name) for name in names if (folder / name).is_file()}


def check_digests(folder: Path, names: Iterable[str], stated: Any) -> None:
    """That files of a folder are those of which a document states digests; a file that is not there is not looked at.

    Raises:
        ValueError: Naming a file that is another.
    """
    for name, found in digests(folder, names).items():
        expected = stated.get(name) if isinstance(stated, dict) else stated
        if found != expected:
            raise ValueError(f"{name}: not the file that was saved with this: expected {expected!r:.80}, got {found!r}")


def save_tensors(tensors: Mapping[str, Tensor] | Mapping[str, Shaped[np.ndarray, ...]], path: Path) -> None:
    """Write tensors atomically as safetensors, in order of name."""
    torch_tensors = {k: v.detach().cpu().contiguous() for k, v in sorted(tensors.items()) if isinstance(v, Tensor)}
    arrays = {k: np.ascontiguousarray(v) for k, v in sorted(tensors.items()) if not isinstance(v, Tensor)}
    if torch_tensors and arrays:
        raise TypeError("expected tensors or arrays, got both")
    save_bytes(safetensors.numpy.save(arrays) if arrays else safetensors.torch.save(torch_tensors), path)
