"""SNOMED-CT at its full size: seconds and peak memory to load a release, and what a graph of it can be asked.

The release is made up here, in the layout and of the size of the international edition. Every row is measured in a
process of its own, imports left out of the seconds but not of the memory.

    python tests/benchmarks/bench_rf2.py [--concepts 350000] [--relationships 1200000]
"""

from __future__ import annotations

import argparse
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from rich.console import Console
from rich.table import Table

from ontology import KERNELS, ConceptGraph, read_rf2
from tests.ontology.rf2_release import ROOT, generate, pack

Given = ParamSpec("Given")
Result = TypeVar("Result")

SECONDS, GIBIBYTES, KERNEL_SECONDS, SOME = 60.0, 2.0, 2.0, 500


@dataclass(frozen=True)
class Row:
    """What was done, how long it took by the clock and on the processor, and the most memory the process had."""

    what: str
    seconds: float
    busy: float
    gibibytes: float
    wanted: float = SECONDS


def main(concepts: int = 350_000, relationships: int = 1_200_000) -> list[Row]:
    """Print and return the measurements."""
    with tempfile.TemporaryDirectory() as name:
        folder, archive = Path(name) / "release", Path(name) / "release.zip"
        _alone(_write, folder, archive, concepts, relationships)
        rows = [
            _alone(_load, folder, "load a folder"),
            _alone(_load, archive, "load a zip"),
            _alone(_load_some, folder),
            *_alone(_ask, folder),
        ]
    table = Table(
        "what",
        "seconds",
        "of processor",
        "at most",
        "GiB at its peak",
        "at most",
        title=f"{concepts:,} concepts, {relationships:,} relationships",
    )
    for row in rows:
        memory = f"{row.gibibytes:.2f}", f"{GIBIBYTES:g}"
        table.add_row(row.what, f"{row.seconds:.2f}", f"{row.busy:.2f}", f"{row.wanted:g}", *memory)
    Console(width=120).print(table)
    return rows


def _alone(do: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
    """In a process of its own, started afresh."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        return pool.submit(do, *args, **kwargs).result()


def _write(folder: Path, archive: Path, concepts: int, relationships: int) -> None:
    pack(generate(folder, concepts=concepts, relationships=relationships), archive)


def _timed(what: str, do: Callable[[], Result], wanted: float = SECONDS) -> tuple[Row, Result]:
    began, busy = time.perf_counter(), time.process_time()
    result = do()
    seconds, busy = time.perf_counter() - began, time.process_time() - busy
    return Row(what, seconds, busy, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, wanted), result


def _load(path: Path, what: str) -> Row:
    return _timed(what, lambda: read_rf2(path))[0]


def _load_some(path: Path) -> Row:
    """A few thousand concepts: what lies between the top and some of the bottom."""
    concepts = next(path.rglob("sct2_Concept*")).read_text().splitlines()[1:]
    active = [line.split("\t")[0] for line in concepts if line.split("\t")[2] == "1"]
    some = random.Random(0).sample(active, 100)
    row, graph = _timed("", lambda: read_rf2(path, descendants_of=ROOT, ancestors_of=some))
    return Row(f"load {len(graph):,} of them", row.seconds, row.busy, row.gibibytes)


def _ask(path: Path) -> list[Row]:
    graph = read_rf2(path)
    some = random.Random(0).sample(graph.ids, SOME)
    rows, part = [], _cone(graph, SOME)
    sub, small = _timed(f"sub-graph of {SOME}", lambda: graph.subgraph(part), KERNEL_SECONDS)
    rows.append(sub)
    for name in KERNELS:
        kernel = KERNELS[name]
        rows.append(_timed(f"kernel {name} of that", lambda kernel=kernel: kernel(small), KERNEL_SECONDS)[0])  # type: ignore[misc]
    rows.append(_timed(f"distances of {SOME} in the whole graph", lambda: graph.distances(some))[0])
    rows.append(_timed("weighted ones of 20", lambda: graph.distances(some[:20], weights={"other": 2.0}))[0])
    rows.append(_timed("find a name, the first time", lambda: graph.find(graph[some[0]].term))[0])
    rows.append(_timed("sub-graph of a fifth of it", lambda: graph.subgraph(graph.ids[::5]))[0])
    rows.append(_timed("fingerprint", graph.fingerprint)[0])
    return rows


def _cone(graph: ConceptGraph, size: int) -> list[str]:
    """Concepts with all that is above them, until there are enough."""
    kept = dict.fromkeys(graph.roots)
    for id_ in random.Random(1).sample(graph.ids, size):
        above = graph.ancestors(id_)
        if len(kept.keys() | above) < size:
            kept |= dict.fromkeys([*above, id_])
    for id_ in graph.ids:
        if len(kept) < size and kept.keys() & graph.parents(id_):
            kept[id_] = None
    return list(kept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--concepts", type=int, default=350_000)
    parser.add_argument("--relationships", type=int, default=1_200_000)
    main(**vars(parser.parse_args()))
