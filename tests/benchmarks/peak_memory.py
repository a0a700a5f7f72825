"""How much memory a process has needed at most."""

from __future__ import annotations

import multiprocessing
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Answer = TypeVar("Answer")


def resident() -> float:
    """The largest resident set of this process so far, in MB."""
    # Linux hands ru_maxrss down from the process that started this one; the high-water mark of the memory is its own.
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def alone(measure: Callable[..., Answer], *arguments: object) -> Answer:
    """A function of a module in a fresh process, whose memory nobody has used before."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)
