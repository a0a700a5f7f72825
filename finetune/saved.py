"""What every fine-tuned model does when it is loaded: a typed configuration, and tensors that fit it, or one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from safetensors import SafetensorError

from pretrain.errors import ModelError
from pretrain.saving import load_json
from pretrain.specs.architecture import Spec

Config = TypeVar("Config", bound=Spec)


def load_config(path: Path, kind: type[Config], *, what: str, command: str) -> Config:
    """The configuration of a folder.

    Args:
        path: Its file, written last: a folder without it is no such model.
        kind: Of the configuration.
        what: The model in a word or two, as in `delineator`.
        command: Which makes one.

    Raises:
        ModelError: If it is not there, not JSON, or a field is not what it must be.
    """
    if not path.is_file():
        raise ModelError(f"{path.parent}: not a biosig {what}: there is no {path.name}; `biosig {command}` makes one")
    try:
        return kind.model_validate(load_json(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise ModelError(f"{path}: {field}: {first['msg']}, got {first.get('input')!r:.80}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not JSON: {error}") from error


@contextmanager
def fitting(tensors: Path, config: str) -> Iterator[None]:
    """Reading a file of tensors into what the configuration describes.

    Raises:
        ModelError: If a tensor is missing, superfluous or of another shape, or the file cannot be read.
    """
    try:
        yield
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise ModelError(f"{tensors}: does not fit {config}: {' '.join(str(error).split())}") from error
