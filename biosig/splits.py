"""Which fold trains, which validates, which tests: made once, by subject, and the same for everyone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

Role = Literal["train", "validation", "test", "unused"]


@dataclass(frozen=True)
class Split:
    """What each numbered fold is for.

    A fold that is named nowhere is `unused`: its records are read and stored, but take no side.

    Raises:
        ValueError: If a fold has two roles.
    """

    train: tuple[int, ...] = (1, 2, 3, 4, 5, 6)
    validation: tuple[int, ...] = (7,)
    test: tuple[int, ...] = (8, 9, 10)

    def __post_init__(self) -> None:
        folds = (*self.train, *self.validation, *self.test)
        if twice := sorted({fold for fold in folds if folds.count(fold) > 1}):
            raise ValueError(f"fold {twice[0]} has more than one role: {self}")

    def role(self, fold: int) -> Role:
        """What the records of this fold are for."""
        if fold in self.train:
            return "train"
        if fold in self.validation:
            return "validation"
        return "test" if fold in self.test else "unused"


def hashed_fold(corpus: str, subject_id: str, n: int = 10) -> int:
    """The fold, 1 to n, of a subject of a corpus without official folds.

    It depends on the two names alone, so it is the same on every machine, in every order, and stays when records are
    added: fold = 1 + (first 8 bytes of SHA-256 of both names) mod n.

    Raises:
        ValueError: If the subject has no name: unnamed people cannot be kept apart.
    """
    if not subject_id:
        raise ValueError(f"{corpus}: a subject without a name cannot be given a fold")
    digest = hashlib.sha256(f"{corpus}\0{subject_id}".encode()).digest()
    return 1 + int.from_bytes(digest[:8], "big") % n
