"""Worker processes that may die: the record that killed one is tried once more, then given up, and the rest goes on.

`concurrent.futures` cannot say which of its processes died over what; here every worker has a pipe of its own, and
writes the number of the record at hand to shared memory before it touches it.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import BaseContext
from typing import Any, Protocol

import threadpoolctl

from biosig.errors import BiosigError, StoreError
from biosig.store.chunk import Chunk, Job, Task

# How often a worker may die over one record before the record is given up. Twice: the first time may have been
# another's fault, as when the system kills the largest process for want of memory.
_STRIKES = 2
_POLL_SECONDS = 0.1
_NO_RECORD = -1


class _Memory(Protocol):
    """Two integers that both processes see: the record at hand, and how many were begun."""

    def __getitem__(self, index: int) -> int: ...
    def __setitem__(self, index: int, value: int) -> None: ...


class Processes:
    """A crew of processes of this machine.

    Args:
        count: How many at most; by default one for every core this process may use.
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = default_workers() if count is None else count

    def work(self, job: Job, tasks: deque[Task], watch: Callable[[int], None]) -> Iterator[Task]:
        """See `biosig.store.crew.Crew`.

        Raises:
            BiosigError: If workers cannot start, or keep dying without a record to blame.
        """
        team = Team(job, min(self.count, len(tasks)))
        try:
            yield from team.work(tasks, watch)
        finally:
            team.dismiss()


def default_workers() -> int:
    """The cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass
class _Worker:
    process: Any
    pipe: Connection
    memory: _Memory
    task: Task | None = None


class Team:
    """Processes hired for one job.

    Args:
        job: What the tasks share; it travels to the workers, so it must be picklable.
        workers: How many.
    """

    def __init__(self, job: Job, workers: int) -> None:
        self._job = job
        self._context = _context(job)
        self._left_by_the_dead = 0
        self._strikes: Counter[int] = Counter()
        self._workers: list[_Worker] = []
        try:
            self._workers += [self._hire() for _ in range(workers)]
            for worker in self._workers:
                self._greet(worker)
        except BaseException:
            self.dismiss()
            raise

    def work(self, tasks: deque[Task], watch: Callable[[int], None]) -> Iterator[Task]:
        """Do tasks; may be called again when all are done."""
        while tasks or any(worker.task for worker in self._workers):
            for worker in self._workers:
                if worker.task is None and tasks:
                    worker.task = tasks.popleft()
                    worker.pipe.send(worker.task)
            busy = {worker.pipe: worker for worker in self._workers if worker.task}
            ready = wait(list(busy), timeout=_POLL_SECONDS)
            watch(self._left_by_the_dead + sum(worker.memory[1] for worker in self._workers))
            for pipe in ready:
                worker = busy[pipe]  # type: ignore[index]  # only pipes were waited for
                try:
                    failure = worker.pipe.recv()
                except (EOFError, OSError):
                    tasks.appendleft(self._replace(worker))
                    continue
                if failure is not None:
                    raise failure
                done, worker.task = worker.task, None
                assert done is not None
                yield done

    def dismiss(self) -> None:
        """End all workers: the idle leave by themselves when their pipe closes, the busy are stopped."""
        for worker in self._workers:
            worker.pipe.close()
            if worker.task is not None:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join()
        self._workers = []

    def _hire(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        memory = self._context.RawArray("q", [_NO_RECORD, 0])
        process = self._context.Process(  # type: ignore[attr-defined]
            target=_serve, args=(theirs, memory), name="biosig-prepare", daemon=True
        )
        try:
            process.start()
        except (EOFError, OSError) as error:
            raise _cannot_start(str(error)) from None
        # Only the worker holds its end, so that its death closes the pipe.
        theirs.close()
        return _Worker(process, ours, memory)

    def _greet(self, worker: _Worker) -> None:
        try:
            worker.pipe.send(self._job)
            worker.pipe.recv()
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            raise BiosigError(
                f"the corpus {self._job.corpus.name!r} cannot travel to worker processes ({error}): define its class "
                "at the top of a module, or use workers=0"
            ) from None
        except (EOFError, OSError):
            worker.process.join()
            raise _cannot_start(_death(worker.process.exitcode)) from None

    def _replace(self, worker: _Worker) -> Task:
        """Hire for one who died; its task, less the record that killed it twice."""
        worker.process.join()
        record, how = worker.memory[0], _death(worker.process.exitcode)
        task = worker.task
        assert task is not None
        worker.pipe.close()
        self._left_by_the_dead += worker.memory[1]
        fresh = self._hire()
        self._workers[self._workers.index(worker)] = fresh
        self._greet(fresh)
        self._strikes[record] += 1
        if self._strikes[record] >= _STRIKES:
            if record == _NO_RECORD or not isinstance(task, Chunk):
                raise BiosigError(f"the worker process died while it wrote to {self._job.work}: {how}")
            task = replace(task, lost={**task.lost, record: f"the process that read it died: {how}"})
        return task


def _context(job: Job) -> BaseContext:
    """Processes begun afresh, not copied: a copy of a process with threads may hang. One server imports for all."""
    methods = multiprocessing.get_all_start_methods()
    if "forkserver" not in methods:
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    # The user's script is not for the server to run.
    needed = {__name__, type(job.corpus).__module__} - {"__main__"}
    context.set_forkserver_preload(sorted(needed))
    return context


def _serve(pipe: Connection, memory: _Memory) -> None:
    """The life of a worker."""
    # The parent answers to Ctrl-C, and closes the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    # As many processes as cores already.
    threadpoolctl.threadpool_limits(1)

    def begin(record: int) -> None:
        memory[0] = record
        memory[1] += 1

    try:
        job = pipe.recv()
        pipe.send(None)
        while True:
            task = pipe.recv()
            memory[0] = _NO_RECORD
            try:
                job.run(task, begin)
            except (OSError, StoreError) as error:
                pipe.send(error)
            except Exception as error:  # noqa: BLE001 -- the parent decides; not every error can travel
                pipe.send(BiosigError(f"{type(error).__name__}: {error}"))
            else:
                memory[0] = _NO_RECORD
                pipe.send(None)
    except (EOFError, OSError):
        return  # The parent is done, or dead.


def _cannot_start(how: str) -> BiosigError:
    return BiosigError(
        f"a worker process cannot start ({how}). In a script, call prepare under `if __name__ == '__main__':`; "
        "workers=0 works without processes"
    )


def _death(code: int | None) -> str:
    if code is None or code >= 0:
        return f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
