"""Finished folds as lines of JSON: an interrupted experiment goes on from here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from biosig.errors import BiosigError


@dataclass(frozen=True)
class Finished:
    """One row, one fold, one seed.

    Attributes:
        row: Its name.
        fold: The place of the fold.
        seed: Of the repetition.
        trials: Those tested.
        probabilities: Of each class, for each of those trials, by variant.
        details: What was chosen.
        seconds: Of work.
    """

    row: str
    fold: int
    seed: int
    trials: tuple[int, ...]
    probabilities: Mapping[str, list[list[float]]]
    details: Mapping[str, Any]
    seconds: float

    @property
    def key(self) -> tuple[str, int, int]:
        """What it is of."""
        return (self.row, self.fold, self.seed)


class Log:
    """`folds.jsonl`: the first line says which experiment it is, every other one is a finished fold.

    Args:
        path: The file.
        experiment: What decides the numbers, as JSON has it; a file of another experiment is refused.

    Raises:
        BiosigError: If the file is of another experiment, naming what differs.
    """

    def __init__(self, path: Path, experiment: Mapping[str, Any]) -> None:
        self.path = path
        self.finished: dict[tuple[str, int, int], Finished] = {}
        head = json.loads(json.dumps(experiment))
        if path.is_file():
            self._read(head)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(head) + "\n", encoding="utf-8")

    def add(self, found: Finished) -> None:
        """Write a line."""
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(asdict(found), allow_nan=False) + "\n")
        self.finished[found.key] = found

    def of(self, rows: Iterable[str], seeds: Iterable[int]) -> list[Finished]:
        """The finished folds of some rows and seeds."""
        wanted = set(rows), set(seeds)
        return [one for one in self.finished.values() if one.row in wanted[0] and one.seed in wanted[1]]

    def _read(self, head: Mapping[str, Any]) -> None:
        first, *lines = self.path.read_text(encoding="utf-8").splitlines(keepends=True) or [""]
        try:
            before = json.loads(first)
        except ValueError:
            before = None
        if not isinstance(before, dict):
            raise BiosigError(f"{self.path}: line 1: expected what experiment it is of, got {first[:60]!r}")
        for field in {**head, **before}:
            if before.get(field) != head.get(field):
                raise BiosigError(
                    f"{self.path}: is of an experiment with {field} {before.get(field)!r}, not {head.get(field)!r}; "
                    "give another --out, or remove the folder"
                )
        whole = [first]
        for number, line in enumerate(lines, start=2):
            if not line.endswith("\n"):
                break  # the last line of a run that was killed while it wrote
            one = self._finished(line, number)
            self.finished[one.key] = one
            whole.append(line)
        if len(whole) <= len(lines):
            self.path.write_text("".join(whole), encoding="utf-8")

    def _finished(self, line: str, number: int) -> Finished:
        try:
            found = json.loads(line)
            return Finished(**{**found, "trials": tuple(found["trials"])})
        except (ValueError, TypeError, KeyError) as error:
            raise BiosigError(f"{self.path}: line {number}: expected a finished fold, got {line[:60]!r}") from error
