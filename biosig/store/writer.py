"""Prepare a corpus: read every record once, in parallel, and leave a store that is whole or not there.

Work goes to `DEST.partial`, which is renamed to `DEST` at the end. A run that was killed is continued by the same
command, and what comes out is the same, byte for byte, however often it was interrupted and on however many cores.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from biosig.corpora.base import CORPORA, Corpus, Entry
from biosig.errors import BiosigError, StoreError
from biosig.preprocess import Preprocessing
from biosig.store import finish
from biosig.store.chunk import Chunk, Job, Merge, Task, part_is_whole, shard_is_whole
from biosig.store.crew import hire
from biosig.store.layout import Personal, Skipped
from biosig.store.partial import Partial, Plan

# Small enough to keep many cores busy with few records, large enough that handing it out costs nothing.
CHUNK = 16


@dataclass(frozen=True)
class PrepareReport:
    """What a run did.

    Attributes:
        store: Where the store is.
        read: Records in the store.
        skipped: `(record, reason)` of those that are not.
        missing: Records that the corpus lists but whose files were not there.
        resumed: Records that an earlier, interrupted run had read already.
        seconds: Of this run.
        personal: What the files said of people.
        links_out: Records whose file is a link that leads out of the source.
    """

    store: Path
    read: int
    skipped: tuple[tuple[str, str], ...]
    missing: int
    resumed: int
    seconds: float
    personal: Personal
    links_out: int

    @property
    def rate(self) -> float:
        """Records a second, of those that this run tried."""
        return (self.read + len(self.skipped) - self.resumed) / max(self.seconds, 1e-9)


def prepare(
    corpus: str | Corpus,
    source: str | Path,
    destination: str | Path,
    *,
    preprocessing: Preprocessing | None = None,
    workers: int | None = None,
    dask: str | None = None,
    limit: int | None = None,
    records_per_shard: int = 256,
    statistics: bool = False,
    keep_personal: bool = False,
    progress: bool = True,
    overwrite: bool = False,
) -> PrepareReport:
    """Read the records of a corpus into a store.

    A record that cannot be read, or that kills the process reading it, is skipped and reported, here and in the store.

    Args:
        corpus: A name in `biosig.corpora.CORPORA`, or a corpus of your own.
        source: Its folder.
        destination: The store to make.
        preprocessing: Applied to every record; by default resampling to 250 Hz.
        workers: Processes; by default one for every core this process may use. 0 works in this process.
        dask: Instead of them the workers of a dask.distributed cluster: the address of its scheduler, or its scheduler
            file. They must see the source and the destination under the same paths.
        limit: Only the first so many records, in order of their names.
        records_per_shard: Records tried for one file.
        statistics: Also find the R peaks of ECGs and their rhythm statistics, which takes many times longer than
            everything else.
        keep_personal: Whether what the files say of people (names, birth dates, technicians, days) stays in the meta of
            their records. Otherwise it is counted, left out, and taken out of reports and events.
        progress: Whether to show a progress bar, on standard error.
        overwrite: Replace a store that is there already, and drop what another configuration left half-made. An
            existing store stays until the new one is whole.

    Raises:
        StoreError: If the destination exists, another run is at work on it, it was begun with another configuration, or
            it cannot be written, as when the disk is full; then what is done stays, and the same call continues.
        CorpusError: If the source does not look like the corpus.
        BiosigError: If no record can be read, a setting makes no sense, or the cluster cannot do the work.
    """
    began = time.perf_counter()
    corpus = CORPORA[corpus] if isinstance(corpus, str) else corpus
    # Other machines have other working folders.
    source, destination = Path(source).absolute(), Path(destination)
    for name, value, least in (
        ("workers", workers, 0),
        ("limit", limit, 1),
        ("records_per_shard", records_per_shard, 1),
    ):
        if value is not None and value < least:
            raise BiosigError(f"{name}: expected at least {least}, got {value}")
    found = corpus.find(source)
    entries = found[:limit]
    # What the corpus knows it cannot read; the whole list, whatever the limit.
    refused = [Skipped(record=record, reason=reason) for record, reason in getattr(found, "skipped", ())]
    missing = len(getattr(found, "missing", ()))
    preprocessing = preprocessing or Preprocessing()
    plan = Plan.of(
        corpus,
        source,
        entries,
        preprocessing,
        statistics=statistics,
        keep_personal=keep_personal,
        per_shard=records_per_shard,
        chunk=CHUNK,
    )
    with hire(workers, dask) as hands, Partial(destination, plan, overwrite=overwrite) as partial:
        job = Job(corpus, source, partial.work, partial.store, preprocessing, statistics, keep_personal)
        shards = _shards(entries, records_per_shard)
        try:
            agenda = _Agenda(job, shards)
            with _bar(len(entries), agenda.resumed, corpus.name, show=progress) as watch:
                for done in hands.work(job, agenda.tasks, watch):
                    agenda.note(done)
            info = finish.assemble(job, range(len(shards)), refused, missing)
            partial.finish(info.files)
        except OSError as error:
            # What a reader meets is its record's affair: this is the disk of the store.
            raise StoreError(
                f"{destination}: cannot be written: {error}; what is done stays in {partial.work.parent}, and the same "
                "command continues"
            ) from error
    return PrepareReport(
        store=destination,
        read=info.records,
        skipped=tuple((skipped.record, skipped.reason) for skipped in info.skipped),
        missing=missing,
        resumed=agenda.resumed,
        seconds=time.perf_counter() - began,
        personal=info.personal,
        links_out=sum(_leads_out(entry.path, source.resolve()) for entry in entries),
    )


def _leads_out(path: Path, source: Path) -> bool:
    # Folders that are links are not walked through.
    return path.is_symlink() and not path.resolve().is_relative_to(source)


def _shards(entries: Sequence[Entry], per_shard: int) -> list[list[Chunk]]:
    """The chunks of each shard: no chunk crosses the border between two shards."""
    shards, index = [], 0
    for begin in range(0, len(entries), per_shard):
        end = min(begin + per_shard, len(entries))
        chunks = []
        for first in range(begin, end, CHUNK):
            chunks.append(Chunk(index, first, tuple(entries[first : min(first + CHUNK, end)])))
            index += 1
        shards.append(chunks)
    return shards


class _Agenda:
    """What an earlier run has left to do, and which shards become complete meanwhile.

    Attributes:
        tasks: To be done, from the left.
        resumed: Records that were done before.
    """

    def __init__(self, job: Job, shards: Sequence[Sequence[Chunk]]) -> None:
        self.tasks: deque[Task] = deque()
        self.resumed = 0
        self._chunks = shards
        self._shard_of: dict[int, int] = {}
        self._left: dict[int, int] = {}
        for shard, chunks in enumerate(shards):
            whole = shard_is_whole(job, shard)
            missing = [] if whole else [chunk for chunk in chunks if not part_is_whole(job.part(chunk.index))]
            self.resumed += sum(len(chunk.entries) for chunk in chunks) - sum(len(chunk.entries) for chunk in missing)
            self._shard_of |= {chunk.index: shard for chunk in missing}
            self._left[shard] = len(missing)
            if not whole:
                self.tasks += missing or [_merge(shard, chunks)]

    def note(self, done: Task) -> None:
        """Queue the shard that the task made complete, before further records: its parts are still in memory."""
        if isinstance(done, Merge):
            return
        shard = self._shard_of[done.index]
        self._left[shard] -= 1
        if not self._left[shard]:
            self.tasks.appendleft(_merge(shard, self._chunks[shard]))


def _merge(shard: int, chunks: Sequence[Chunk]) -> Merge:
    return Merge(shard, tuple(chunk.index for chunk in chunks))


@contextmanager
def _bar(total: int, resumed: int, name: str, *, show: bool) -> Iterator[Callable[[int], None]]:
    """A progress bar, as a function that is told how many records of this run were begun."""
    began = time.perf_counter()
    columns = (
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), disable=not show) as bars:
        bar = bars.add_task(f"prepare {name}", total=total, completed=resumed, rate="")

        def watch(begun: int) -> None:
            # A record tried twice counts twice.
            completed = min(resumed + begun, total)
            rate = begun / max(time.perf_counter() - began, 1e-9)
            bars.update(bar, completed=completed, rate=f"{rate:,.0f} records/s" if begun else "")

        yield watch
        bars.update(bar, completed=total)
