"""Several groups of records in one run: each batch is of one group, and how often a group comes is a matter of size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float64, Int64

from pretrain.errors import TrainingError

if TYPE_CHECKING:
    from torch import Tensor

    from pretrain.sampling.samplers import Sampler

# Keeps these numbers apart from those that draw order, windows, moments and augmentations of the same seed.
_GROUP = 7
# Steps drawn at once; a longer run doubles them.
_FEWEST = 1024


def shares(counts: Sequence[int], temperature: float) -> Float64[np.ndarray, " part"]:
    r"""How often each part is taken: p_g = n_g^(1/T) / sum_h n_h^(1/T).

    At T = 1 that is in proportion to the sizes; the larger T, the nearer to equal. What is empty is never taken.

    Args:
        counts: The sizes n.
        temperature: T, at least 1.

    References:
        Arivazhagan et al., arXiv 1907.05019, for T; Conneau and Lample (XLM), arXiv 1901.07291, and Xue et al. (mT5),
        arXiv 2010.11934, for its inverse, 0.5 and 0.3.
    """
    sizes = np.asarray(counts, dtype=np.float64)
    powers = np.where(sizes > 0, sizes / sizes.max(), 0.0) ** (1 / temperature)
    return powers / powers.sum()


class Mixed:
    r"""Batches of one group each, by samplers of their own.

    The group of a step is drawn with the probabilities `shares`, n_g being the windows that the sampler of group g
    holds. The draw is a function of the seed and the step alone: all processes make it alike, and a resumed run goes
    on with it.

    **Epochs.** Each group has its own: the k-th batch that is taken of a group is the k-th batch of its sampler, epoch
    after epoch, whatever other groups did in between. So the windows of a group are used equally often, as its sampler
    has it, and a group that is taken more often than its size asks for is through its epochs sooner. The epoch of the
    mixture itself only counts: it has as many steps as the groups have batches in all.

    Args:
        groups: Samplers by name, with batches of one size.
        temperature: T of `shares`.
        left_out: Records that belong to no group.

    Attributes:
        groups: The samplers by name.
        shares: The probability of each group.

    Raises:
        TrainingError: If a group does not fill a batch.
    """

    def __init__(self, groups: Mapping[str, Sampler], temperature: float = 1.0, *, left_out: int = 0) -> None:
        self.groups, self.left_out = dict(groups), left_out
        for name, sampler in self.groups.items():
            if not sampler.batches_per_epoch:
                raise TrainingError(
                    f"data.sampler.groups.{name}: {len(sampler)} windows train, fewer than optimiser.batch_size "
                    f"({sampler.size})"
                )
        sizes = {sampler.size for sampler in self.groups.values()}
        if len(sizes) != 1:
            raise ValueError(f"groups: expected batches of one size, got {sorted(sizes)}")
        self.size = sizes.pop()
        self._shares = tuple(shares([len(sampler) for sampler in self.groups.values()], temperature).tolist())
        self.shares = dict(zip(self.groups, self._shares, strict=True))

    def __len__(self) -> int:
        """Windows of all groups."""
        return sum(map(len, self.groups.values()))

    @property
    def batches_per_epoch(self) -> int:
        """Those of all groups."""
        return sum(sampler.batches_per_epoch for sampler in self.groups.values())

    @property
    def note(self) -> str:
        """What is left out, in one line; empty where nothing is."""
        notes = [f"{name}: {sampler.note}" for name, sampler in self.groups.items() if sampler.note]
        if self.left_out:
            notes.append(f"{self.left_out} records are left out, for they belong to no group")
        return "; ".join(notes)

    def batch(self, place: int, *, seed: int, epoch: int, part: slice = slice(None)) -> dict[str, Tensor]:
        """See `pretrain.sampling.samplers.Sampler.batch`."""
        name, before = self.drawn(epoch * self.batches_per_epoch + place, seed)
        sampler = self.groups[name]
        own_epoch, own_place = divmod(before, sampler.batches_per_epoch)
        return sampler.batch(own_place, seed=seed, epoch=own_epoch, part=part)

    def drawn(self, step: int, seed: int) -> tuple[str, int]:
        """The group of a step, counted from 0, and how many steps before it took the same group."""
        group, before = self._draws(step, seed)
        return list(self.groups)[group[step]], int(before[step])

    def taken(self, step: int, seed: int) -> dict[str, int]:
        """How many of the steps before a step took each group."""
        group, _ = self._draws(step, seed)
        counts = np.bincount(group[:step], minlength=len(self.groups))
        return dict(zip(self.groups, counts.tolist(), strict=True))

    def opening(self, batches: int, seed: int) -> list[int]:
        """The first steps with so many batches of each group, as far as one epoch of it has them."""
        wanted = [min(batches, sampler.batches_per_epoch) for sampler in self.groups.values()]
        last = _FEWEST
        while min(self.taken(last, seed)[name] - count for name, count in zip(self.groups, wanted, strict=True)) < 0:
            last *= 2
        group, before = self._draws(last, seed)
        return np.flatnonzero(before[:last] < np.array(wanted)[group[:last]]).tolist()

    def _draws(self, step: int, seed: int) -> tuple[Int64[np.ndarray, " step"], Int64[np.ndarray, " step"]]:
        return _draws(self._shares, seed, max(_FEWEST, 1 << step.bit_length()))


@lru_cache(maxsize=4)
def _draws(
    probabilities: tuple[float, ...], seed: int, steps: int
) -> tuple[Int64[np.ndarray, " step"], Int64[np.ndarray, " step"]]:
    """Of each step, its group and how often that was drawn before; more steps begin with those of fewer."""
    uniform = np.random.default_rng([seed, 0, _GROUP]).random(steps)
    group = np.searchsorted(np.cumsum(probabilities[:-1]), uniform, side="right")
    before = np.empty(steps, dtype=np.int64)
    for number in range(len(probabilities)):
        places = np.flatnonzero(group == number)
        before[places] = np.arange(len(places))
    return group, before
