"""The garbage collector, put off while much is made and nothing is thrown away."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """No search for reference cycles within.

    Python searches again and again while a million small objects are made, which takes longer than making them.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@contextlib.contextmanager
def lasting() -> Iterator[None]:
    """No search for reference cycles within, and none later among what is there at the end, as after importing."""
    with paused():
        yield
        gc.freeze()
