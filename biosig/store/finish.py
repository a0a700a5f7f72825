"""The end of a run: rows and events of all shards become tables, and `store.json` says what everything must be."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from biosig.errors import BiosigError
from biosig.recording import Modality
from biosig.store import row as rows
from biosig.store.chunk import Job, read_json
from biosig.store.layout import (
    EVENTS,
    INFO,
    RECORDS,
    Card,
    FileInfo,
    Layout,
    Skipped,
    StoreInfo,
    event_columns,
    record_columns,
    shard_name,
)
from biosig.store.partial import versions

_BLOCK = 1 << 20


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
    layouts: Counter[tuple[tuple[str, ...], tuple[str, ...]]] = Counter()
    files: dict[str, FileInfo] = {}
    skipped = list(refused)
    counts = Counter[str]()

    with (
        pq.ParquetWriter(job.store / RECORDS, record_columns(), compression="zstd") as records,
        pq.ParquetWriter(job.store / EVENTS, event_columns(), compression="zstd") as events,
    ):
        for shard in shards:
            done = read_json(job.shard(shard))
            skipped += [Skipped(record=record, reason=reason) for record, reason in done["skipped"]]
            if not done["records"]:
                continue
            files[shard_name(shard)] = FileInfo(**done["file"])
            made = [row for row, _ in done["records"]]
            happened = [[row["record"], *event] for row, found in done["records"] for event in found]
            layouts.update((tuple(row["channels"]), tuple(row["modality"])) for row in made)
            counts.update(records=len(made), events=len(happened))
            records.write_table(pa.Table.from_pylist([rows.as_columns(row) for row in made], schema=record_columns()))
            if happened:
                columns = [
                    pa.array(column, kind)
                    for column, kind in zip(zip(*happened, strict=True), event_columns().types, strict=True)
                ]
                events.write_table(pa.Table.from_arrays(columns, schema=event_columns()))
    if not counts["records"]:
        reason = f"; the first: {skipped[0].record}: {skipped[0].reason}" if skipped else ""
        raise BiosigError(f"{job.source}: none of {len(skipped)} records could be read{reason}")
    for name in (RECORDS, EVENTS):
        files[name] = _describe(job.store / name)
    info = StoreInfo(
        corpus=Card(**{name: getattr(job.corpus, name) for name in Card.model_fields}),
        split=job.corpus.split,
        preprocessing=job.preprocessing,
        statistics=job.statistics,
        records=counts["records"],
        events=counts["events"],
        layouts=tuple(
            Layout(channels=channels, modality=tuple(map(Modality, modality)), records=number)
            for (channels, modality), number in sorted(layouts.items(), key=lambda item: (-item[1], item[0]))
        ),
        files=files,
        skipped=tuple(sorted(skipped, key=lambda skip: (skip.record, skip.reason))),
        missing=missing,
        versions=versions(),
    )
    path = job.store / INFO
    path.write_text(info.to_json(), encoding="utf-8")
    _sync(path)
    return info


def digest(path: Path, advance: Callable[[int], None] = lambda _: None) -> str:
    """SHA-256 of a file, as hexadecimal text; `advance` is told of every block's bytes."""
    found = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            found.update(block)
            advance(len(block))
    return found.hexdigest()


def _describe(path: Path) -> FileInfo:
    _sync(path)
    return FileInfo(size=path.stat().st_size, sha256=digest(path))


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())
