"""Who is on which side: the check before a training, and the list a model keeps of whom it has seen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Int

from biosig.splits import Role
from biosig.store import Store
from pretrain.errors import ModelError, TrainingError
from pretrain.saving import load_json, save_bytes

#: Roles whose records may not share a subject with training.
_HELD_OUT: tuple[Role, ...] = ("validation", "test")


def check_subjects(stores: Mapping[str, Store]) -> None:
    """That nobody who trains also validates or tests, in one store or across stores of one corpus.

    Args:
        stores: By the name to print.

    Raises:
        TrainingError: Naming the subject and both stores.
    """
    trains: dict[tuple[str, str], str] = {}
    for name, store in stores.items():
        trains |= dict.fromkeys(_people(store, store.rows("train")), name)
    for name, store in stores.items():
        for role in _HELD_OUT:
            both = [person for person in _people(store, store.rows(role)) if person in trains]
            if both:
                corpus, subject = min(both)
                raise TrainingError(
                    f"{name}: subject {subject!r} of {corpus} is in the {role} role and also trains in "
                    f"{trains[both[0] if len(both) == 1 else (corpus, subject)]} ({len(set(both))} such subjects)"
                )


def held_out_waveforms(stores: Iterable[Store]) -> set[bytes]:
    """The waveform fingerprints of all records that validate or test."""
    return {
        waveform
        for store in stores
        for role in _HELD_OUT
        for waveform in fingerprints(store, store.rows(role))
        if waveform
    }


@dataclass(frozen=True)
class TrainingSet:
    """Whom a model has seen, as hashes: 16 hexadecimal digits of SHA-256.

    Attributes:
        subjects: Of corpus and subject.
        waveforms: Of the waveform fingerprints of the store, which know a record again under another name: the
            same bits, not near ones. A copy at another gain has them, as a rule; one that was filtered otherwise may
            not, one that starts at another moment has not. `biosig audit` of all stores together finds the second kind
            as well.
    """

    subjects: frozenset[str]
    waveforms: frozenset[str]

    @classmethod
    def of(cls, stores: Sequence[Store], rows: Sequence[Int[np.ndarray, " _"]]) -> TrainingSet:
        """The given rows of each store."""
        pairs = list(zip(stores, rows, strict=True))
        return cls(
            frozenset(_subject(*person) for store, part in pairs for person in _people(store, part)),
            frozenset(_digest(waveform) for store, part in pairs for waveform in fingerprints(store, part) if waveform),
        )

    def __or__(self, other: TrainingSet) -> TrainingSet:
        """Whoever one of the two has seen."""
        return TrainingSet(self.subjects | other.subjects, self.waveforms | other.waveforms)

    def seen(self, store: Store) -> np.ndarray:
        """For each row of a store, whether its subject or its waveform was trained on: `(n,)` bool."""
        every = np.arange(len(store))
        subjects = [_subject(*person) in self.subjects for person in _people(store, every)]
        copies = [bool(waveform) and _digest(waveform) in self.waveforms for waveform in fingerprints(store, every)]
        return np.array(subjects, dtype=bool) | np.array(copies, dtype=bool)

    @property
    def sha256(self) -> str:
        """Of the file that `save` writes."""
        return hashlib.sha256(self._content()).hexdigest()

    def save(self, path: Path) -> None:
        """Write it."""
        save_bytes(self._content(), path)

    def _content(self) -> bytes:
        return json.dumps({"subjects": sorted(self.subjects), "waveforms": sorted(self.waveforms)}, indent=0).encode()

    @classmethod
    def load(cls, path: Path, sha256: str) -> TrainingSet:
        """Read it.

        Raises:
            ModelError: If it is missing, or not the file of that hash: nobody could say who was seen.
        """
        try:
            found = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise ModelError(f"{path}: cannot be read: {error}") from error
        if found != sha256:
            raise ModelError(f"{path}: expected the file of sha256 {sha256:.12}, got {found:.12}")
        try:
            content = load_json(path)
            return cls(frozenset(content["subjects"]), frozenset(content["waveforms"]))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise ModelError(f"{path}: cannot be read: {error}") from error


def _people(store: Store, rows: Int[np.ndarray, " row"]) -> list[tuple[str, str]]:
    people = store.subjects
    return [people[row] for row in rows.tolist()]


def fingerprints(store: Store, rows: Int[np.ndarray, " row"]) -> list[bytes]:
    """The waveform fingerprints of those rows; empty where a store has none."""
    found = store.fingerprints
    return [found[row] or b"" for row in rows.tolist()]


def _subject(corpus: str, subject: str) -> str:
    return _digest(f"{corpus}\0{subject}".encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
