r"""One batch over several processes: every process embeds its share, and all compute the loss of the whole.

**The rule.** A contrast needs every record of a batch, so features are gathered, and each process computes the same
loss L of the whole batch. Gradients are then averaged over the W processes (DDP does so). For what lies behind the
gather (temperatures, concept vectors) every process has the whole of dL/dtheta, and their mean is dL/dtheta. For what
lies before it, a process has but the part of its own records, and the mean of the parts is their sum divided by W. So
the way back through the gather multiplies by W, and nothing else anywhere is scaled:

    1/W sum_r (W dL/df_r df_r/dtheta) = sum_r dL/df_r df_r/dtheta = dL/dtheta.

W is also what the adjoint of a gather gives, which adds up what all processes have for a record: they compute the same
loss, so the sum is W times what is here already, and the way back needs no communication.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, distributed


@dataclass(frozen=True)
class Processes:
    """This process among those that share a batch; by default it is alone.

    Attributes:
        rank: Of this one, from 0.
        count: Of all.
    """

    rank: int = 0
    count: int = 1

    @property
    def leads(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def share(self, size: int) -> slice:
        """This process's part of `size` things: contiguous, as even as can be, empty where there are too few."""
        return slice(self.rank * size // self.count, (self.rank + 1) * size // self.count)

    def parts(self, size: int, most: int | None) -> list[slice]:
        """This process's share in parts of about equal length, at most `most`: as many in every process.

        Where a share is smaller than others, and too small for as many parts, a part may have one more.
        """
        own, largest = self.share(size), -(-size // self.count)
        count = 1 if most is None else max(min(-(-largest // most), size // self.count), 1)
        places = [own.start + number * (own.stop - own.start) // count for number in range(count + 1)]
        return [slice(*pair) for pair in pairwise(places)]

    def gather(self, own: Tensor) -> Tensor:
        """The parts of all processes, one after another by rank. Differentiable; see the rule above.

        Parts may differ in length, and one may be empty. If they differ in other dimensions (channels, where each part
        is padded to its own montages), the smaller ones are padded with zeros. Every process must call it, in the same
        order as the others.

        Args:
            own: This process's part, of one dimension or more.
        """
        if self.count == 1:
            return own
        # torch leaves Function.apply untyped.
        whole: Tensor = _Gather.apply(own, self)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return whole


ALONE = Processes()


class Gathered(Mapping[str, Tensor]):
    """Named tensors of the whole batch, each gathered when it is first asked for: nobody sends what no objective reads.

    All processes must ask for the same names in the same order; they do if they compute the same losses.

    Args:
        own: Of this process.
        processes: Who shares the batch.
        shared: Names of tensors that are not one row a record: every process has the whole of them. Those without
            dimensions never need to be named.
    """

    def __init__(self, own: Mapping[str, Tensor], processes: Processes, shared: Collection[str] = ()) -> None:
        self._own, self._processes, self._shared = own, processes, shared
        self._whole: dict[str, Tensor] = {}

    def __getitem__(self, name: str) -> Tensor:
        if name not in self._whole:
            own = self._own[name]
            alike = name in self._shared or own.ndim == 0
            self._whole[name] = own if alike else self._processes.gather(own)
        return self._whole[name]

    def __contains__(self, name: object) -> bool:
        # Mapping would ask for the tensor itself.
        return name in self._own

    def __iter__(self) -> Iterator[str]:
        return iter(self._own)

    def __len__(self) -> int:
        return len(self._own)


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, own: Tensor, processes: Processes) -> Tensor:
        parts = _exchange(own.detach(), processes.count)
        start = sum(len(part) for part in parts[: processes.rank])
        ctx.mine = (slice(start, start + len(own)), *(slice(size) for size in own.shape[1:]))
        ctx.count = processes.count
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grad: Tensor) -> tuple[Tensor | None, ...]:
        return grad[0][ctx.mine] * ctx.count, None


def _exchange(own: Tensor, count: int) -> list[Tensor]:
    """What every process has, padded to one shape for the way and cut to its own length."""
    # Not every backend sends truth values.
    sent = own.to(torch.uint8) if own.dtype is torch.bool else own
    mine = torch.tensor(own.shape, device=own.device)
    shapes = [torch.empty_like(mine) for _ in range(count)]
    distributed.all_gather(shapes, mine)
    largest = torch.stack(shapes).amax(0).tolist()
    room = sent.new_zeros(largest)
    room[tuple(slice(size) for size in own.shape)] = sent
    parts = [torch.empty_like(room) for _ in range(count)]
    distributed.all_gather(parts, room)
    return [part[: int(shape[0])].to(own.dtype) for part, shape in zip(parts, shapes, strict=True)]
