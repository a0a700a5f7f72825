"""Random numbers that belong to a record: the same whoever stands beside it in a batch, and wherever."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64, UInt64
from torch import Tensor

# The odd number of splitmix64, 2^64 over the golden ratio, and the factors of its mixing function.
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FACTORS = (np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB))
_SHIFTS = (np.uint64(30), np.uint64(27), np.uint64(31))


class Chance:
    """What an augmentation draws for the records of a batch, from one key a record.

    Every number is a hash of the record's key, of how many draws came before, and of its own place within the draw:
    there is no stream that a neighbour, a padded channel or another process could read ahead of. Few numbers a record
    (`uniform`, `normal`) are hashed one by one, all records at once; a number for every sample (`noise`) comes from a
    generator that is started anew for each record, which is several times faster than hashing samples.

    Args:
        keys: One for each record; equal keys draw equal numbers.
        draws: How many came before.

    References:
        Steele, Lea and Flood, Fast splittable pseudorandom number generators, OOPSLA 2014 (splitmix64); Salmon et al.,
        Parallel random numbers: as easy as 1, 2, 3, SC 2011 (numbers by counter).
    """

    def __init__(self, keys: Sequence[int] | UInt64[np.ndarray, " record"], draws: int = 0) -> None:
        self._keys = np.asarray(keys, dtype=np.uint64)
        self._draws = draws

    def __len__(self) -> int:
        return len(self._keys)

    def child(self, number: int) -> Chance:
        """Other numbers for the same records: those of the step of that number."""
        return Chance(_at(self._keys, number))

    def take(self, rows: Int64[Tensor, " row"]) -> Chance:
        """The same numbers for some of the records."""
        return Chance(self._keys[rows.numpy()], self._draws)

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Float[Tensor, "record ..."]:
        """From `low` up to, but without, `high`."""
        return (low + (high - low) * self._unit(shape)).float()

    def normal(self, *shape: int) -> Float[Tensor, "record ..."]:
        """Standard normal."""
        # Between the steps of 2^-24 that there are, so that neither end is met.
        return torch.special.ndtri(self._unit(shape) + 2.0**-25).float()

    def phases(self, *shape: int) -> Float[Tensor, "record ..."]:
        """Radians, from minus pi to pi."""
        return self.uniform(*shape, low=-math.pi, high=math.pi)

    def choice(self, probability: float) -> Bool[Tensor, " record"]:
        """Which records something happens to: none with probability 0, all with 1."""
        return self.uniform() < probability

    def noise(self, rows: Int64[Tensor, " record"], length: int) -> Float[Tensor, "record row length"]:
        """Standard normal for each sample of the first few rows of each record; zero in its other rows.

        Args:
            rows: How many rows of each record are filled; must be a matter of the record alone.
            length: Of a row.
        """
        counts = rows.tolist()
        filled = torch.zeros(len(self), max(counts, default=0), length)
        generator = torch.Generator()
        for into, seed, count in zip(filled, self._next().astype(np.int64).tolist(), counts, strict=True):
            if count:
                into[:count].normal_(generator=generator.manual_seed(seed))
        return filled

    def _unit(self, shape: tuple[int, ...]) -> Float[Tensor, "record ..."]:
        """Multiples of 2^-24, which float32 holds exactly, below 1."""
        hashed = self._next()
        for axis, size in enumerate(shape):
            hashed = _at(hashed[..., None], np.arange(1, size + 1, dtype=np.uint64) + np.uint64(axis << 32))
        return torch.from_numpy((hashed >> np.uint64(40)).astype(np.float64) * 2.0**-24)

    def _next(self) -> UInt64[np.ndarray, " record"]:
        self._draws += 1
        return _at(self._keys, -self._draws)


def _at(keys: UInt64[np.ndarray, "*any"], place: int | UInt64[np.ndarray, " place"]) -> UInt64[np.ndarray, "*other"]:
    """The number at a place of the sequence that splitmix64 gives from a key."""
    if isinstance(place, int):
        # An array and no scalar: scalars warn of the overflow that is wanted here.
        place = np.array([place % 2**64], dtype=np.uint64)
    return _mixed(_mixed(keys) + place * _GOLDEN)


def _mixed(z: UInt64[np.ndarray, "*any"]) -> UInt64[np.ndarray, "*any"]:
    """The mixing function of splitmix64: every bit of the result depends on every bit of the argument."""
    for shift, factor in zip(_SHIFTS, _FACTORS, strict=False):
        z = (z ^ (z >> shift)) * factor
    return z ^ (z >> _SHIFTS[-1])
