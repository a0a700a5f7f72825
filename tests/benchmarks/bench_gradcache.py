"""Gradient caching against the plain step: peak memory and time of a batch, forward and backward.

A ResNet18-1D (width 32) over 12 leads x 1,000 samples and a text projection, under signal-language contrast. Each row
is a process of its own. Memory is the growth of the resident set from before the batch is made to after its gradients
are there; what of it is in use, without the holes between blocks that the C library keeps, is measured in a further
process. Micro-batches are made when they are needed, as a run reads them from a store; a plain step has the samples of
the whole batch, named beside it. The gradients of the first two rows, one batch, are compared. Times are of one step
after a small one has warmed up.

    python tests/benchmarks/bench_gradcache.py [--plain 1024] [--largest 4096] [--micro-batch 64]
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch import Tensor

from biosig.channels import LEADS_12
from biosig.preprocess import Preprocessing
from biosig.recording import Modality
from pretrain.data.parts import Parts
from pretrain.models.config import ModelConfig, ReportEncoderConfig
from pretrain.models.foundation import FoundationModel
from pretrain.models.intake import Intake
from pretrain.objectives import SignalLanguage
from pretrain.specs.architecture import Architecture, SignalSpec, TextSpec
from pretrain.training.gradcache import GradCache
from pretrain.training.learner import Learner

# The folder of this script, in the processes that it starts as well.
sys.path.insert(0, str(Path(__file__).parent))
import peak_memory

SAMPLES, TEXT, THREADS = 1000, 384, 2
INTAKE = Intake(
    sampling_rate=100.0,
    window_seconds=SAMPLES / 100,
    modalities=(Modality.ECG,),
    leads=LEADS_12,
    preprocessing=Preprocessing(),
)


@dataclass(frozen=True)
class Row:
    """One batch: records, those embedded at once, MB of all samples and at the peak, seconds, a few gradients."""

    records: int
    micro_batch: int | None
    samples: float
    peak: float
    in_use: float
    seconds: float
    gradients: list[float]


def main(plain: int = 1024, largest: int = 4096, micro_batch: int = 64) -> list[Row]:
    """Print and return the rows; the first is the plain step, the second the same batch in micro-batches."""
    sizes = [size for size in (64, 256, 1024, 4096, 16384) if size <= largest]
    batches = [(plain, None), (plain, micro_batch), *((size, micro_batch) for size in sizes if size != plain)]
    rows = [_row(*batch) for batch in track(batches, "batches")]
    table = Table("batch", "at once", "samples, MB", "peak, MB", "in use, MB", "seconds", "records/s")
    for row in rows:
        table.add_row(
            *(str(row.records), str(row.micro_batch or "all")),
            *(f"{memory:.0f}" for memory in (row.samples, row.peak, row.in_use)),
            *(f"{row.seconds:.2f}", f"{row.records / row.seconds:.0f}"),
        )
    console = Console()
    console.print(table)
    whole, cached = rows[:2]
    scale = max(map(abs, whole.gradients))
    error = max(abs(one - other) for one, other in zip(whole.gradients, cached.gradients, strict=True)) / scale
    console.print(
        f"batch {plain}: {whole.peak / cached.peak:.1f} times less memory in micro-batches of {micro_batch}, "
        f"{cached.seconds / whole.seconds:.2f} times the time, gradients equal to {error:.0e}"
    )
    for what, memory in (
        ("peak memory", {row.records: row.peak for row in rows if row.micro_batch}),
        ("of it in use", {row.records: row.in_use for row in rows if row.micro_batch}),
    ):
        least, most = min(memory.values()), max(memory.values())
        console.print(
            f"batches of {min(memory)} to {max(memory)}: {what} {least:.0f} to {most:.0f} MB, "
            f"{most / least - 1:.0%} more (wanted: at most 20%)"
        )
    return rows


def _row(records: int, micro_batch: int | None) -> Row:
    row = peak_memory.alone(_measure, records, micro_batch)
    return replace(row, in_use=peak_memory.alone(_in_use, records, micro_batch))


def _in_use(records: int, micro_batch: int | None) -> float:
    peak_memory.hand_back()
    return _measure(records, micro_batch).peak


def _measure(records: int, micro_batch: int | None) -> Row:
    torch.set_num_threads(THREADS)
    learner = _learner()
    cache = GradCache(learner, micro_batch)
    # A micro-batch of the usual size: what a first call brings in is no memory of the batch.
    cache.backward(_batch(0, 8))
    learner.zero_grad()
    before = peak_memory.resident()
    count = 1 if micro_batch is None else -(-records // micro_batch)
    each = records // count
    start = time.perf_counter()
    cache.backward(Parts(lambda number: _batch(number * each, each), count))
    seconds = time.perf_counter() - start
    gradients = torch.cat([weight.grad.flatten()[:8] for weight in learner.parameters() if weight.grad is not None])
    samples = records * 12 * SAMPLES * 4 / 2**20
    peak = peak_memory.resident() - before
    return Row(records, micro_batch, samples, peak, peak, seconds, gradients.tolist())


def _learner() -> Learner:
    torch.manual_seed(0)
    signal = SignalSpec(encoder="resnet1d18", options={"front_end": "leads12", "width": 32})
    config = ModelConfig(
        architecture=Architecture(dim=128, signal=signal, text=TextSpec()),
        intake=INTAKE,
        ontology=None,
        report_encoder=ReportEncoderConfig(name="none", fingerprint="", dim=TEXT),
    )
    model = FoundationModel(config)
    few = _batch(0, 64)
    model.measure([few], few["report"].numpy())
    return Learner(model, {"signal_language": SignalLanguage()}, {"signal_language": 1.0})


def _batch(first: int, records: int) -> dict[str, Tensor]:
    """Records from number `first` on, each a function of its number alone."""
    drawn = [torch.Generator().manual_seed(number) for number in range(first, first + records)]
    where, kind = INTAKE.example()
    signal = torch.empty(records, 12, SAMPLES)
    report = torch.empty(records, TEXT)
    for place, draw in enumerate(drawn):
        signal[place].normal_(generator=draw)
        report[place].normal_(generator=draw)
    return {
        "signal": signal,
        "mask": torch.ones(records, 12, dtype=torch.bool),
        "position": torch.from_numpy(where).expand(records, -1, -1),
        "modality": torch.from_numpy(kind).expand(records, -1),
        "valid": torch.full((records,), SAMPLES),
        "report": report,
        "report_id": torch.arange(first, first + records),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", type=int, default=1024)
    parser.add_argument("--largest", type=int, default=4096)
    parser.add_argument("--micro-batch", type=int, default=64)
    main(**vars(parser.parse_args()))
