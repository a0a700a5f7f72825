"""The contrastive loss in tiles against the same loss in plain torch: time forward and backward, and peak memory.

The plain form is what one would write: logits, `log_softmax` over rows and over columns, a target matrix, autograd.
Targets are of low rank, as graph-smoothed contrast has them: 40 concepts. Both sides run in turn on two threads; the
medians are compared. Values and gradients are compared as well. Memory is the growth of the resident set of a process
of its own, embeddings and gradients included.

    python tests/benchmarks/bench_loss.py [--repeats 7] [--largest 32768]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from pretrain.objectives import LowRank, soft_info_nce

# The folder of this script, in the processes that it starts as well.
sys.path.insert(0, str(Path(__file__).parent))
import peak_memory

DIM, CONCEPTS, THREADS = 256, 40, 2
BATCHES = (1024, 4096, 8192)


@dataclass(frozen=True)
class Row:
    """One batch size: milliseconds forward and backward, and the largest difference between the two."""

    batch: int
    tiled: float
    plain: float
    difference: float

    @property
    def ratio(self) -> float:
        return self.plain / self.tiled


@dataclass(frozen=True)
class Inputs:
    """Random embeddings, a scale, and targets T = Y K Y^T of records that carry a few concepts each."""

    a: Tensor
    b: Tensor
    scale: Tensor
    targets: LowRank

    @classmethod
    def draw(cls, batch: int, dim: int = DIM) -> Inputs:
        generator = torch.Generator().manual_seed(batch)
        a, b = (functional.normalize(torch.randn(batch, dim, generator=generator), dim=1) for _ in range(2))
        labels = (torch.rand(batch, CONCEPTS, generator=generator) < 0.05).float()
        labels[:, 0] = 1
        kernel = torch.exp(-5 * torch.rand(CONCEPTS, CONCEPTS, generator=generator))
        targets = LowRank(labels @ (kernel + kernel.T), labels)
        return cls(a.requires_grad_(), b.requires_grad_(), torch.tensor(1 / 0.07, requires_grad=True), targets)

    @property
    def trained(self) -> tuple[Tensor, Tensor, Tensor]:
        return self.a, self.b, self.scale


def tiled(inputs: Inputs) -> Tensor:
    return soft_info_nce(inputs.a, inputs.b, scale=inputs.scale, targets=inputs.targets)


def plain(inputs: Inputs) -> Tensor:
    logits = inputs.scale * inputs.a @ inputs.b.T
    target = inputs.targets.row_factor @ inputs.targets.column_factor.T
    by_row = -(target / target.sum(1, keepdim=True) * logits.log_softmax(1)).sum(1).mean()
    by_column = -(target / target.sum(0, keepdim=True) * logits.log_softmax(0)).sum(0).mean()
    return (by_row + by_column) / 2


def main(repeats: int = 7, largest: int = 32768) -> list[Row]:
    """Print and return the ratios."""
    torch.set_num_threads(THREADS)
    rows = [_compare(batch, repeats) for batch in BATCHES]
    table = Table("batch", "tiled, ms", "plain torch, ms", "times faster", "largest difference")
    for row in rows:
        table.add_row(
            str(row.batch), f"{row.tiled:.1f}", f"{row.plain:.1f}", f"{row.ratio:.2f}", f"{row.difference:.1e}"
        )
    console = Console()
    console.print(table)
    matrix = largest * largest * 4 / 2**20
    console.print(
        f"batch {largest}: {peak_megabytes(largest):.0f} MB above the start, forward and backward "
        f"(one matrix of logits would be {matrix:.0f} MB)"
    )
    return rows


def peak_megabytes(batch: int, dim: int = DIM) -> float:
    """How far the resident set of a fresh process grows, from before the embeddings to after the gradients."""
    return peak_memory.alone(_grow, batch, dim)


def _grow(batch: int, dim: int) -> float:
    torch.set_num_threads(THREADS)
    # What a first call brings in is no memory of the loss.
    tiled(Inputs.draw(64, dim)).backward()
    before = peak_memory.resident()
    tiled(Inputs.draw(batch, dim)).backward()
    return peak_memory.resident() - before


def _compare(batch: int, repeats: int) -> Row:
    inputs = Inputs.draw(batch)
    # The first of each warms up, and is compared.
    values = [_with_gradients(loss, inputs) for loss in (tiled, plain)]
    difference = max(float((one - other).abs().max()) for one, other in zip(*values, strict=True))
    times = [(_milliseconds(tiled, inputs), _milliseconds(plain, inputs)) for _ in range(repeats)]
    fast, slow = (statistics.median(side) for side in zip(*times, strict=True))
    return Row(batch, fast, slow, difference)


def _with_gradients(loss: Callable[[Inputs], Tensor], inputs: Inputs) -> tuple[Tensor, ...]:
    value = loss(inputs)
    return (value.detach(), *torch.autograd.grad(value, inputs.trained))


def _milliseconds(loss: Callable[[Inputs], Tensor], inputs: Inputs) -> float:
    start = time.perf_counter()
    _with_gradients(loss, inputs)
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--largest", type=int, default=32768)
    main(**vars(parser.parse_args()))
