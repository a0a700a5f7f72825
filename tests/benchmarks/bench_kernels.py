"""How long the kernels of the ontology take on a graph of 500 concepts, against one dense eigendecomposition.

    python tests/benchmarks/bench_kernels.py

An eigendecomposition of the same size is what the simplest way to a heat kernel would cost. Best of three each.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from ontology.kernels import KERNELS

# The graphs of the tests.
sys.path.insert(0, str(Path(__file__).parents[2]))
from tests.ontology.test_kernels import drawn

SIZE = 500


def seconds(work: Callable[[], object]) -> float:
    """The shortest of three."""
    taken = []
    for _ in range(3):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return min(taken)


def main() -> None:
    """Print a row for each kernel."""
    graph = drawn(SIZE, seed=0)
    matrix = np.random.default_rng(0).normal(size=(SIZE, SIZE))
    dense = seconds(lambda: np.linalg.eigh(matrix + matrix.T))
    table = Table("kernel", "seconds", "of an eigendecomposition", title=f"{SIZE} concepts")
    for name in KERNELS:
        found = seconds(lambda: KERNELS[name](graph))  # noqa: B023 -- called before the name changes
        table.add_row(name, f"{found:.3f}", f"{found / dense:.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
