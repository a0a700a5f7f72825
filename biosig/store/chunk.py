"""What a worker does: a few records become a part, the parts of a shard become the shard.

Every file is written under a temporary name and renamed when whole. A part is done when its JSON is there, a shard when
its JSON is there: a run that was killed finds what it had done. Chunks are fixed by the list of records alone, so the
bytes are the same for any number of workers and any number of interruptions. Nothing waits for the disk: if the power
fails, sizes (on opening and continuing) and digests (on audit) tell what did not reach it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np

from biosig.corpora.base import Corpus, Entry
from biosig.errors import BiosigError, StoreError
from biosig.preprocess import Preprocessing
from biosig.readers import personal
from biosig.store import row as rows
from biosig.store.layout import digest, shard_name

_BLOCK = 1 << 20
_LONGEST_REASON = 300


@dataclass(frozen=True)
class Chunk:
    """Records to read: those from number `first` on.

    Attributes:
        index: Of the chunk.
        first: Number of the first record in the run.
        entries: The records.
        lost: Why not to try some of them: record number -> reason.
    """

    index: int
    first: int
    entries: tuple[Entry, ...]
    lost: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Merge:
    """The parts that make a shard, in order."""

    shard: int
    chunks: tuple[int, ...]


Task = Chunk | Merge


@dataclass(frozen=True)
class Job:
    """What all tasks of a run share.

    Attributes:
        corpus: Reads the records.
        source: The corpus folder.
        work: Where parts, and what is known of shards, are kept until the end.
        store: Where the files of the store go.
        preprocessing: Applied to every record.
        statistics: Whether to compute rhythm statistics.
        keep_personal: Whether what files say of people stays with their records.
    """

    corpus: Corpus
    source: Path
    work: Path
    store: Path
    preprocessing: Preprocessing
    statistics: bool
    keep_personal: bool = False

    def run(self, task: Task, begin: Callable[[int], None]) -> None:
        """Do a task; `begin` is told the number of each record before it is read.

        Raises:
            OSError: If a file cannot be written.
            StoreError: If a part was damaged meanwhile.
        """
        if isinstance(task, Chunk):
            self._chunk(task, begin)
        else:
            self._merge(task)

    def part(self, chunk: int) -> Path:
        """The JSON of a part; its integers are beside it."""
        return self.work / f"part-{chunk:07d}.json"

    def shard(self, shard: int) -> Path:
        """The JSON of a shard, which lives as long as the run."""
        return self.work / f"shard-{shard:05d}.json"

    def _chunk(self, task: Chunk, begin: Callable[[int], None]) -> None:
        made, skipped = [], []
        path = self.part(task.index)
        with _whole(path.with_suffix(".samples")) as file:
            written = _Hashed(file)
            for number, entry in enumerate(task.entries, task.first):
                begin(number)
                if number in task.lost:
                    skipped.append([entry.record_id, task.lost[number]])
                    continue
                try:
                    row, events, samples = rows.make(
                        self.corpus,
                        entry,
                        self.source,
                        self.preprocessing,
                        statistics=self.statistics,
                        keep_personal=self.keep_personal,
                    )
                except KeyboardInterrupt:
                    raise
                except BaseException as error:  # noqa: BLE001 -- whatever a reader does, the other records go on
                    skipped.append([entry.record_id, personal(entry.path).scrub(_reason(error, self.source))])
                    continue
                row["offset"] = written.size // 2
                written.write(samples.astype("<i2", copy=False).data)
                made.append([row, events])
        part = {"size": written.size, "sha256": written.sha256, "records": made, "skipped": skipped}
        write_json(path, part)

    def _merge(self, task: Merge) -> None:
        try:
            self._make_shard(task)
        except FileNotFoundError:
            # Another worker, thought dead or of a run that was killed, made it meanwhile and dropped the parts.
            if not shard_is_whole(self, task.shard):
                raise
        for chunk in task.chunks:
            self.part(chunk).unlink(missing_ok=True)
            self.part(chunk).with_suffix(".samples").unlink(missing_ok=True)

    def _make_shard(self, task: Merge) -> None:
        parts = [(self.part(chunk), read_json(self.part(chunk))) for chunk in task.chunks]
        total = sum(part["size"] for _, part in parts) // 2
        # A shard of which nothing could be read is no file: nothing cannot be memory-mapped.
        file = self._join(task.shard, parts, total) if total else None
        made: list[list[Any]] = []
        base = 0
        for _, part in parts:
            for row, events in part["records"]:
                made.append([{**row, "shard": task.shard, "offset": row["offset"] + base}, events])
            base += part["size"] // 2
        skipped = [skip for _, part in parts for skip in part["skipped"]]
        write_json(self.shard(task.shard), {"file": file, "records": made, "skipped": skipped})

    def _join(self, shard: int, parts: Sequence[tuple[Path, Mapping[str, Any]]], total: int) -> dict[str, Any]:
        """Write the shard's file; its size and digest."""
        with _whole(self.store / shard_name(shard), self.work) as file:
            written = _Hashed(file)
            header = {"descr": "<i2", "fortran_order": False, "shape": (total,)}
            np.lib.format.write_array_header_1_0(written, header)
            for path, _ in parts:
                _copy(path.with_suffix(".samples"), written)
        return {"size": written.size, "sha256": written.sha256}


def shard_is_whole(job: Job, shard: int) -> bool:
    """Whether a shard that an earlier run left was written to its end."""
    try:
        file = read_json(job.shard(shard))["file"]
    except (StoreError, FileNotFoundError):
        return False
    path = job.store / shard_name(shard)
    return file is None or (path.is_file() and path.stat().st_size == file["size"])


def part_is_whole(path: Path) -> bool:
    """Whether a part that an earlier run left is as it was written."""
    samples = path.with_suffix(".samples")
    try:
        part = read_json(path)
        return samples.stat().st_size == part["size"] and digest(samples) == part["sha256"]
    except (StoreError, FileNotFoundError):
        return False


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Write a document under a temporary name and rename it."""
    with _whole(path) as file:
        file.write(json.dumps(document, separators=(",", ":")).encode())


def read_json(path: Path) -> dict[str, Any]:
    """A document of this run.

    Raises:
        StoreError: If it was damaged after it had been written.
    """
    try:
        document = json.loads(path.read_bytes())
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise StoreError(f"{path}: damaged after it was written")
    return document


class _Hashed:
    """A file that knows the digest and size of what went into it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes | memoryview) -> None:
        self._file.write(data)
        self._digest.update(data)
        self.size += memoryview(data).nbytes

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


@contextmanager
def _whole(path: Path, beside: Path | None = None) -> Iterator[IO[bytes]]:
    """A file under a temporary name, in its own folder or another, that gets its name when it is whole."""
    # The process is in the name: a worker that outlives a killed run must not write into the file of the next.
    temporary = (beside or path.parent) / f"{path.name}.{platform.node()}.{os.getpid()}.tmp"
    try:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _copy(path: Path, written: _Hashed) -> None:
    with path.open("rb", buffering=0) as file:
        while block := file.read(_BLOCK):
            written.write(block)


def _reason(error: BaseException, source: Path) -> str:
    """One line, without what differs from run to run, or with the place of the corpus."""
    text = str(error) if isinstance(error, BiosigError) else f"{type(error).__name__}: {error}"
    text = text.replace(f"{source}{os.sep}", "")
    line = " ".join(text.encode("utf-8", "replace").decode("utf-8").split())
    return line if len(line) <= _LONGEST_REASON else line[: _LONGEST_REASON - 3] + "..."
