"""A ResNet-18 with its norms compiled against the same as written, on whole records and on padded ones.

Forth and back through the encoder of `merl`, 64 recordings of 12 leads x 5,000 samples in bfloat16; padded, they last
40 to 99 % of it. The two alternate; the medians are compared. What compiling takes is not counted.

    python tests/benchmarks/bench_norms.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import time

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from biosig.encoders import build
from biosig.encoders.base import Composed
from pretrain.training.allocator import keep_freed_memory

BATCH, CHANNELS, SAMPLES, RATE = 64, 12, 5000, 500.0


def main(rounds: int = 7) -> dict[str, float]:
    """Print the table; how many times faster, by kind of record."""
    keep_freed_memory()
    torch.manual_seed(0)
    encoder = build("resnet1d18", sfreq=RATE)
    assert isinstance(encoder, Composed)
    signal = torch.randn(BATCH, CHANNELS, SAMPLES)
    padded = torch.linspace(0.4 * SAMPLES, 0.99 * SAMPLES, BATCH).long()
    few = torch.where(torch.arange(BATCH) % 16 == 0, padded, SAMPLES)
    table = Table("records", "as written, s", "compiled, s", "times faster")
    faster = {}
    for kind, valid in (("whole", None), ("4 of 64 padded", few), ("padded", padded)):
        taken: dict[bool, list[float]] = {False: [], True: []}
        # The first round compiles.
        for _ in range(1 + rounds):
            for on, seconds in taken.items():
                encoder.backbone.fuse(on=on)
                seconds.append(_there_and_back(encoder, signal, valid))
        written, compiled = (statistics.median(seconds[1:]) for seconds in taken.values())
        faster[kind] = written / compiled
        table.add_row(kind, f"{written:.3f}", f"{compiled:.3f}", f"{faster[kind]:.2f}")
    Console(width=110).print(table)
    return faster


def _there_and_back(encoder: Composed, signal: Tensor, valid: Tensor | None) -> float:
    began = time.perf_counter()
    positions, mask = torch.zeros(BATCH, CHANNELS, 3), torch.ones(BATCH, CHANNELS, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        tokens = encoder(signal, positions, mask, valid=valid)
    torch.autograd.backward(tokens.float().square().mean())
    encoder.zero_grad()
    return time.perf_counter() - began


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    main(**vars(parser.parse_args()))
