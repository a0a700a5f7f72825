"""What a library says of a file it cannot read, in our words."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from biosig.errors import RecordError


@contextmanager
def refusing(path: Path, field: str = "content") -> Iterator[None]:
    """Turn whatever a library raises over a file into a RecordError, and keep its warnings to itself.

    Raises:
        RecordError: Naming the file and the library's own first line.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except RecordError:
        raise
    # Parsers of binary formats trip over a damaged file in every way there is.
    except Exception as error:
        said = str(error).strip().splitlines()
        reason = f"{type(error).__name__}: {said[0] if said else 'no reason given'}"
        raise RecordError(path, field, "what the format allows", reason) from error
