"""What a loop is fed: batches in order, read ahead in micro-batches, where the towers are."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import closing
from itertools import islice

import torch
from torch import Tensor

from biosig.errors import BiosigError
from pretrain.data.parts import Parts
from pretrain.data.prefetch import prefetch
from pretrain.data.pretraining import PretrainingData
from pretrain.errors import TrainingError
from pretrain.parallel.distributed import Processes
from pretrain.training.timing import Clock, Part


class Feed:
    """Batches of training and validation for one process.

    Args:
        data: Where they come from.
        processes: Who shares them.
        device: Where the towers are.
        clock: Of the time that is spent waiting.
    """

    def __init__(self, data: PretrainingData, processes: Processes, device: torch.device, clock: Clock) -> None:
        self.data, self.processes, self.device, self.clock = data, processes, device, clock

    def training(self, first: int, last: int) -> Generator[tuple[int, Parts], None, None]:
        """The batches of the steps from `first` to `last - 1`, read ahead by threads.

        Raises:
            TrainingError: If a batch cannot be read.
        """
        slices = self.data.micro_batches(self.data.train.size, self.processes)
        # Gradient caching goes through a batch twice.
        passes = 1 if len(slices) == 1 else 2
        keys = ((step, part) for step in range(first, last) for _ in range(passes) for part in slices)
        with closing(prefetch(self._read, keys)) as stream:
            for step in range(first, last):
                yield step, self._batch(step, slices, stream)

    def validation(self, group: str, processes: Processes) -> Iterator[Parts]:
        """The validation batches of a group; see `PretrainingData.validation_batches`."""
        for batch in self.data.validation_batches(processes, group):
            yield self._there(batch)

    def _batch(self, step: int, slices: list[slice], stream: Iterator[dict[str, Tensor]]) -> Parts:
        def make(number: int) -> dict[str, Tensor]:
            return self._to_device(self._read((step, slices[number])))

        return Parts(make, len(slices), lambda: self._awaited(islice(stream, len(slices))))

    def _there(self, batch: Parts) -> Parts:
        return Parts(
            lambda number: self._to_device(batch.made(number)), batch.count, lambda: map(self._to_device, batch.each())
        )

    def _read(self, key: tuple[int, slice]) -> dict[str, Tensor]:
        step, part = key
        try:
            return self.data.train_batch(step, part=part)
        except (BiosigError, OSError) as error:
            raise TrainingError(f"step {step + 1}: a batch that cannot be read: {error}") from error

    def _awaited(self, parts: Iterator[dict[str, Tensor]]) -> Iterator[dict[str, Tensor]]:
        while True:
            with self.clock.part(Part.DATA):
                part = next(parts, None)
            if part is None:
                return
            yield self._to_device(part)
            # The next one may take its room.
            del part

    def _to_device(self, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {name: value.to(self.device, non_blocking=True) for name, value in batch.items()}
