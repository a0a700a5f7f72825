"""The contrast of windows token by token: time against the plain way, in the same run, and peak memory.

The plain way to `coherent` is one dense product for each lag; to `top_k`, all products of two tokens at once and
`topk` over them, there and back; both with autograd behind, and the loss written out. Pairs of windows share a moment.
Both sides run in turn on one thread, and the medians are compared, as are values and gradients. Memory is the growth
of the resident set of a process of its own, forward and backward, tokens and gradients included.

    python tests/benchmarks/bench_alignment.py [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional

from pretrain.objectives.alignment import aligner, rows_at_once
from pretrain.objectives.pairs import Partners, pairwise_info_nce

# The folder of this script, in the processes that it starts as well.
sys.path.insert(0, str(Path(__file__).parent))
import peak_memory

DIM, THREADS = 32, 1


@dataclass(frozen=True)
class Case:
    """An alignment at a size."""

    alignment: str
    windows: int
    tokens: int
    options: dict[str, Any]

    def draw(self) -> tuple[Tensor, Tensor]:
        """Tokens and scale."""
        generator = torch.Generator().manual_seed(self.windows)
        tokens = torch.randn(self.windows, self.tokens, DIM, generator=generator)
        return functional.normalize(tokens, dim=2).requires_grad_(), torch.tensor(1 / 0.07, requires_grad=True)


@dataclass(frozen=True)
class Row:
    """One case: milliseconds forward and backward, and the largest difference between the two ways."""

    case: Case
    tiled: float
    plain: float
    difference: float

    @property
    def ratio(self) -> float:
        return self.plain / self.tiled


WINDOW = 32
COMPARED = (
    Case("coherent", 128, 80, {"window": WINDOW}),
    Case("top_k", 96, 40, {"window": WINDOW // 2, "top_k": 1}),
    Case("top_k", 96, 40, {"window": WINDOW // 2, "top_k": 3}),
)
# With the limit in MB.
LARGE = (
    (Case("coherent", 512, 80, {"window": WINDOW}), 600),
    (Case("top_k", 512, 40, {"top_k": 1}), 2000),
    (Case("top_k", 512, 40, {"top_k": 3}), 2000),
    (Case("banded", 512, 40, {"window": WINDOW // 2, "top_k": 3, "span": 5}), 2000),
)


def tiled(case: Case, tokens: Tensor, scale: Tensor) -> Tensor:
    kind = aligner(case.alignment, case.tokens, **case.options)
    prepared = kind.prepare(tokens)
    return pairwise_info_nce(
        prepared, kind.compare, scale=scale, partners=pairs(case.windows), chunk=rows_at_once(kind, prepared)
    )


def plain(case: Case, tokens: Tensor, scale: Tensor) -> Tensor:
    alike = per_lag(case, tokens) if case.alignment == "coherent" else all_products(case, tokens)
    positive, candidates = pairs(case.windows).block(slice(None))
    log_softmax = (scale * alike).masked_fill(~candidates, -1e9).log_softmax(1)
    return -log_softmax[positive].mean()


def per_lag(case: Case, tokens: Tensor) -> Tensor:
    lags, n = [], case.tokens
    for lag in range(-case.options["window"], case.options["window"] + 1):
        a, b = tokens[:, max(0, -lag) : n - max(0, lag)], tokens[:, max(0, lag) : n - max(0, -lag)]
        lags.append(a.flatten(1) @ b.flatten(1).T / n)
    return torch.stack(lags).amax(0)


def all_products(case: Case, tokens: Tensor) -> Tensor:
    place = torch.arange(case.tokens)
    far = (place[:, None] - place).abs() > case.options["window"]
    products = torch.einsum("atd,bud->abtu", tokens, tokens).masked_fill(far, -torch.inf)
    there, back = (products.topk(case.options["top_k"], dim).values.mean((2, 3)) for dim in (3, 2))
    return (there + back) / 2


def pairs(windows: int) -> Partners:
    """Two subjects at every moment."""
    each = torch.arange(windows)
    return Partners(each // 2, each % 2)


def main(repeats: int = 5) -> list[Row]:
    """Print and return the ratios."""
    torch.set_num_threads(THREADS)
    rows = [_compare(case, repeats) for case in COMPARED]
    table = Table("", "tiled, ms", "plain, ms", "times faster", "largest difference")
    for row in rows:
        table.add_row(
            _words(row.case), f"{row.tiled:.0f}", f"{row.plain:.0f}", f"{row.ratio:.1f}", f"{row.difference:.0e}"
        )
    console = Console()
    console.print(table)
    table = Table("forward and backward", "MB above the start", "limit", "seconds")
    for case, limit in LARGE:
        megabytes, seconds = peak(case)
        table.add_row(_words(case), f"{megabytes:.0f}", f"{limit}", f"{seconds:.1f}")
    console.print(table)
    return rows


def peak(case: Case) -> tuple[float, float]:
    """How far the resident set of a fresh process grows, in MB, from before the tokens to after the gradients; time."""
    return peak_memory.alone(_grow, case)


def _grow(case: Case) -> tuple[float, float]:
    torch.set_num_threads(THREADS)
    # What a first call brings in is no memory of the loss.
    small = Case(case.alignment, 8, case.tokens, case.options)
    tiled(small, *small.draw()).backward()
    before, start = peak_memory.resident(), time.perf_counter()
    tiled(case, *case.draw()).backward()
    return peak_memory.resident() - before, time.perf_counter() - start


def _compare(case: Case, repeats: int) -> Row:
    inputs = case.draw()
    # The first of each warms up, and is compared.
    values = [_with_gradients(loss, case, inputs) for loss in (tiled, plain)]
    difference = max(float((one - other).abs().max()) for one, other in zip(*values, strict=True))
    times = [(_milliseconds(tiled, case, inputs), _milliseconds(plain, case, inputs)) for _ in range(repeats)]
    fast, slow = (statistics.median(side) for side in zip(*times, strict=True))
    return Row(case, fast, slow, difference)


def _with_gradients(loss: Callable[..., Tensor], case: Case, inputs: tuple[Tensor, Tensor]) -> tuple[Tensor, ...]:
    value = loss(case, *inputs)
    return (value.detach(), *torch.autograd.grad(value, inputs))


def _milliseconds(loss: Callable[..., Tensor], case: Case, inputs: tuple[Tensor, Tensor]) -> float:
    start = time.perf_counter()
    _with_gradients(loss, case, inputs)
    return 1000 * (time.perf_counter() - start)


def _words(case: Case) -> str:
    options = ", ".join(f"{name} {value}" for name, value in case.options.items())
    return f"{case.alignment}, {case.windows} x {case.tokens} x {DIM}, {options}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    main(**vars(parser.parse_args()))
