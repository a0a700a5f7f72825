"""Part of a store, by what its table says of records: `sub_corpus=georgia`, `sex=female`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Int

from biosig.errors import BiosigError
from biosig.splits import Role
from biosig.store import Store

# What can be chosen by: one text or whole number a record.
_COLUMNS = ("corpus", "sub_corpus", "sex", "subject", "session", "record", "fold")
# As many values as a line of an error has room for.
_MOST = 8


@dataclass(frozen=True)
class Where:
    """Records of which every named column has one of the values given for it.

    Attributes:
        allowed: Column and values; no column is every record.
    """

    allowed: tuple[tuple[str, frozenset[str]], ...] = ()

    @classmethod
    def parse(cls, conditions: Iterable[str]) -> Where:
        """From `column=value` or `column=value,value`; of several conditions all must hold.

        Raises:
            BiosigError: Naming the condition that is none.
        """
        found = []
        for text in conditions:
            column, equals, values = text.partition("=")
            wanted = frozenset(value.strip() for value in values.split(",") if value.strip())
            if not equals or column.strip() not in _COLUMNS or not wanted:
                raise BiosigError(
                    f"--where: expected COLUMN=VALUE[,VALUE...] with a column of {', '.join(_COLUMNS)}, got {text!r}"
                )
            found.append((column.strip(), wanted))
        return cls(tuple(found))

    def __str__(self) -> str:
        return " and ".join(f"{column}={','.join(sorted(values))}" for column, values in self.allowed)

    def mask(self, store: Store) -> Bool[np.ndarray, " row"]:
        """Which records of a store are meant.

        Raises:
            BiosigError: If a value does not occur, naming those that do.
        """
        kept = np.ones(len(store), bool)
        for column, values in self.allowed:
            said = np.array([str(value) for value in store.column(column)], dtype=object)
            if missing := values - set(said):
                there = [f"{value or 'nothing'} ({int((said == value).sum()):,})" for value in sorted(set(said))]
                shown = ", ".join(there[:_MOST]) + (f" and {len(there) - _MOST:,} more" if len(there) > _MOST else "")
                raise BiosigError(f"{store.path}: {column}: expected one of {shown}, got {min(missing)!r}")
            kept &= np.isin(said, list(values))
        return kept


@dataclass(frozen=True)
class Selection:
    """Records of a store.

    Attributes:
        store: Opened.
        where: Which of its records.
    """

    store: Store
    where: Where = field(default_factory=Where)

    def rows(self, role: Role) -> Int[np.ndarray, " side"]:
        """The chosen records whose fold has a role."""
        found = np.asarray(self.store.rows(role), dtype=np.int64)
        return found[self.where.mask(self.store)[found]]

    @property
    def title(self) -> str:
        """Of the corpus, and what was chosen of it."""
        return f"{self.store.info.corpus.title}{f', {self.where}' if self.where.allowed else ''}"
