"""What a store is for: preparing once, faster than the plain loop, and reading windows far faster than from the files.

The corpus is written here by `wfdb.wrsamp`: twelve leads of noise, 10 s at 500 Hz, 16 bits, as PTB-XL has it. Each side
runs several times in turn; the medians are compared.

    python tests/benchmarks/bench_store.py [--records 2000] [--repeats 3]
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import wfdb
from rich.console import Console
from rich.table import Table
from scipy import signal

from biosig.store import Store, prepare

LEADS = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
RATE, TARGET, SAMPLES = 500, 250, 5000
WINDOW, FROM_STORE, FROM_FILES = 1000, 20_000, 200


@dataclass(frozen=True)
class Row:
    """Two ways to do the same thing, and how often a second each does it."""

    what: str
    ours: float
    plain: float
    wanted: float

    @property
    def ratio(self) -> float:
        return self.ours / self.plain


def main(records: int = 2000, repeats: int = 3) -> list[Row]:
    """Print and return the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        source, stores = Path(folder) / "wfdb", Path(folder) / "stores"
        _write(source, records)
        # The first preparation also starts the process that all workers are copied from.
        cold = _seconds(partial(_prepare, source, stores / "cold"))
        runs = [
            (
                _seconds(partial(_prepare, source, stores / f"warm-{repeat}")),
                _seconds(partial(_loop, source, Path(folder) / f"loop-{repeat}")),
            )
            for repeat in range(repeats)
        ]
        warm, loop = (statistics.median(column) for column in zip(*runs, strict=True))
        store = Store(stores / "cold")
        reads = [
            (_seconds(partial(_read_store, store, repeat)), _seconds(partial(_read_files, source, records, repeat)))
            for repeat in range(repeats)
        ]
        ours, plain = (statistics.median(column) for column in zip(*reads, strict=True))
    cores = len(os.sched_getaffinity(0))
    rows = [
        Row(f"prepare, {cores} cores, first call: records/s", records / cold, records / loop, 1.5),
        Row(f"prepare, {cores} cores, later calls: records/s", records / warm, records / loop, 1.5),
        Row(f"random 12 x {WINDOW} windows: windows/s", FROM_STORE / ours, FROM_FILES / plain, 100),
    ]
    table = Table("what", "store", "wfdb", "ratio", "at least", title=f"{records} records of {SAMPLES} x 12 samples")
    for row in rows:
        table.add_row(row.what, f"{row.ours:,.0f}", f"{row.plain:,.0f}", f"{row.ratio:,.1f}", f"{row.wanted:g}")
    Console(width=110).print(table)
    return rows


def _seconds(do: Callable[[], None]) -> float:
    began = time.perf_counter()
    do()
    return time.perf_counter() - began


def _write(folder: Path, records: int) -> None:
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(records):
        wfdb.wrsamp(
            f"r{number:05d}",
            fs=RATE,
            units=["mV"] * 12,
            sig_name=LEADS,
            p_signal=np.cumsum(rng.normal(0, 0.01, size=(SAMPLES, 12)), axis=0),
            fmt=["16"] * 12,
            adc_gain=[1000.0] * 12,
            baseline=[0] * 12,
            write_dir=str(folder),
        )


def _prepare(source: Path, destination: Path) -> None:
    """With quality flags, fingerprints and checksums, as always."""
    report = prepare("folder", source, destination, progress=False)
    assert not report.skipped


def _loop(source: Path, destination: Path) -> None:
    """The script that everybody has: one process, read, resample, save."""
    destination.mkdir()
    for header in sorted(source.glob("*.hea")):
        x = wfdb.rdrecord(str(header.with_suffix(""))).p_signal
        np.save(destination / f"{header.stem}.npy", signal.resample_poly(x, 1, RATE // TARGET, axis=0))


def _read_store(store: Store, seed: int) -> None:
    """Windows at random, each copied to an array of its own."""
    rng = np.random.default_rng(seed)
    rows = rng.integers(len(store), size=FROM_STORE).tolist()
    starts = rng.integers(SAMPLES * TARGET // RATE - WINDOW, size=FROM_STORE).tolist()
    for row, start in zip(rows, starts, strict=True):
        store.window(row, start, WINDOW).copy()


def _read_files(source: Path, records: int, seed: int) -> None:
    """Windows at random, from the files."""
    rng = np.random.default_rng(seed)
    for _ in range(FROM_FILES):
        start = int(rng.integers(SAMPLES - WINDOW))
        name = str(source / f"r{rng.integers(records):05d}")
        assert wfdb.rdrecord(name, sampfrom=start, sampto=start + WINDOW).p_signal.shape == (WINDOW, 12)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--records", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    main(**vars(parser.parse_args()))
