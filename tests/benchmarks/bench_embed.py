"""Recordings embedded a second: bfloat16 against float32, with the same model in the same process and in turn.

The ResNet18-1D of `merl` on 12 leads x 5,000 samples, straight from a store: reading is in it. The medians are
compared, and so are the vectors.

    python tests/benchmarks/bench_embed.py [--records 256] [--repeats 5]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from biosig.preprocess import Preprocessing, Resample
from biosig.simulate import write_corpus
from biosig.store import Store, prepare
from pretrain.models.config import ModelConfig
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.recipe import load

RATE = 500.0


@dataclass(frozen=True)
class Result:
    """Records a second, and the mean cosine of the vectors of both, their common mean taken away."""

    half: float
    full: float
    cosine: float


def main(records: int = 256, repeats: int = 5) -> Result:
    """Print and return the rates."""
    with tempfile.TemporaryDirectory() as name:
        store = _store(Path(name), records)
        model = _model(store)
        model.encode(store, np.arange(min(64, records)))
        vectors, seconds = {}, {True: list[float](), False: list[float]()}
        for _ in range(repeats):
            for half in (True, False):
                began = time.perf_counter()
                with _arithmetic(half=half):
                    vectors[half] = model.encode(store)
                seconds[half].append(time.perf_counter() - began)
    half, full = (records / statistics.median(seconds[kind]) for kind in (True, False))
    a, b = (vectors[kind] - vectors[False].mean(0) for kind in (True, False))
    cosine = float(((a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))).mean())
    table = Table("12 x 5,000, records/s", "bfloat16", "float32", "times faster", "cosine of both")
    table.add_row("", f"{half:.0f}", f"{full:.0f}", f"{half / full:.2f}", f"{cosine:.5f}")
    Console(width=100).print(table)
    return Result(half, full, cosine)


def _arithmetic(*, half: bool) -> AbstractContextManager[object]:
    return torch.autocast("cpu", torch.bfloat16) if half else nullcontext()


def _store(folder: Path, records: int) -> Store:
    write_corpus(folder / "files", records, seed=0, sampling_rate=RATE, duration=10.0, progress=False)
    rate = Preprocessing(steps=(Resample(rate=RATE),))
    prepare("simulated", folder / "files", folder / "store", preprocessing=rate, progress=False)
    return Store(folder / "store")


def _model(store: Store) -> FoundationModel:
    recipe = load("merl")
    architecture = recipe.model.model_copy(update={"text": None})
    preprocessing, leads = store.info.preprocessing, store.layout(0)[0]
    intake = Intake(
        sampling_rate=RATE,
        window_seconds=10.0,
        modalities=recipe.data.modalities,
        leads=leads,
        preprocessing=preprocessing,
    )
    torch.manual_seed(0)
    return FoundationModel(ModelConfig(architecture=architecture, intake=intake, ontology=None, report_encoder=None))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    main(**vars(parser.parse_args()))
