"""The end of a run: rows and events of all shards become tables, and `store.json` says what everything must be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from biosig.errors import BiosigError
from biosig.recording import Modality
from biosig.store import folds
from biosig.store import row as rows
from biosig.store.chunk import Job, read_json
from biosig.store.layout import (
    EVENTS,
    INFO,
    PHYSIOLOGY,
    RECORDS,
    Card,
    FileInfo,
    Layout,
    Personal,
    Skipped,
    StoreInfo,
    digest,
    event_columns,
    physiology_columns,
    record_columns,
    sampled,
    shard_name,
)
from biosig.store.partial import versions
from biosig.store.reader import Store

_COMPRESSION = "zstd"
# Rows of a table that are written together, and never more than.
_GROUP, _MOST = 1 << 14, 1 << 20


def assemble(job: Job, shards: Iterable[int], refused: Iterable[Skipped], missing: int) -> StoreInfo:
    """Write the tables and `store.json` beside the shards.

    Args:
        job: The run.
        shards: All of them, each done.
        refused: Records that the corpus did not offer, and why.
        missing: Records whose files were not there.

    Raises:
        BiosigError: If not one record could be read.
    """
    tables = _Tables(job, list(refused))
    for shard in shards:
        tables.add(shard)
    tables.close()
    if not tables.records:
        first = f"; the first: {tables.skipped[0].record}: {tables.skipped[0].reason}" if tables.skipped else ""
        raise BiosigError(f"{job.source}: none of {len(tables.skipped)} records could be read{first}")
    info = StoreInfo(
        corpus=Card(**{name: getattr(job.corpus, name) for name in Card.model_fields}),
        split=job.corpus.split,
        preprocessing=job.preprocessing,
        statistics=job.statistics,
        records=tables.records,
        events=tables.events,
        layouts=tables.layouts,
        files={**tables.shards, **{name: _describe(job.store / name) for name in tables.names}},
        skipped=tuple(sorted(tables.skipped, key=lambda skip: (skip.record, skip.reason))),
        missing=missing,
        regrouped=(),
        personal=Personal(kept=job.keep_personal, fields=dict(sorted(tables.personal.items()))),
        versions=versions(),
    )
    _save(job, info)
    store = Store(job.store)
    changes = folds.regrouped(store, tables.official)
    if changes:
        _change_folds(job.store / RECORDS, changes)
        files = {**info.files, RECORDS: _describe(job.store / RECORDS)}
        names = tuple(store.record(row) for row in sorted(changes))
        info = info.model_copy(update={"files": files, "regrouped": names})
        _save(job, info)
    return info


class _Growing:
    """A table that is written some thousand rows at a time: each group of rows costs its reader as much as a file."""

    def __init__(self, path: Path, columns: pa.Schema) -> None:
        self._writer = pq.ParquetWriter(path, columns, compression=_COMPRESSION)
        self._waiting: list[pa.Table] = []

    def add(self, rows: pa.Table) -> None:
        self._waiting.append(rows)
        if sum(map(len, self._waiting)) >= _GROUP:
            self._write()

    def close(self) -> None:
        if self._waiting:
            self._write()
        self._writer.close()

    def _write(self) -> None:
        self._writer.write_table(pa.concat_tables(self._waiting), row_group_size=_MOST)
        self._waiting = []


class _Tables:
    """The tables as they grow, shard by shard."""

    def __init__(self, job: Job, skipped: list[Skipped]) -> None:
        self.skipped = skipped
        self.shards: dict[str, FileInfo] = {}
        self.official: list[bool] = []
        self.personal: Counter[str] = Counter()
        self.records = self.events = 0
        self._job = job
        self._layouts: Counter[tuple[tuple[str, ...], tuple[Modality, ...]]] = Counter()
        self._rows = _Growing(job.store / RECORDS, record_columns())
        self._happened = _Growing(job.store / EVENTS, event_columns())
        self.names = (RECORDS, EVENTS, PHYSIOLOGY) if job.statistics else (RECORDS, EVENTS)
        self._beats: _Growing | None = None
        if job.statistics:
            self._beats = _Growing(job.store / PHYSIOLOGY, physiology_columns())

    def add(self, shard: int) -> None:
        done = read_json(self._job.shard(shard))
        self.skipped += [Skipped(record=record, reason=reason) for record, reason in done["skipped"]]
        if not done["records"]:
            return
        name = shard_name(shard)
        self.shards[name] = FileInfo(**done["file"], sampled=sampled(self._job.store / name))
        made = [row for row, _ in done["records"]]
        self.official += [row["official"] for row in made]
        self.personal.update(name for row in made for name in row["personal"])
        self.records += len(made)
        self._layouts.update((tuple(row["channels"]), tuple(map(Modality, row["modality"]))) for row in made)
        self._rows.add(pa.Table.from_pylist([rows.as_columns(row) for row in made], schema=record_columns()))
        if self._beats is not None:
            self._beats.add(pa.Table.from_pylist(list(map(_beats, made)), schema=physiology_columns()))
        happened = [[row["record"], *event] for row, events in done["records"] for event in events]
        self.events += len(happened)
        if happened:
            columns = zip(zip(*happened, strict=True), event_columns().types, strict=True)
            arrays = [pa.array(column, kind) for column, kind in columns]
            self._happened.add(pa.Table.from_arrays(arrays, schema=event_columns()))

    def close(self) -> None:
        self._rows.close()
        self._happened.close()
        if self._beats is not None:
            self._beats.close()

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Most frequent first."""
        ordered = sorted(self._layouts.items(), key=lambda item: (-item[1], item[0]))
        return tuple(Layout(channels=names, modality=kinds, records=count) for (names, kinds), count in ordered)


def _beats(row: Mapping[str, Any]) -> dict[str, Any]:
    """A record's beats as the table wants them."""
    peaks, widths = zip(*row["beats"], strict=True) if row["beats"] else ((), ())
    return {"record": row["record"], "peaks": peaks, "qrs_widths": widths}


def _change_folds(path: Path, changes: Mapping[int, int]) -> None:
    """Write the table again with other folds, group by group: the whole of it may not fit in memory."""
    temporary = path.with_suffix(".tmp")
    with pq.ParquetFile(path) as file, pq.ParquetWriter(temporary, file.schema_arrow, compression=_COMPRESSION) as new:
        first = 0
        for group in range(file.num_row_groups):
            table = file.read_row_group(group)
            values = table["fold"].to_pylist()
            for row in changes.keys() & range(first, first + len(values)):
                values[row - first] = changes[row]
            place = table.schema.get_field_index("fold")
            new.write_table(table.set_column(place, table.schema.field(place), pa.array(values, pa.int32())))
            first += len(values)
    temporary.replace(path)


def _save(job: Job, info: StoreInfo) -> None:
    (job.store / INFO).write_text(info.to_json(), encoding="utf-8")


def _describe(path: Path) -> FileInfo:
    return FileInfo(size=path.stat().st_size, sha256=digest(path))
