"""What every fine-tuned model does when it is loaded: a typed configuration, and tensors that fit it, or one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError
from safetensors import SafetensorError

from biosig.errors import one_line
from pretrain.errors import ModelError
from pretrain.saving import check_digests, digests, load_sealed, save_sealed
from pretrain.specs.architecture import Spec

Config = TypeVar("Config", bound=Spec)

_FILES = "files"


def save_config(config: Spec, path: Path, beside: Sequence[str]) -> None:
    """Write the configuration of a folder, with its own digest and those of the files that it describes.

    Args:
        config: Everything but weights.
        path: Its file.
        beside: Names of the other files, as far as they are there.
    """
    save_sealed({**config.model_dump(mode="json"), _FILES: digests(path.parent, beside)}, path)


def load_config(path: Path, kind: type[Config], *, what: str, command: str, beside: Sequence[str]) -> Config:
    """The configuration of a folder.

    Args:
        path: Its file, written last: a folder without it is no such model.
        kind: Of the configuration.
        what: The model in a word or two, as in `delineator`.
        command: Which makes one.
        beside: As it was saved with: weights of another model of the same shape would answer as well.

    Raises:
        ModelError: If it is not there, not JSON, was changed, a field is not what it must be, or a file beside it is
            not the one it was saved with.
    """
    if not path.is_file():
        raise ModelError(f"{path.parent}: not a biosig {what}: there is no {path.name}; `biosig {command}` makes one")
    try:
        content, wrong = load_sealed(path)
        files = content.pop(_FILES, None) if isinstance(content, dict) else None
        config = kind.model_validate(content)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = one_line(".".join(str(part) for part in first["loc"]))
        raise ModelError(f"{path}: {field}: {first['msg']}, got {first.get('input')!r:.80}") from error
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: not JSON: {error}") from error
    if wrong is not None:
        raise ModelError(f"{path}: {wrong}; whoever changed it on purpose takes its sha256 out")
    if files is not None:  # models of before have no digests
        try:
            check_digests(path.parent, beside, files)
        except ValueError as error:
            raise ModelError(f"{path.parent}: {error}") from error
    return config


@contextmanager
def fitting(tensors: Path, config: str) -> Iterator[None]:
    """Building what the configuration describes, and reading a file of tensors into it.

    Raises:
        ModelError: If it cannot be built, a tensor is missing, superfluous or of another shape, or the file cannot be
            read.
    """
    try:
        yield
    except (OSError, SafetensorError, KeyError, RuntimeError, ValueError, TypeError, OverflowError) as error:
        raise ModelError(f"{tensors}: does not fit {config}: {' '.join(str(error).split())}") from error
