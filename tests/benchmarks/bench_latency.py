"""Same-moment retrieval between unseen simulated subjects, for every alignment and spread of latencies.

Each cell simulates 16 subjects who meet three stimuli of 150 s, pretrains on 12 of them and two of the stimuli, and
asks of the other four which of 60 windows of one is at the same moment as a window of another. Latencies are fixed or
drift; everything else is equal, seed by seed. Further cells change the rate of tokens, the latency that the alignment
allows, and the loudness of the stimulus.

    python tests/benchmarks/bench_latency.py                # all cells, 20 to 25 minutes on two cores; prints tables
    python tests/benchmarks/bench_latency.py --quick        # two minutes
    python tests/benchmarks/bench_latency.py --write docs   # all cells; also docs/latency.md and docs/images/latency.*
    python tests/benchmarks/bench_latency.py --write docs --cells docs/images/latency.json   # from cells that were run
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from biosig.preprocess import Preprocessing, Resample
from biosig.simulate import CAPS, Experiment, Latency, write_experiment
from biosig.store import Store, prepare
from pretrain.data.examples import Examples
from pretrain.objectives import Alignment, TemporalAsynchronous
from pretrain.recipe import load
from pretrain.retrieval import retrieval
from pretrain.within import pretrain_on

# The folder of this script, in the processes that it starts as well.
sys.path.insert(0, str(Path(__file__).parent))
import latency_page

SPREADS = (0.0, 0.25, 0.5, 1.0, 2.0)
SEEDS, STEPS = 5, 150
RATE, TRAINED, STIMULI = 64.0, 12, 2
SIZE = (
    f"data.sampling_rate={RATE:g}",
    "model.signal.options.n_chans=8",
    "model.signal.options.width=32",
    "optimiser.batch_size=24",
    "optimiser.learning_rate=0.004",
    "optimiser.warmup_steps=10",
    "training.device=cpu",
    "training.precision=float32",
)


@dataclass(frozen=True)
class Cell:
    """One pretraining and what it is worth.

    Attributes:
        alignment: Of the objective.
        latency: Fixed or drifting.
        spread: Of latencies, seconds.
        seed: Of the simulation and of the weights.
        token_rate: Tokens a second.
        window: The latency that the alignment allows, seconds.
        snr: Of the stimulus, dB.
        top_k: Partners of a token.
        steps: Of the optimiser.
    """

    alignment: str
    latency: str
    spread: float
    seed: int
    token_rate: int = 16
    window: float = 2.0
    snr: float = 0.0
    top_k: int = 1
    steps: int = STEPS

    @property
    def experiment(self) -> Experiment:
        return Experiment(
            seed=self.seed,
            subjects=16,
            stimuli=STIMULI + 1,
            duration=150.0,
            sampling_rate=RATE,
            electrodes=CAPS[14],
            latency=Latency(self.latency),
            spread=self.spread,
            snr=self.snr,
        )

    def store(self, folder: Path) -> Path:
        return folder / f"{self.latency}-{self.spread:g}-{self.seed}-{self.snr:g}"


def main_cells(spreads: Iterable[float], seeds: int, steps: int) -> Iterator[Cell]:
    """Every alignment at every spread; without a spread there is nothing to drift."""
    for seed in range(seeds):
        for latency in Latency:
            for spread in spreads:
                if spread > 0 or latency is Latency.FIXED:
                    yield from (Cell(str(one), str(latency), spread, seed, steps=steps) for one in Alignment)


def further_cells(seeds: int) -> Iterator[Cell]:
    """One thing changed at a time."""
    for seed in range(seeds):
        for spread in (0.5, 1.0, 2.0):
            yield from (Cell("coherent", "fixed", spread, seed, token_rate=rate) for rate in (4, 8, 32))
        for latency in ("fixed", "drifting"):
            usual = Cell("coherent", latency, 1.0, seed)
            yield from (replace(usual, window=window) for window in (0.5, 1.0, 4.0))
            yield from (replace(usual, alignment=name, top_k=3) for name in ("top_k", "banded"))
        for name in ("synchronous", "top_k", "banded", "coherent"):
            yield from (Cell(name, "fixed", 1.0, seed, snr=snr) for snr in (-3.0, -6.0))


def make_store(cell: Cell, folder: Path) -> None:
    """Simulate and prepare."""
    store = cell.store(folder)
    raw = store.with_name(f"{store.name}-files")
    write_experiment(raw, cell.experiment, workers=1, progress=False)
    same = Preprocessing(steps=(Resample(rate=RATE),))
    prepare("simulated-eeg", raw, store, preprocessing=same, workers=0, progress=False)


def run_cell(cell: Cell, folder: Path) -> dict[str, float]:
    """Pretrain, then retrieve: at the stimuli that were trained on, and at the one that was not."""
    path = cell.store(folder)
    options = {"alignment": cell.alignment, "window_seconds": cell.window, "top_k": cell.top_k}
    said = [f"objectives.temporal_asynchronous.options.{name}={value}" for name, value in options.items()]
    said += [f"seed={cell.seed}", f"optimiser.steps={cell.steps}", f"model.signal.options.token_rate={cell.token_rate}"]
    said += [f"training.validate_every={cell.steps}"]
    recipe = load("temporal_asynchronous_eeg", (*SIZE, *said))
    store = Store(path)
    subject = np.array([int(name[1:]) for _, name in store.subjects])
    known = np.isin(store.events["stimulus"], [cell.experiment.stimulus(k).name for k in range(STIMULI)])
    rows, nobody = np.flatnonzero((subject < TRAINED) & known), np.zeros(0, dtype=np.int64)
    model = pretrain_on(recipe, [path], Examples((rows,), (nobody,), 0))
    objective = TemporalAsynchronous.build(recipe.objectives[0].options)
    unseen = subject >= TRAINED
    return {
        name: round(retrieval(model, objective, store, np.flatnonzero(unseen & shown)).accuracy, 4)
        for name, shown in (("trained", known), ("new", ~known))
    }


def _alone() -> None:
    torch.set_num_threads(1)


def run(cells: list[Cell], workers: int) -> list[dict[str, object]]:
    """All cells, in processes of one thread each, the slow ones first."""
    slow = {"banded": 0, "top_k": 1}
    cells = sorted(dict.fromkeys(cells), key=lambda cell: slow.get(cell.alignment, 2))
    context = get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="latency-") as temporary,
        ProcessPoolExecutor(workers, mp_context=context, initializer=_alone) as pool,
    ):
        folder = Path(temporary)
        stores = {cell.store(folder): cell for cell in cells}
        waiting = [pool.submit(make_store, cell, folder) for cell in stores.values()]
        for one in track(as_completed(waiting), "simulate", len(waiting), console=Console(stderr=True)):
            one.result()
        jobs = {pool.submit(run_cell, cell, folder): cell for cell in cells}
        found = {}
        for job in track(as_completed(jobs), "pretrain", len(jobs), console=Console(stderr=True)):
            found[jobs[job]] = job.result()
    return [asdict(cell) | found[cell] for cell in cells]


def main() -> None:
    """Run the cells, print the tables, write the page if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="two seeds, spreads of 0 and 1 s, 100 steps")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of the whole run")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument(
        "--write", type=Path, metavar="DOCS", help="write the tables into DOCS/latency.md, and the figure"
    )
    parser.add_argument("--cells", type=Path, metavar="JSON", help="cells that were run, instead of running them")
    asked = parser.parse_args()
    if asked.cells:
        cells = json.loads(asked.cells.read_text(encoding="utf-8"))
    elif asked.quick:
        cells = run(list(main_cells((0.0, 1.0), seeds=2, steps=100)), asked.workers)
    else:
        cells = run([*main_cells(SPREADS, asked.seeds, STEPS), *further_cells(asked.seeds)], asked.workers)
    latency_page.show(cells, Console())
    if asked.write:
        latency_page.write(cells, asked.write)


if __name__ == "__main__":
    main()
