"""The order of an epoch, kept while batches of it are asked for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Int64

from biosig.store import batches


@lru_cache(maxsize=4)
def whole_batches(count: int, size: int, seed: int, epoch: int) -> list[Int64[np.ndarray, " item"]]:
    """The items 0 to count - 1 in any order, in batches; what does not fill one is left over."""
    return batches(count, size, seed=seed, epoch=epoch, drop_last=True)
