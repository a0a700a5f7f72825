"""Make what comes next while the present is worked on: in order, bit for bit, in bounded memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import TypeVar

import torch
from threadpoolctl import threadpool_limits

Key = TypeVar("Key")
Item = TypeVar("Item")

#: Threads that read, and how many things are made, or being made, before they are asked for.
THREADS, AHEAD = 2, 4
# How long somebody who stops waits for threads that are still reading.
_PATIENCE = 1.0


def prefetch(
    make: Callable[[Key], Item], keys: Iterable[Key], *, threads: int = THREADS, ahead: int = AHEAD
) -> Generator[Item, None, None]:
    """`make(key)` for each key, in their order, by several threads.

    Reading memory-mapped shards, converting and copying release the interpreter, so threads are enough. What `make`
    gives must depend on its argument alone; then it does not matter who makes what, and when. At most `ahead` things
    are there before they are asked for. An error comes where its thing would have come.

    Whoever stops asking closes the iterator, and the threads end with what they are at. They are daemons: a disk that
    does not answer keeps no process alive that wants to end.

    Args:
        make: From a key to a thing.
        keys: Taken one after another, as they are needed.
        threads: Of each call.
        ahead: The most things in memory beside the one that is being used.
    """
    orders: SimpleQueue[tuple[Key, Future[Item]] | None] = SimpleQueue()
    workers = [
        threading.Thread(target=_work, args=(make, orders), name=f"batch-{number}", daemon=True)
        for number in range(min(threads, ahead))
    ]
    pending: deque[Future[Item]] = deque()
    waiting = iter(keys)

    def order() -> None:
        for key in waiting:
            pending.append(Future())
            orders.put((key, pending[-1]))
            return

    for worker in workers:
        worker.start()
    try:
        for _ in range(ahead):
            order()
        while pending:
            made = pending.popleft().result()
            order()
            yield made
            # Nobody but the one who asked holds on to it.
            del made
    finally:
        for future in pending:
            future.cancel()
        for _ in workers:
            orders.put(None)
        for worker in workers:
            worker.join(_PATIENCE)


def _work(make: Callable[[Key], Item], orders: SimpleQueue[tuple[Key, Future[Item]] | None]) -> None:
    # The threads of torch and numpy belong to the one who computes. Asked first, for torch sets the number anew when a
    # thread needs it for the first time.
    torch.get_num_threads()
    with threadpool_limits(1, user_api="openmp"):
        while (given := orders.get()) is not None:
            key, future = given
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(make(key))
            except BaseException as error:  # noqa: BLE001 -- whatever it is, it belongs to the one who asked
                future.set_exception(error)
            # What was made is not kept until the next one is.
            del future, given
