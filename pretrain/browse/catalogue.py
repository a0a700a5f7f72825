"""What is known of every record of some stores, and which of them a query asks for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float64, Int64

from biosig.errors import BiosigError
from biosig.store import Store
from pretrain.browse.query import Query
from pretrain.browse.vocabulary import Vocabulary

_COLUMNS = ("record", "subject", "sub_corpus", "fold", "age", "sex", "quality", "concepts", "report", "heart_rate")
UNFLAGGED = "none"


@dataclass(frozen=True)
class Entry:
    """A record as the list shows it.

    Attributes:
        row: Over all stores.
        store: Its key.
        record: Its name, unique in its store.
    """

    row: int
    store: str
    record: str
    subject: str
    sub_corpus: str
    fold: int
    role: str
    age: float | None
    sex: str
    quality: tuple[str, ...]
    concepts: tuple[str, ...]
    report: str
    heart_rate: float | None


class Catalogue:
    """The records of all stores, one after another, with their columns in memory and their signals on disk.

    Args:
        stores: In this order.
        vocabulary: What concepts are called, and which is a kind of which.

    Raises:
        BiosigError: If there are no stores, or one is given twice.
    """

    def __init__(self, stores: Sequence[Store], vocabulary: Vocabulary) -> None:
        if not stores:
            raise BiosigError("expected one store or more to browse, got none")
        self.stores, self.vocabulary = tuple(stores), vocabulary
        self.keys = _keys(stores)
        self._first = np.cumsum([0, *map(len, stores)])
        self._table = pa.concat_tables([store.table(*_COLUMNS) for store in stores]).combine_chunks()
        self._record, self._subject = self._table["record"], self._table["subject"]
        self._text = pc.utf8_lower(
            pc.binary_join_element_wise(self._record, self._subject, self._table["report"], "\n")
        )
        self._age: Float64[np.ndarray, " row"] = self._table["age"].to_numpy()
        self._sex = np.array([sex or "" for sex in self._table["sex"].to_pylist()], dtype=object)
        self._fold = self._table["fold"].to_numpy()
        self._store = np.repeat(np.arange(len(stores)), [len(store) for store in stores])
        roles = [
            stores[number].split.role(fold)
            for number, fold in zip(self._store.tolist(), self._fold.tolist(), strict=True)
        ]
        self._role = np.array(roles, dtype=object)
        self._flags = _rows_of(self._table["quality"])
        self._concepts = _rows_of(self._table["concepts"])
        self._row_of = [{name: place for place, name in enumerate(store.column("record"))} for store in stores]

    def __len__(self) -> int:
        return int(self._first[-1])

    @property
    def starts(self) -> tuple[int, ...]:
        """The first row of each store, and the number of rows."""
        return tuple(map(int, self._first))

    def place(self, row: int) -> tuple[Store, int]:
        """The store of a row, and its row there."""
        number = int(self._store[row])
        return self.stores[number], int(row - self._first[number])

    def row(self, store: str, record: str) -> int | None:
        """The row of a record by its store's key and its name; None if there is none."""
        if store not in self.keys:
            return None
        number = self.keys.index(store)
        place = self._row_of[number].get(record)
        return None if place is None else int(self._first[number]) + place

    def entry(self, row: int) -> Entry:
        """What is known of a record."""
        facts = {name: self._table[name][row].as_py() for name in _COLUMNS}
        return Entry(
            row,
            self.keys[self._store[row]],
            facts["record"],
            facts["subject"],
            facts["sub_corpus"],
            facts["fold"],
            str(self._role[row]),
            _known(facts["age"]),
            facts["sex"] or "",
            tuple(facts["quality"]),
            tuple(facts["concepts"]),
            facts["report"],
            _known(facts["heart_rate"]),
        )

    def find(self, query: Query) -> Int64[np.ndarray, " found"]:
        """The rows that pass all filters, in the order of the stores.

        Raises:
            BiosigError: If a store is not among these, or several concepts have the name.
            UnknownNameError: If a concept is unknown.
        """
        return np.flatnonzero(np.logical_and.reduce([np.ones(len(self), dtype=bool), *self._tests(query)]))

    def having(self, concepts: Iterable[str]) -> Bool[np.ndarray, " row"]:
        """Which records have one of these concepts, without what is a kind of them."""
        return self._marked(self._concepts, concepts)

    def count(self, concept: str) -> int:
        """How many records have a concept or a kind of it."""
        return int(self.having(self.vocabulary.with_kinds(concept)).sum())

    @property
    def concepts(self) -> tuple[str, ...]:
        """The concepts that occur, the commonest first."""
        return _commonest(self._concepts)

    @property
    def flags(self) -> dict[str, int]:
        """The quality flags that occur, and on how many records, the commonest first."""
        return {flag: len(self._flags[flag]) for flag in _commonest(self._flags)}

    @property
    def sexes(self) -> list[str]:
        """The sexes that occur."""
        return sorted({str(sex) for sex in self._sex} - {""})

    @property
    def roles(self) -> list[str]:
        """The sides of the split that occur."""
        return [role for role in ("train", "validation", "test", "unused") if role in self._role]

    def _tests(self, query: Query) -> list[Bool[np.ndarray, " row"]]:
        """Which rows pass each of the filters that are asked for."""
        tests = [self._says(word) for word in query.words.lower().split()]
        if query.concept:
            tests.append(self.having(self.vocabulary.resolve(query.concept)))
        if query.flag == UNFLAGGED:
            tests.append(~self._marked(self._flags, self._flags))
        elif query.flag:
            tests.append(self._marked(self._flags, [query.flag]))
        if query.store and query.store not in self.keys:
            raise BiosigError(f"store: expected one of {', '.join(self.keys)}, got {query.store[:80]!r}")
        if query.store:
            tests.append(self._store == self.keys.index(query.store))
        for column, wanted in ((self._role, query.role), (self._sex, query.sex)):
            if wanted:
                tests.append(column == wanted)
        if query.fold is not None:
            tests.append(self._fold == query.fold)
        if query.age_from is not None:
            tests.append(self._age >= query.age_from)
        if query.age_to is not None:
            tests.append(self._age <= query.age_to)
        return tests

    def _says(self, word: str) -> Bool[np.ndarray, " row"]:
        return np.asarray(pc.match_substring(self._text, word).to_numpy())

    def _marked(self, rows: dict[str, Int64[np.ndarray, " some"]], names: Iterable[str]) -> Bool[np.ndarray, " row"]:
        marks = np.zeros(len(self), dtype=bool)
        for name in names:
            if name in rows:
                marks[rows[name]] = True
        return marks


def _keys(stores: Sequence[Store]) -> tuple[str, ...]:
    """The names of the folders; numbered where several folders have one name."""
    names = [store.path.resolve().name for store in stores]
    if len({store.path.resolve() for store in stores}) < len(stores):
        twice = next(
            store.path for store in stores if [s.path.resolve() for s in stores].count(store.path.resolve()) > 1
        )
        raise BiosigError(f"{twice}: expected each store once, got it twice")
    return tuple(
        name if names.count(name) == 1 else f"{name}-{names[: place + 1].count(name)}"
        for place, name in enumerate(names)
    )


def _rows_of(lists: pa.ChunkedArray) -> dict[str, Int64[np.ndarray, " some"]]:
    """For each text of a column of lists, the rows that have it."""
    owners = pc.list_parent_indices(lists.combine_chunks()).to_numpy()
    texts = pc.list_flatten(lists.combine_chunks()).dictionary_encode()
    codes = texts.indices.to_numpy()
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(len(texts.dictionary) + 1))
    return {str(name): owners[order[bounds[k] : bounds[k + 1]]] for k, name in enumerate(texts.dictionary.to_pylist())}


def _commonest(rows: dict[str, Int64[np.ndarray, " some"]]) -> tuple[str, ...]:
    return tuple(sorted(rows, key=lambda name: (-len(rows[name]), name)))


def _known(value: float | None) -> float | None:
    return value if value is not None and np.isfinite(value) else None
