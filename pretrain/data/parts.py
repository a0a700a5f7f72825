"""A batch that is read part by part, as often as it is gone through: what is large of it is never there as a whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

# What is too large to be kept: samples. Everything else is a few numbers a record.
_LARGE = "signal"


class Parts(Mapping[str, Tensor]):
    """Named tensors of a batch whose records come in parts.

    Gradient caching goes through the parts twice; each time they are made anew. What an objective reads of a batch is
    kept when a part comes by and put together when it is asked for; the samples themselves are made once more for an
    objective that wants them. Parts that differ in another dimension (channels, each padded to its own montages) are
    padded with zeros.

    Args:
        make: Part number so and so of the batch: the same whenever it is asked for.
        count: How many there are.
        each: All parts in their order, where somebody has a quicker way to them than `make`.

    Attributes:
        made: `make`.
        count: How many there are.
    """

    def __init__(
        self,
        make: Callable[[int], Mapping[str, Tensor]],
        count: int,
        each: Callable[[], Iterator[Mapping[str, Tensor]]] | None = None,
    ) -> None:
        self.count = count
        self.made, self._each = make, each
        self._kept: list[dict[str, Tensor]] = []

    @classmethod
    def of(cls, parts: Sequence[Mapping[str, Tensor]]) -> Parts:
        """Parts that are there already."""
        return cls(parts.__getitem__, len(parts))

    def each(self) -> Iterator[Mapping[str, Tensor]]:
        """The parts, one after another."""
        found = map(self.made, range(self.count)) if self._each is None else self._each()
        for number, part in enumerate(found):
            if number == len(self._kept):
                self._kept.append({name: value for name, value in part.items() if name != _LARGE})
            yield part

    def __getitem__(self, name: str) -> Tensor:
        if name == _LARGE:
            return joined([self.made(number)[name] for number in range(self.count)])
        return joined([part[name] for part in self._known()])

    def __contains__(self, name: object) -> bool:
        # Mapping would ask for the tensor itself.
        return name == _LARGE or name in self._known()[0]

    def __iter__(self) -> Iterator[str]:
        return iter([_LARGE, *self._known()[0]])

    def __len__(self) -> int:
        return 1 + len(self._known()[0])

    def _known(self) -> list[dict[str, Tensor]]:
        for number in range(len(self._kept), self.count):
            self._kept.append({name: value for name, value in self.made(number).items() if name != _LARGE})
        return self._kept


def joined(parts: Sequence[Tensor]) -> Tensor:
    """Parts one after another; those that are smaller in other dimensions are padded with zeros.

    What has no dimension is the same in all of them.
    """
    first = parts[0]
    if len(parts) == 1 or first.ndim == 0:
        return first
    largest = [max(part.shape[dim] for part in parts) for dim in range(1, first.ndim)]
    return torch.cat([_grown(part, largest) for part in parts])


def _grown(part: Tensor, shape: Sequence[int]) -> Tensor:
    missing = [wanted - have for have, wanted in zip(part.shape[1:], shape, strict=True)]
    # The last dimension first, and for each what comes before and behind.
    return functional.pad(part, [n for more in reversed(missing) for n in (0, more)]) if any(missing) else part
