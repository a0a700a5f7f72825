"""Gradient caching against the plain step: peak memory and time of a batch, forward and backward.

A ResNet18-1D (width 32) over 12 leads x 1,000 samples and a text projection, under signal-language contrast. Each row
is a process of its own. Memory is the growth of the resident set from before the batch is made to after its gradients
are there: the batch itself is in it, and named beside it, because it grows with its size in any case. The gradients of
the first two rows, one batch, are compared. Times are of one step after a small one has warmed up.

    python tests/benchmarks/bench_gradcache.py [--plain 1024] [--largest 4096] [--micro-batch 64]
"""

from __future__ import annotations

import argparse
import multiprocessing
import re
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from biosig.channels import LEADS_12
from biosig.preprocess import Preprocessing
from biosig.recording import Modality
from pretrain.architecture import Architecture, SignalSpec, TextSpec
from pretrain.config import ModelConfig, ReportEncoderConfig
from pretrain.gradcache import GradCache
from pretrain.intake import Intake
from pretrain.learner import Learner
from pretrain.model import FoundationModel
from pretrain.objectives import SignalLanguage

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
    """One batch: records, those embedded at once, MB of the batch and in all, seconds, and a few of its gradients."""

    records: int
    micro_batch: int | None
    batch: float
    peak: float
    seconds: float
    gradients: list[float]


def main(plain: int = 1024, largest: int = 4096, micro_batch: int = 64) -> list[Row]:
    """Print and return the rows; the first is the plain step, the second the same batch in micro-batches."""
    sizes = [size for size in (64, 256, 1024, 4096, 16384) if size <= largest]
    rows = [_alone(plain, None), _alone(plain, micro_batch)]
    rows += [_alone(size, micro_batch) for size in sizes if size != plain]
    table = Table("batch", "at once", "batch, MB", "peak, MB", "peak less batch, MB", "seconds", "records/s")
    for row in rows:
        table.add_row(
            *(str(row.records), str(row.micro_batch or "all"), f"{row.batch:.0f}", f"{row.peak:.0f}"),
            *(f"{row.peak - row.batch:.0f}", f"{row.seconds:.2f}", f"{row.records / row.seconds:.0f}"),
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
    return rows


def _alone(records: int, micro_batch: int | None) -> Row:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_measure, (records, micro_batch))


def _measure(records: int, micro_batch: int | None) -> Row:
    torch.set_num_threads(THREADS)
    learner = _learner()
    cache = GradCache(learner, micro_batch)
    cache.backward(_batch(8))
    learner.zero_grad()
    before = _resident()
    batch = _batch(records)
    made = sum(value.nbytes for value in batch.values()) / 2**20
    start = time.perf_counter()
    cache.backward(batch)
    seconds = time.perf_counter() - start
    gradients = torch.cat([weight.grad.flatten()[:8] for weight in learner.parameters() if weight.grad is not None])
    return Row(records, micro_batch, made, _resident() - before, seconds, gradients.tolist())


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
    few = _batch(64)
    model.measure([few], few["report"].numpy())
    return Learner(model, {"signal_language": SignalLanguage()}, {"signal_language": 1.0})


def _batch(records: int) -> dict[str, Tensor]:
    draw = torch.Generator().manual_seed(records)
    where, kind = INTAKE.example()
    return {
        "signal": torch.randn(records, 12, SAMPLES, generator=draw),
        "mask": torch.ones(records, 12, dtype=torch.bool),
        "position": torch.from_numpy(where).expand(records, -1, -1),
        "modality": torch.from_numpy(kind).expand(records, -1),
        "valid": torch.full((records,), SAMPLES),
        "report": torch.randn(records, TEXT, generator=draw),
        "report_id": torch.arange(records),
    }


def _resident() -> float:
    """The largest resident set so far, in MB."""
    return int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) / 1024


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plain", type=int, default=1024)
    parser.add_argument("--largest", type=int, default=4096)
    parser.add_argument("--micro-batch", type=int, default=64)
    main(**vars(parser.parse_args()))
