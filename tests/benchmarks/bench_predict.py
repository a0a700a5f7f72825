"""`biosig predict` from a cold start and warm: as ratios to importing torch and to the encoder's own forward pass.

Cold is a process of its own: the command, a table and a picture of one ten-second 12-lead ECG, medians over repeats, in
turn with `python -c "import torch"`. Warm is `Diagnoser.diagnose` of a recording in memory after one call, against the
encoder alone on the windows that it sees. Resampling, windows, head, calibration, sets and neighbours are in the first
and not in the second. Seconds of the clock are as long as a busy machine makes them; those of the processor hardly are.

    python tests/benchmarks/bench_predict.py [--repeats 5] [--diagnoser FOLDER --recording FILE]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

import biosig
from biosig.preprocess import Preprocessing, Resample
from biosig.simulate import write_corpus
from biosig.store import Store, prepare
from finetune.adaptation.fit import Tuning, finetune
from finetune.diagnosis.diagnoser import Diagnoser
from ontology import cardiac
from pretrain.models.config import ModelConfig, OntologyConfig
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.recipe import load

RATE = 100.0
_WARM = 50


@dataclass(frozen=True)
class Seconds:
    """Medians."""

    clock: float
    processor: float


@dataclass(frozen=True)
class Result:
    """What was measured."""

    torch: Seconds
    command: Seconds
    encoder: Seconds
    diagnose: Seconds


def main(repeats: int = 5, diagnoser: Path | None = None, recording: Path | None = None) -> Result:
    """Print and return the medians."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if diagnoser is None or recording is None:
            diagnoser, recording = _made(folder)
        bare, command = _cold(diagnoser, recording, folder / "out", repeats)
        encoder, diagnose = _warm(diagnoser, recording)
    result = Result(bare, command, encoder, diagnose)
    table = Table("", "seconds", "of the processor", "against", "seconds", "of the processor", "times")
    for name, one, against, other in (
        ("biosig predict --out", command, "python -c 'import torch'", bare),
        ("diagnose, warm", diagnose, "encoder alone", encoder),
    ):
        table.add_row(
            name,
            f"{one.clock:.3f}",
            f"{one.processor:.3f}",
            against,
            f"{other.clock:.3f}",
            f"{other.processor:.3f}",
            f"{one.processor / other.processor:.2f}",
        )
    Console(width=100).print(table)
    return result


def _cold(diagnoser: Path, recording: Path, out: Path, repeats: int) -> tuple[Seconds, Seconds]:
    bare = [sys.executable, "-c", "import torch"]
    command = [sys.executable, "-m", "biosig", "predict", str(diagnoser), str(recording), "--out", str(out)]
    found: tuple[list[Seconds], list[Seconds]] = ([], [])
    for repeat in range(repeats + 1):
        for which, arguments in enumerate((bare, command)):
            began, before = time.perf_counter(), _children()
            subprocess.run(arguments, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            if repeat:  # the first fills the disk's cache
                found[which].append(Seconds(time.perf_counter() - began, _children() - before))
    return _median(found[0]), _median(found[1])


def _children() -> float:
    """Processor seconds of the processes that ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _warm(folder: Path, file: Path) -> tuple[Seconds, Seconds]:
    loaded, recording = Diagnoser.from_pretrained(folder), biosig.read(file)
    _, windows = next(loaded.model.config.intake.plan(recording).batches(64))

    @torch.inference_mode()
    def encoder() -> None:
        loaded.model.signal.tokens(windows)

    return _often(encoder), _often(lambda: loaded.diagnose(recording))


def _often(work: Callable[[], object]) -> Seconds:
    work()
    found = []
    for _ in range(_WARM):
        began, before = time.perf_counter(), time.process_time()
        work()
        found.append(Seconds(time.perf_counter() - began, time.process_time() - before))
    return _median(found)


def _median(found: list[Seconds]) -> Seconds:
    return Seconds(*(statistics.median(getattr(one, name) for one in found) for name in ("clock", "processor")))


def _made(folder: Path) -> tuple[Path, Path]:
    """A diagnoser on an untrained network of the quickstart's size: its answers are worth nothing and take as long."""
    write_corpus(folder / "files", 200, seed=0, duration=10.0, workers=1, progress=False)
    steps = Preprocessing(steps=(Resample(rate=RATE),))
    prepare("simulated", folder / "files", folder / "store", preprocessing=steps, workers=0, progress=False)
    recipe, store = load("quickstart"), Store(folder / "store")
    torch.manual_seed(0)
    model = FoundationModel(
        ModelConfig(
            architecture=recipe.model.model_copy(update={"text": None}),
            intake=Intake.of(recipe, store.info.preprocessing),
            ontology=OntologyConfig.of(cardiac()),
        )
    )
    model.measure(
        [model.config.intake.windows(store, np.arange(32), np.zeros(32, np.int64))], np.zeros((1, 1), np.float32)
    )
    model.save_pretrained(folder / "model")
    finetune(folder / "model", store, Tuning(min_positives=2, draws=10)).diagnoser.save_pretrained(folder / "diagnoser")
    return folder / "diagnoser", next((folder / "files").rglob("*.hea"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--diagnoser", type=Path)
    parser.add_argument("--recording", type=Path)
    main(**vars(parser.parse_args()))
