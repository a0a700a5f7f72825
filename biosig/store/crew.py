"""Who does the tasks of a run: this process, others of this machine, or those of a cluster."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from biosig.errors import BiosigError
from biosig.store.chunk import Job, Task
from biosig.store.processes import Processes


class Crew(Protocol):
    """Whoever does tasks."""

    def work(self, job: Job, tasks: deque[Task], watch: Callable[[int], None]) -> Iterator[Task]:
        """Do the tasks, in any order, and yield each when it is done. The caller may add tasks meanwhile.

        Args:
            job: What the tasks share.
            tasks: Taken from the left.
            watch: Told now and then how many records were begun.

        Raises:
            OSError, StoreError: As `Job.run`, from whoever meets it first.
        """


class Alone:
    """This process, where a crash takes everything with it."""

    def work(self, job: Job, tasks: deque[Task], watch: Callable[[int], None]) -> Iterator[Task]:
        """See `Crew`."""
        begun = 0

        def begin(_: int) -> None:
            nonlocal begun
            begun += 1
            watch(begun)

        while tasks:
            task = tasks.popleft()
            job.run(task, begin)
            yield task


def hire(workers: int | None, dask: str | None) -> AbstractContextManager[Crew]:
    """The crew that a user asks for.

    Args:
        workers: Processes of this machine; 0 is this process alone, None one for every core.
        dask: Address of the scheduler of a cluster.

    Raises:
        BiosigError: If both are given, or there is no such cluster.
    """
    if dask is None:
        return nullcontext(Alone() if workers == 0 else Processes(workers))
    if workers is not None:
        raise BiosigError(f"workers: expected none with dask, which has its own, got {workers}")
    from biosig.store.cluster import connected  # noqa: PLC0415 -- of an extra

    return connected(dask)
