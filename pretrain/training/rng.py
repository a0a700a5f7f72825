"""The state of every random generator a training step may draw from, as tensors and JSON."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor


def seed_everything(seed: int) -> None:
    """Start torch, numpy and Python from one seed."""
    torch.manual_seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002  # libraries of others may draw from the global generator
    random.seed(seed)


def draw_key() -> int:
    """A number from torch's random state, for `seeded`."""
    return int(torch.randint(2**62, ()))


@contextmanager
def seeded(*key: int) -> Iterator[None]:
    """A stretch in which what torch draws depends on these numbers alone; afterwards its state is as it was before.

    Entered again with the same numbers, it draws the same: randomness is replayed without keeping any state.
    """
    devices = [torch.cuda.current_device()] if torch.cuda.is_available() else []
    with torch.random.fork_rng(devices):
        torch.manual_seed(int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> np.uint64(1)))
        yield


def rng_state() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The states of torch (CPU and GPUs) as tensors; those of numpy and Python as JSON."""
    tensors = {"torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors |= {f"cuda.{index}": state for index, state in enumerate(torch.cuda.get_rng_state_all())}
    kind, keys, *rest = np.random.get_state(legacy=True)  # noqa: NPY002
    version, internal, gauss = random.getstate()
    numbers = {"numpy": [kind, np.asarray(keys).tolist(), *rest], "python": [version, list(internal), gauss]}
    return tensors, numbers


def set_rng_state(tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Go back to what `rng_state` gave.

    Raises:
        Exception: If it is not that, of whatever kind.
    """
    torch.set_rng_state(tensors["torch"])
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            if (state := tensors.get(f"cuda.{index}")) is not None:
                torch.cuda.set_rng_state(state, index)
    kind, keys, *rest = numbers["numpy"]
    # numpy believes the place that it is told, and reads there.
    if not 0 <= rest[0] <= len(keys):
        raise ValueError(f"random state: numpy: expected a place among {len(keys)}, got {rest[0]}")
    np.random.set_state((kind, np.array(keys, dtype=np.uint32), *rest))  # noqa: NPY002
    version, internal, gauss = numbers["python"]
    random.setstate((version, tuple(internal), gauss))
