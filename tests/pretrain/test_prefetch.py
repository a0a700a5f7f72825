"""Prefetching: the order and the things of a plain loop, errors in their place, no more memory than promised."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_info

from biosig.store import Store, Windows
from pretrain.data.prefetch import prefetch


@pytest.mark.parametrize(("threads", "ahead"), [(1, 1), (2, 4), (4, 2), (8, 16)])
def test_order_and_things_are_those_of_a_loop(threads: int, ahead: int) -> None:
    naps = np.random.default_rng(0).uniform(0, 0.004, size=50)

    def make(key: int) -> int:
        time.sleep(naps[key])
        return key * key

    assert list(prefetch(make, range(50), threads=threads, ahead=ahead)) == [key * key for key in range(50)]


def test_nothing_is_made_of_nothing() -> None:
    assert list(prefetch(lambda key: key, [])) == []


def test_no_more_is_made_ahead_than_allowed_and_keys_are_taken_as_needed() -> None:
    taken, alive, most = 0, 0, 0
    lock = threading.Lock()

    class Thing:
        def __init__(self) -> None:
            nonlocal alive, most
            with lock:
                alive += 1
                most = max(most, alive)

        def __del__(self) -> None:
            nonlocal alive
            with lock:
                alive -= 1

    def keys() -> Iterator[int]:
        nonlocal taken
        for key in range(40):
            taken += 1
            yield key

    with closing(prefetch(lambda _: Thing(), keys(), threads=3, ahead=3)) as things:
        for number, thing in enumerate(things, start=1):
            del thing
            time.sleep(0.001)
            assert taken <= number + 3
    assert most <= 3 + 1, "and the one in use"


def test_an_error_comes_in_its_place_and_the_threads_end() -> None:
    def make(key: int) -> int:
        if key == 3:
            raise ValueError("record a17")
        return key

    before = threading.active_count()
    found = []
    with pytest.raises(ValueError, match="record a17"), closing(prefetch(make, range(10))) as made:
        found.extend(made)
    assert found == [0, 1, 2]
    assert threading.active_count() == before


def test_who_stops_waits_for_nobody_who_hangs() -> None:
    hangs = threading.Event()
    made = prefetch(lambda key: hangs.wait() if key else key, range(10), threads=2, ahead=3)
    assert next(made) == 0
    began = time.perf_counter()
    made.close()
    assert time.perf_counter() - began < 5
    hangs.set()


def test_a_thread_that_hangs_keeps_no_process_alive() -> None:
    script = (
        "import time\nfrom pretrain.data.prefetch import prefetch\n"
        "made = prefetch(lambda key: time.sleep(600 * key), range(10))\nnext(made)\nraise SystemExit(7)"
    )
    ended = subprocess.run([sys.executable, "-c", script], timeout=60, check=False)
    assert ended.returncode == 7


def test_readers_leave_the_cores_to_the_towers() -> None:
    torch.set_num_threads(2)
    try:
        seen = list(
            prefetch(
                lambda _: [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "openmp"], range(2)
            )
        )
        assert all(count == 1 for counts in seen for count in counts)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(1)


def test_threads_that_read_at_the_turn_of_an_epoch_read_what_one_would(store: Store) -> None:
    windows = Windows([Store(store)], seconds=2, train=True)
    keys = [(epoch, item) for epoch in range(20) for item in range(0, len(windows), 24)]

    def make(key: tuple[int, int]) -> list[int]:
        return windows.starts([key[1]], seed=1, epoch=key[0]).tolist()

    alone = [make(key) for key in keys]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        assert list(prefetch(make, keys, threads=4, ahead=8)) == alone
    finally:
        sys.setswitchinterval(interval)
