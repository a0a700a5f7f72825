"""Reading a WFDB record to microvolts: ours, which verifies lengths and checksums, against `wfdb.rdrecord`.

The records are written here by `wfdb.wrsamp`. Both sides read each record in turn; the medians are compared.

    python tests/benchmarks/bench_readers.py [--repeats 200]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wfdb
from rich.console import Console
from rich.table import Table

from biosig.readers import read_wfdb

LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
# Title, storage format, leads, samples.
RECORDS = (
    ("12 leads x 10 s at 500 Hz, 16 bits", "16", 12, 5000),
    ("12 leads x 10 s at 100 Hz, 16 bits", "16", 12, 1000),
    ("2 leads x 30 min at 360 Hz, 12 bits (by wfdb)", "212", 2, 648_000),
)


@dataclass(frozen=True)
class Row:
    """Milliseconds a record, ours and wfdb's."""

    what: str
    ours: float
    theirs: float

    @property
    def ratio(self) -> float:
        return self.theirs / self.ours


def main(repeats: int = 200) -> list[Row]:
    """Print and return the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [_compare(Path(folder), record, repeats) for record in RECORDS]
    table = Table("record", "biosig, ms", "wfdb, ms", "times faster")
    for row in rows:
        table.add_row(row.what, f"{row.ours:.2f}", f"{row.theirs:.2f}", f"{row.ratio:.1f}")
    Console().print(table)
    return rows


def _compare(folder: Path, record: tuple[str, str, int, int], repeats: int) -> Row:
    title, storage, n_leads, n_samples = record
    samples = np.random.default_rng(0).integers(-2000, 2000, (n_samples, n_leads))
    wfdb.wrsamp(
        f"r{storage}_{n_samples}",
        fs=500,
        units=["mV"] * n_leads,
        sig_name=LEADS[:n_leads],
        d_signal=samples,
        fmt=[storage] * n_leads,
        adc_gain=[1000.0] * n_leads,
        baseline=[0] * n_leads,
        write_dir=str(folder),
    )
    stem = str(folder / f"r{storage}_{n_samples}")
    repeats = max(3, repeats * 5000 // max(n_samples, 5000))
    times = [(_milliseconds(read_wfdb, stem), _milliseconds(wfdb.rdrecord, stem)) for _ in range(repeats)]
    return Row(title, *(statistics.median(side) for side in zip(*times, strict=True)))


def _milliseconds(read: Callable[[str], object], stem: str) -> float:
    start = time.perf_counter()
    read(stem)
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=200)
    main(**vars(parser.parse_args()))
