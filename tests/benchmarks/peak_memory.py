"""How much memory a process has needed at most."""

from __future__ import annotations

import ctypes
import multiprocessing
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

Answer = TypeVar("Answer")
# A number of glibc's malloc.h.
_MMAP_THRESHOLD = -3


def resident() -> float:
    """The largest resident set of this process so far, in MB."""
    # Linux hands ru_maxrss down from the process that started this one; the high-water mark of the memory is its own.
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status.read_text())[0]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def hand_back() -> None:
    """Give blocks of a megabyte and more back to the system when they are freed (glibc).

    What is resident then is what is in use; otherwise the holes between freed blocks are part of it. It takes time.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "mallopt"):
        library.mallopt(_MMAP_THRESHOLD, 1 << 20)


def alone(measure: Callable[..., Answer], *arguments: object) -> Answer:
    """A function of a module in a fresh process, whose memory nobody has used before."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)
