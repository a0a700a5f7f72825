"""A store, opened: tables in memory, samples memory-mapped, windows as views."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from jaxtyping import Float32, Float64, Int16, Int64

from biosig.errors import BiosigError, StoreError
from biosig.physiology import Beats
from biosig.recording import Code, Event, Recording
from biosig.splits import Role, Split
from biosig.store import tables
from biosig.store.layout import (
    EVENTS,
    INFO,
    PHYSIOLOGY,
    RECORDS,
    StoreInfo,
    digest,
    event_columns,
    own_file,
    physiology_columns,
    read_info,
    record_columns,
    sampled,
    shard_name,
)
from biosig.store.places import COLUMNS, LayoutKey, Places
from biosig.store.quantise import restore

_EVENT = tuple(field.name for field in fields(Event))

if TYPE_CHECKING:
    import pandas as pd


class Store:
    """The recordings that `prepare` left in a folder.

    Opening compares `store.json` with its own digest, every file's size with what it says, and reads of the table where
    the records are. A shard is compared in a few places when first read; all of it by `verify`. Other columns stay
    on disk until they are asked for, samples until a window is looked at. A store can be pickled: it is opened again by
    its path.

    Args:
        path: The folder.

    Raises:
        StoreError: If the folder holds no whole store of this version, or one that contradicts itself; it names file
            and field.

    Example:
        >>> store = Store("ludb.store")
        >>> store.window(0, start=500, length=2500)  # int16 (channel, time), memory-mapped
        >>> store.recording(0).report
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.info: StoreInfo = read_info(self.path)
        for name in (RECORDS, EVENTS):
            if name not in self.info.files:
                raise StoreError(f"{self.path / INFO}: files: expected {name} among them, it is not")
        for name, file in self.info.files.items():
            found = self._file(name).stat().st_size
            if found != file.size:
                raise StoreError(f"{self.path / name}: size: expected {file.size} bytes, got {found}")
        self._columns = tables.Table(self.path / RECORDS, record_columns(), self.info.records, self.info.files[RECORDS])
        self._place = Places.of(self._columns.batches(COLUMNS), self.path / RECORDS, self.info)
        self._shards: dict[int, Int16[np.ndarray, " sample"]] = {}

    def __len__(self) -> int:
        return self.info.records

    def __repr__(self) -> str:
        return f"Store({self.path}: {self.info.corpus.name}, {len(self)} records)"

    def __reduce__(self) -> tuple[type[Store], tuple[Path]]:
        return Store, (self.path,)

    @property
    def split(self) -> Split:
        """What each fold is for."""
        return self.info.split

    @cached_property
    def records(self) -> pd.DataFrame:
        """One row a record, in the order of all row numbers."""
        return self._table.to_pandas()

    @cached_property
    def events(self) -> pd.DataFrame:
        """One row an event, in the order of the records: record, onset and duration in seconds, code, text."""
        return self._events.to_pandas()

    @property
    def samples(self) -> Int64[np.ndarray, " row"]:
        """Samples a channel, of each record."""
        return np.asarray(self._place.samples)

    @property
    def rates(self) -> Float64[np.ndarray, " row"]:
        """Sampling rate of each record, Hz."""
        return self._place.rate

    @cached_property
    def subjects(self) -> list[tuple[str, str]]:
        """Corpus and name of the subject of each record: names are unique in their corpus only."""
        # One text for each corpus, however many records it has.
        corpora = {name: name for name in dict.fromkeys(self.column("corpus"))}
        return [
            (corpora[name], subject) for name, subject in zip(*map(self.column, ("corpus", "subject")), strict=True)
        ]

    @cached_property
    def fingerprints(self) -> list[bytes | None]:
        """For each record the 32 bytes of `biosig.store.fingerprint`, where it has any."""
        return self.column("fingerprint")

    def record(self, row: int) -> str:
        """The name of a record."""
        return str(self._names[range(len(self))[row]].as_py())

    def column(self, name: str) -> list[Any]:
        """A column of `records` as Python's own objects, without the rest of the table."""
        return self._columns.read([name])[name].to_pylist()

    def table(self, *names: str) -> pa.Table:
        """Some columns of `records`, as Arrow holds them."""
        return self._columns.read(names)

    def frame(self, *names: str) -> pd.DataFrame:
        """Some columns of `records`: of a large store, the whole of it may not fit in memory."""
        return self.table(*names).to_pandas()

    @cached_property
    def sampling_rate(self) -> float:
        """Hz of every record.

        Raises:
            StoreError: If records differ, as they may without resampling.
        """
        rates = np.unique(self.rates).tolist()
        if len(rates) != 1:
            raise StoreError(f"{self.path}: sampling_rate: expected one for all records, got {rates}")
        return float(rates[0])

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of `store.json`, which holds that of every other file: equal for equal stores."""
        return hashlib.sha256((self.path / INFO).read_bytes()).hexdigest()

    def rows(self, role: Role) -> Int64[np.ndarray, " row"]:
        """The rows of the records whose fold has a role."""
        folds = self._columns.read(["fold"])["fold"].to_numpy()
        wanted = [fold for fold in np.unique(folds) if self.split.role(int(fold)) == role]
        return np.flatnonzero(np.isin(folds, wanted))

    def block(self, row: int) -> Int16[np.ndarray, "channel time"]:
        """All samples of a record, as a view of the file.

        Raises:
            StoreError: If the file has no longer the form that `prepare` gave it.
            IndexError: If there is no such row.
        """
        place = self._place
        shard, offset, samples = place.shard[row], place.offset[row], place.samples[row]
        whole = self._shards.get(shard)
        if whole is None:
            whole = self._open(shard)
        return whole[offset : offset + place.channels[row] * samples].reshape(-1, samples)

    def window(self, row: int, start: int, length: int) -> Int16[np.ndarray, "channel length"]:
        """Part of a record, as a view of the file: multiply by `steps(row)` for microvolts; -32768 marks a gap.

        Raises:
            BiosigError: If the record does not reach that far.
        """
        samples = self._place.samples[row]
        if start < 0 or length < 0 or start + length > samples:
            raise BiosigError(f"{self.record(row)}: samples {start} to {start + length} are not within its {samples}")
        return self.block(row)[:, start : start + length]

    def steps(self, row: int) -> Float32[np.ndarray, " channel"]:
        """Microvolts (or other unit) of one integer, for each channel of a record."""
        first = self._place.first_step[row]
        return self._place.step[first : first + self._place.channels[row]]

    def layout(self, row: int) -> LayoutKey:
        """Names and modalities of the channels of a record."""
        return self.layouts[self._place.layout_of[row]]

    @property
    def layouts(self) -> tuple[LayoutKey, ...]:
        """The distinct sets of channels, in order of appearance."""
        return self._place.layouts

    @property
    def layout_of(self) -> Int64[np.ndarray, " row"]:
        """For each row, the number of its layout."""
        return np.asarray(self._place.layout_of)

    def recording(self, row: int) -> Recording:
        """A record as it is stored: preprocessed, in microvolts, NaN in gaps, with its labels and events."""
        row = range(len(self))[row]
        facts = self._table.slice(row, 1).to_pylist()[0]
        channels, modality = self.layout(row)
        events = self._events.slice(*self._events_of[row]).to_pylist() if self.info.events else []
        known = {name: facts[name] for name in ("age", "sex", "fold", "sub_corpus", "source")}
        return Recording(
            signal=restore(self.block(row), self.steps(row)),
            channels=channels,
            sampling_rate=facts["sampling_rate"],
            modality=modality,
            record_id=facts["record"],
            subject_id=facts["subject"],
            session=facts["session"],
            codes=tuple(Code(**code) for code in facts["codes"]),
            concepts=frozenset(facts["concepts"]),
            report=facts["report"],
            events=tuple(Event(**{name: e[name] for name in _EVENT}) for e in events),
            meta={**self._meta(facts["meta"]), **known, "flags": tuple(facts["quality"])},
        )

    @property
    def has_physiology(self) -> bool:
        """Whether beats were looked for when the store was prepared."""
        return PHYSIOLOGY in self.info.files

    def beats(self, row: int) -> Beats:
        """The R peaks of a record, in seconds from its first stored sample, and its QRS widths; none if none was found.

        Raises:
            StoreError: If the store was prepared without them, naming the option that finds them.
        """
        peaks, widths, bounds = self._beats
        part = slice(bounds[row], bounds[row + 1])
        return Beats(peaks[part], widths[part])

    def verify(self, advance: Callable[[int], None] = lambda _: None) -> list[str]:
        """What is not as `store.json` says, one line each; `advance` is told of every block's bytes."""
        problems = []
        for name, file in self.info.files.items():
            found = digest(self.path / name, advance)
            if found != file.sha256:
                problems.append(f"{self.path / name}: sha256: expected {file.sha256}, got {found}")
        return problems

    def _file(self, name: str) -> Path:
        """A file of the store that is really in its folder."""
        path = own_file(self.path, name)
        if not path.is_file():
            raise StoreError(f"{path}: expected a file of {self.info.files[name].size} bytes, got nothing")
        return path

    @cached_property
    def _events(self) -> pa.Table:
        return tables.read(self.path / EVENTS, event_columns(), self.info.events, self.info.files[EVENTS])

    @cached_property
    def _beats(
        self,
    ) -> tuple[Float64[np.ndarray, " beat"], Float64[np.ndarray, " beat"], Int64[np.ndarray, " bound"]]:
        """Peaks and widths of all records, one after another, and where those of each begin and end."""
        path = self.path / PHYSIOLOGY
        if not self.has_physiology:
            raise StoreError(f"{path}: no such file: prepare the store again with --physiology")
        table = tables.read(path, physiology_columns(), self.info.records, self.info.files[PHYSIOLOGY])
        return tables.beats(table, path, self._names, self.samples / self.rates)

    @cached_property
    def _events_of(self) -> list[tuple[int, int]]:
        """For each row, where its events begin and how many there are."""
        return tables.happened(self._events, self.path / EVENTS, self._names)

    @cached_property
    def _table(self) -> pa.Table:
        return self._columns.read(record_columns().names)

    @cached_property
    def _names(self) -> pa.ChunkedArray:
        return self._columns.read(["record"])["record"]

    def _meta(self, text: str) -> dict[str, Any]:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise StoreError(f"{self.path / RECORDS}: meta: expected a JSON object, got {text[:80]!r}")
        return found

    def _open(self, shard: int) -> Int16[np.ndarray, " sample"]:
        path = self._file(shard_name(shard))
        try:
            mapped = np.lib.format.open_memmap(path, mode="r")
        # The header is an expression of Python, and numpy trips over a forged one in every way there is.
        except Exception as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise StoreError(f"{path}: expected a .npy array, found something else: {reason[:200]}") from error
        if mapped.ndim != 1 or mapped.dtype != np.dtype("<i2"):
            raise StoreError(f"{path}: expected int16 of one dimension, got {mapped.dtype} {mapped.shape}")
        stated = self.info.files[path.name].sampled
        # Another store's shard of the same size would show other hearts under these names.
        if stated is not None and stated != (looked := sampled(path)):
            raise StoreError(
                f"{path}: not the file of this store: sampled: expected {stated}, got {looked}; "
                "copy the store again, or prepare it again"
            )
        # A plain array over the same memory: slicing a `memmap` takes ten times longer.
        self._shards[shard] = np.asarray(mapped)
        needed = self._place.needed[shard]
        if needed > len(mapped):
            del self._shards[shard]
            raise StoreError(f"{path}: expected at least {needed} integers, got {len(mapped)}")
        return self._shards[shard]
