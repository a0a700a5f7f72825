"""Real processes connected by gloo, for tests."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

import torch
from torch import multiprocessing

from pretrain.parallel.launch import environment, leave


def in_processes(count: int, function: Callable[..., Any], *arguments: Any) -> None:
    """Call `function(*arguments)` in so many fresh processes that know of each other as torchrun's do."""
    multiprocessing.spawn(_start, (count, free_port(), function, arguments), nprocs=count)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _start(rank: int, count: int, port: int, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    os.environ |= environment(rank, count, port)
    torch.set_num_threads(1)
    function(*arguments)
    leave()
