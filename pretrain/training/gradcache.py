"""The gradient of a large batch in the memory of a small one: a contrast needs all vectors, but not all activations."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from lightning_fabric import Fabric
from torch import Tensor

from pretrain.data.parts import Parts
from pretrain.parallel.distributed import ALONE
from pretrain.parallel.sharding import share_gradients_of_numbers
from pretrain.training.allocator import return_freed_memory
from pretrain.training.learner import Learner
from pretrain.training.rng import draw_key
from pretrain.training.timing import Part


class GradCache:
    """Losses and gradients of a batch, its towers run in micro-batches if asked.

    1. All micro-batches are embedded without keeping activations.
    2. The losses of all records are computed from the features alone, and with them the gradient by every feature.
    3. Micro-batch by micro-batch, the towers run again with the same random numbers, and pass the features' gradient on
       to the weights.

    The result is the gradient of the whole batch, for one more pass forward. Memory of the towers is that of a
    micro-batch, whatever the batch; on a CPU what each has freed is returned to the system before the next.

    Args:
        learner: Model and objectives.
        micro_batch: Records embedded at once in each process; None: all.
        fabric: What `module` was set up with; None where nothing was.
        module: The learner as fabric wraps it.

    References:
        Gao et al., Scaling deep contrastive learning batch size under memory limited setup (GradCache),
        arXiv 2101.06983.
    """

    def __init__(
        self,
        learner: Learner,
        micro_batch: int | None = None,
        *,
        fabric: Fabric | None = None,
        module: torch.nn.Module | None = None,
    ) -> None:
        self.learner, self.size = learner, micro_batch
        self.fabric, self.module = fabric, learner if module is None else module

    def backward(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Add the gradients of a batch to those of the weights, averaged over processes; give the losses, detached.

        Args:
            batch: Cut into micro-batches here, unless it comes in parts: then these are the micro-batches, gone through
                twice, and never there all at once. Where weights are sharded every process must have as many
                (`Processes.parts`), for all gather the weights for each.
        """
        losses = self._backward_of(self._parts(batch))
        share_gradients_of_numbers(self.learner)
        return {name: value.detach() for name, value in losses.items()}

    def _backward_of(self, parts: Parts) -> dict[str, Tensor]:
        if parts.count == 1:
            (batch,) = parts.each()
            losses = self.module(batch)
            self._backward(losses["loss"])
            return dict(losses)
        key = draw_key()
        leaves = {name: _leaf(value) for name, value in self._embed(parts, key).items()}
        self._tidy()
        with self._apart():
            losses = self.learner.losses(leaves, parts, key)
            self._backward(losses["loss"], Part.LOSS)
        wanted = {name: leaf.grad for name, leaf in leaves.items() if leaf.grad is not None}
        self._tidy()
        start = 0
        for number, part in enumerate(parts.each()):
            stop = start + len(part["signal"])
            gradients = {}
            for name, gradient in wanted.items():
                if name not in self.learner.model.shared:
                    gradients[name] = gradient[start:stop]
                elif number == 0:
                    # It is the same in every micro-batch, and counts once.
                    gradients[name] = gradient
            # Processes meet once a step, when the gradients of all micro-batches are there.
            with self._apart() if number + 1 < parts.count else nullcontext():
                replayed = self.module(part, key=key, part=number, gradients=gradients)
                self._backward(replayed["loss"])
            self._tidy()
            start = stop
        return losses

    @torch.no_grad()
    def evaluate(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The losses alone."""
        key = draw_key()
        parts = self._parts(batch)
        return self.learner.losses(self._embed(parts, key), parts, key)

    @torch.no_grad()
    def _embed(self, parts: Parts, key: int) -> dict[str, Tensor]:
        """The features of all micro-batches, one after another."""
        found = [self.learner.features(part, key, number) for number, part in enumerate(parts.each())]
        return {
            name: first if name in self.learner.model.shared else torch.cat([features[name] for features in found])
            for name, first in found[0].items()
        }

    def _parts(self, batch: Mapping[str, Tensor]) -> Parts:
        return batch if isinstance(batch, Parts) else Parts.of(split(batch, self.size))

    def _backward(self, loss: Tensor, part: Part = Part.BACKWARD) -> None:
        with self.learner.clock.part(part):
            if self.fabric is None:
                loss.backward()  # type: ignore[no-untyped-call]
            else:
                self.fabric.backward(loss)

    def _tidy(self) -> None:
        # Who cuts a batch is short of memory.
        if self.fabric is None or self.fabric.device.type == "cpu":
            return_freed_memory()

    def _apart(self) -> AbstractContextManager[None]:
        return nullcontext() if self.fabric is None else self.fabric.no_backward_sync(self.module)


def split(batch: Mapping[str, Tensor], size: int | None) -> list[Mapping[str, Tensor]]:
    """A batch in parts of about equal length, of so many records at most."""
    slices = ALONE.parts(len(batch["signal"]), size)
    if len(slices) == 1:
        return [batch]
    return [{name: value[part] if value.ndim else value for name, value in batch.items()} for part in slices]


def _leaf(value: Tensor) -> Tensor:
    """Where a gradient is to end; what is no vector has none."""
    return value.requires_grad_() if value.is_floating_point() and value.ndim else value
