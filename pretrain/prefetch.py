"""Make the next batch while the present one is learnt from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def prefetch(make: Callable[[int], Item], steps: Iterable[int]) -> Iterator[tuple[int, Item]]:
    """`(step, make(step))` for each step, in order, one batch ahead in a thread.

    Reading memory-mapped shards and copying them into tensors releases the interpreter, so a thread is enough. What
    `make` gives must depend on its argument alone.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="batch") as pool:
        waiting = iter(steps)
        pending = [(step, pool.submit(make, step)) for step in (next(waiting, None),) if step is not None]
        while pending:
            step, future = pending.pop()
            result = future.result()
            if (following := next(waiting, None)) is not None:
                pending.append((following, pool.submit(make, following)))
            yield step, result
