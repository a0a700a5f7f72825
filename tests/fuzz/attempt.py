"""One damaged file given to one parser."""

from __future__ import annotations

import random
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from biosig.errors import BiosigError
from ontology.errors import OntologyError
from tests.fuzz.mutate import mutate
from tests.fuzz.targets import Target


@dataclass(frozen=True)
class Attempt:
    """A parser with its sound files in a folder.

    Attributes:
        target: The parser.
        file: What is damaged.
        sound: Its bytes as they were.
    """

    target: Target
    file: Path
    sound: bytes

    def damaged(self, seed: int) -> bytes:
        """The file damaged in the way of that number."""
        return mutate(random.Random(seed), self.sound)

    def run(self, content: bytes) -> bool:
        """Read the file with other bytes; whether they were accepted.

        Raises:
            Exception: Whatever escapes the parser; the bytes are in the file then.
        """
        self.file.write_bytes(content)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.target.parse(self.file)
        except (BiosigError, OntologyError) as error:
            if "\n" in str(error):
                raise AssertionError(f"several lines: {error}") from error
            return False
        return True


@contextmanager
def prepared(target: Target) -> Iterator[Attempt]:
    """The parser's files in a folder of their own; they are read once as they are, which must succeed."""
    with tempfile.TemporaryDirectory() as folder:
        file = target.make(Path(folder))
        target.parse(file)
        yield Attempt(target, file, file.read_bytes())
