"""A crew on other machines: the tasks of a run, done by the workers of a dask.distributed cluster.

Every thread of a dask worker has a process of its own for the records, as a local run has: a record that kills its
process is known by name and skipped, the worker lives on, and threads do not wait for one interpreter. A worker that
dies all the same is dask's affair: its tasks go to another, and give the same bytes.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from biosig.errors import BiosigError, StoreError
from biosig.store.chunk import Chunk, Job, Merge, Task
from biosig.store.partial import versions
from biosig.store.processes import Team

if TYPE_CHECKING:
    from distributed import Client, Future

# Seconds until a scheduler must have answered, and the first worker must be there.
_PATIENCE = 20.0
# Tasks given out for every thread: enough that none waits for the next, few enough to be taken back.
_AHEAD = 4


@contextmanager
def connected(address: str) -> Iterator[Cluster]:
    """The workers of a scheduler.

    Args:
        address: As dask prints it, `tcp://host:8786`; or the file that `dask scheduler --scheduler-file` wrote.

    Raises:
        BiosigError: If dask.distributed is not installed, or no scheduler answers.
    """
    try:
        from distributed import Client  # noqa: PLC0415 -- of an extra
        from distributed.utils import silence_logging_cmgr  # noqa: PLC0415
    except ImportError:
        raise BiosigError('dask: not installed; pip install "biosig[cluster]"') from None
    place = {"scheduler_file": address} if Path(address).is_file() else {"address": address}
    # What goes wrong is said in one line, by the errors below.
    with silence_logging_cmgr(logging.CRITICAL), silence_logging_cmgr(logging.CRITICAL, root="tornado"):
        try:
            client = Client(**place, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise BiosigError(f"dask: no scheduler answers at {address}: {error}") from None
        with client:
            yield Cluster(client, address)


class Cluster:
    """A crew of dask workers."""

    def __init__(self, client: Client, address: str) -> None:
        self._client, self._address = client, address

    def work(self, job: Job, tasks: deque[Task], watch: Callable[[int], None]) -> Iterator[Task]:
        """See `biosig.store.crew.Crew`; records count as begun when their task is done.

        Raises:
            BiosigError: If there is no worker, or one that could not give the same bytes: it does not see the folders,
                or has another version of a package that matters.
            StoreError: If the scheduler is lost, or a task takes several workers with it.
        """
        from distributed import KilledWorker, as_completed  # noqa: PLC0415 -- of an extra
        from distributed.comm import CommClosedError  # noqa: PLC0415

        bond = Bond.of(job, tasks)
        bond.mark.write_text(bond.run)
        going: dict[Future, Task] = {}
        done = as_completed(loop=self._client.loop, with_results=True)
        begun = room = 0
        try:
            self._check(bond)
            while tasks or going:
                if len(going) <= room // 2:
                    # Workers come and go.
                    room = _AHEAD * max(1, self._threads())
                    while tasks and len(going) < room:
                        task = tasks.popleft()
                        future = self._submit(bond, job, task)
                        going[future] = task
                        done.add(future)
                future, _ = next(done)
                task = going.pop(future)
                if isinstance(task, Chunk):
                    watch(begun := begun + len(task.entries))
                yield task
        except KilledWorker as error:
            raise StoreError(f"dask: every worker that was given {error.task} died, {error.last_worker} last") from None
        except (CancelledError, CommClosedError) as error:
            raise self._lost(error) from None
        finally:
            bond.mark.unlink(missing_ok=True)
            # Without a scheduler there is nobody to tell.
            with suppress(OSError):
                self._client.cancel(list(going))
                self._client.run(dismiss, bond.run, on_error="ignore")

    def _threads(self) -> int:
        try:
            return sum(self._client.nthreads().values())
        except OSError as error:
            raise self._lost(error) from None

    def _lost(self, error: Exception) -> StoreError:
        return StoreError(f"dask: lost the scheduler at {self._address} ({error}); the same command continues")

    def _submit(self, bond: Bond, job: Job, task: Task) -> Future:
        # A shard that is complete comes before further records: its parts are still in somebody's memory.
        name, priority = (f"shard-{task.shard}", 1) if isinstance(task, Merge) else (f"records-{task.first}", 0)
        return self._client.submit(do, bond, job, task, key=f"{name}-{bond.run}", priority=priority, pure=False)

    def _check(self, bond: Bond) -> None:
        try:
            self._client.wait_for_workers(1, timeout=_PATIENCE)
        except TimeoutError:
            raise BiosigError(f"dask: the scheduler at {self._address} has no workers") from None
        for worker, found in sorted(self._client.run(bond.problem, on_error="return").items()):
            if isinstance(found, Exception):
                raise BiosigError(f"dask: worker {worker}: has no biosig that can be used: {found}")
            if found is not None:
                raise BiosigError(f"dask: worker {worker}: {found}")


@dataclass(frozen=True)
class Bond:
    """What a worker must share with the client for its bytes to be the same.

    Attributes:
        run: A name for this run.
        versions: Of the packages that decide the bytes.
        sources: The corpus folder, and a file in it.
        mark: A file that the client wrote where the workers are to write.
    """

    run: str
    versions: Mapping[str, str]
    sources: tuple[Path, ...]
    mark: Path

    @classmethod
    def of(cls, job: Job, tasks: deque[Task]) -> Bond:
        """The bond of a run with its client."""
        run = uuid4().hex
        some = next((entry.path for task in tasks if isinstance(task, Chunk) for entry in task.entries), job.source)
        sources = (job.source, some) if some.exists() else (job.source,)
        return cls(run, versions(), sources, job.work / f"{run}.mark")

    def problem(self) -> str | None:
        """What is missing where this is called, if anything."""
        found = versions()
        for name, wanted in self.versions.items():
            if found.get(name) != wanted:
                return f"expected {name} {wanted}, it has {found.get(name, 'none')}"
        for path in self.sources:
            if not path.exists():
                return f"does not see the source {path}"
        try:
            if self.mark.read_text() != self.run:
                return f"sees another folder at {self.mark.parent}"
            own = self.mark.with_name(f"{uuid4().hex}.tmp")
            own.touch()
            own.unlink()
        except FileNotFoundError:
            return f"does not see the output {self.mark.parent}"
        except OSError as error:
            return f"cannot write to the output: {error}"
        return None


# Of this worker: processes that wait for the next task of their run.
_idle: list[tuple[str, Team]] = []
_lock = threading.Lock()


def do(bond: Bond, job: Job, task: Task) -> None:
    """On a worker: do a task in a process that is kept for the next.

    Raises:
        BiosigError: If the worker, which may have come late, does not share what it must.
    """
    team = _take(bond.run) or _hire(bond, job)
    try:
        for _ in team.work(deque([task]), lambda _: None):
            pass
    except BaseException:
        team.dismiss()
        raise
    with _lock:
        _idle.append((bond.run, team))


def dismiss(run: str) -> None:
    """On a worker: end the idle processes of a run."""
    while team := _take(run):
        team.dismiss()


def _take(run: str) -> Team | None:
    """An idle process of the run. Those of other runs, whose clients may be dead, are sent away."""
    with _lock:
        mine = [team for name, team in _idle if name == run]
        others = [team for name, team in _idle if name != run]
        found = mine.pop() if mine else None
        _idle[:] = [(run, team) for team in mine]
    for team in others:
        team.dismiss()
    return found


def _hire(bond: Bond, job: Job) -> Team:
    from distributed import get_worker  # noqa: PLC0415

    if problem := bond.problem():
        raise BiosigError(f"dask: worker {get_worker().address}: {problem}")
    # Dask's nanny starts its workers as daemons, which may have no children. These leave when their pipe closes, that
    # is when the worker ends, in whatever way.
    multiprocessing.current_process().daemon = False
    return Team(job, 1)
