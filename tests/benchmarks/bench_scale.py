"""What a core does in a second of preparing, and what a record costs a store in time and memory: for docs/scale.md.

Preparing: twelve-lead ECGs of 10 s at 500 Hz, as WFDB writes them, to 250 Hz; and EEGs of 19 channels, 60 s at 500 Hz,
as EDF, through the preset `eeg`. Each step alone, then the whole of it, in processor time of one process: other work on
the same core changes that little, and the time on the clock a lot. Tables: of made-up stores (`many_records`) whose
samples are all zero; each row is a process of its own, and its memory is what that process needed at most, less what it
needed before.

    python tests/benchmarks/bench_scale.py [--recordings 100] [--records 20000,60000]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import wfdb
from rich.console import Console
from rich.table import Table

import ontology
from biosig.channels import LEADS_12
from biosig.corpora import CORPORA
from biosig.preprocess import Preprocessing
from biosig.presets import load
from biosig.quality import flags
from biosig.store import Store, duplicates, finish, leaks
from biosig.store import row as rows
from biosig.store.chunk import Chunk, Job, Merge
from biosig.store.fingerprint import fingerprint
from biosig.store.quantise import quantise
from pretrain.data.pretraining import PretrainingData
from pretrain.recipe import load as load_recipe

# The folder of this script, in the processes that it starts as well.
sys.path.insert(0, str(Path(__file__).parent))
import many_records
import peak_memory

ELECTRODES = (
    "Fp1",
    "Fp2",
    "F7",
    "F3",
    "Fz",
    "F4",
    "F8",
    "T7",
    "C3",
    "Cz",
    "C4",
    "T8",
    "P7",
    "P3",
    "Pz",
    "P4",
    "P8",
    "O1",
    "O2",
)
RATE = 500


@dataclass(frozen=True)
class Cost:
    """What so many records cost.

    Attributes:
        what: Was done.
        records: With how many.
        seconds: Of a processor.
        megabytes: That the process needed for it at most.
    """

    what: str
    records: int
    seconds: float
    megabytes: float = 0.0


def main(recordings: int = 100, records: Sequence[int] = (20_000, 60_000)) -> list[Cost]:
    """Print and return the costs."""
    console = Console(width=110)
    found: list[Cost] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for kind, write, preprocessing, count in (
            ("ECG", _write_ecg, Preprocessing(), recordings),
            ("EEG", _write_eeg, load("eeg"), max(recordings // 10, 2)),
        ):
            source = folder / kind
            source.mkdir()
            for number in range(count):
                write(source, number)
            costs, size, kept = _prepare(source, folder / f"{kind}-store", preprocessing)
            table = Table("step", "ms a record", "records/s", "MB/s of source", title=f"Preparing {kind}, one core")
            for cost in costs:
                each = cost.seconds / cost.records
                speed = size / cost.records / each / 1e6
                table.add_row(cost.what, f"{1000 * each:.2f}", f"{1 / each:,.0f}", f"{speed:,.0f}")
            console.print(
                table, f"{size / count / 1000:,.0f} kB a record in the source, {kept / count / 1000:,.0f} stored"
            )
            found += costs
        table = Table("what", "records", "s", "s a million", "MB", "MB a million", title="A store of many records")
        for count in records:
            store = many_records.write(folder / str(count), count)
            size = (store / "records.parquet").stat().st_size
            for measure in (_open, _read_all, _check, _find_copies, _training_data):
                cost = peak_memory.alone(measure, store)
                million = 1e6 / count
                table.add_row(
                    cost.what, f"{count:,}", f"{cost.seconds:.2f}", f"{cost.seconds * million:.1f}",
                    f"{cost.megabytes:,.0f}", f"{cost.megabytes * million:,.0f}",
                )  # fmt: skip
                found.append(cost)
            table.add_row("records.parquet", f"{count:,}", "", "", f"{size / 1e6:,.1f}", f"{size / count:,.0f}")
        console.print(table)
    return found


def _write_ecg(folder: Path, number: int) -> None:
    rng = np.random.default_rng(number)
    wfdb.wrsamp(
        f"r{number:05d}",
        fs=RATE,
        units=["mV"] * 12,
        sig_name=list(LEADS_12),
        p_signal=np.cumsum(rng.normal(0, 0.01, size=(10 * RATE, 12)), axis=0),
        fmt=["16"] * 12,
        adc_gain=[1000.0] * 12,
        baseline=[0] * 12,
        write_dir=str(folder),
    )


def _write_eeg(folder: Path, number: int) -> None:
    from edfio import Edf, EdfSignal  # of the developers' extra

    rng = np.random.default_rng(number)
    signals = [
        EdfSignal(rng.normal(0, 20, 60 * RATE), RATE, label=name, physical_dimension="uV") for name in ELECTRODES
    ]
    Edf(signals).write(folder / f"r{number:05d}.edf")


def _prepare(source: Path, work: Path, preprocessing: Preprocessing) -> tuple[list[Cost], int, int]:
    """Each step of preparing alone and all of them; bytes of the source and of what is stored."""
    work.mkdir()
    corpus = CORPORA["folder"]
    entries = corpus.find(source)
    job = Job(corpus, source, work, work, preprocessing, statistics=False)
    # What the first record of a process pays for.
    rows.make(corpus, entries[0], source, preprocessing, statistics=False)
    read = [corpus.read(entry) for entry in entries]
    ready = [preprocessing.apply(one) for one in read]
    steps: dict[str, Callable[[], object]] = {
        "find": lambda: corpus.find(source),
        "read": lambda: [corpus.read(entry) for entry in entries],
        "preprocess": lambda: [preprocessing.apply(one) for one in read],
        "quality flags": lambda: [flags(one) for one in read],
        "fingerprint": lambda: [fingerprint(one) for one in read],
        "SHA-256 of the source": lambda: [
            rows._provenance(entry, one, source) for entry, one in zip(entries, read, strict=True)
        ],
        "to 16 bits": lambda: [quantise(one.signal) for one in ready],
        "all of it, written": lambda: job.run(Chunk(0, 0, tuple(entries)), lambda _: None),
        "merged into a shard": lambda: job.run(Merge(0, (0,)), lambda _: None),
        "tables, by one process": lambda: finish.assemble(job, [0], [], 0),
    }
    costs = []
    for what, do in steps.items():
        rows._digest.cache_clear()
        costs.append(Cost(what, len(entries), _seconds(do)))
    size = sum(path.stat().st_size for path in source.iterdir())
    return costs, size, sum(path.stat().st_size for path in work.glob("*.npy"))


def _seconds(do: Callable[[], object]) -> float:
    began = time.process_time()
    do()
    return time.process_time() - began


def _cost(what: str, path: Path, do: Callable[[Store], object] | None = None) -> Cost:
    """Of opening a store, or of what is done with one that is open."""
    many_records.warm()
    before = peak_memory.resident()
    began = time.process_time()
    store = Store(path)
    if do is not None:
        began = time.process_time()
        do(store)
    return Cost(what, len(store), time.process_time() - began, peak_memory.resident() - before)


def _open(path: Path) -> Cost:
    return _cost("open", path)


def _read_all(path: Path) -> Cost:
    return _cost("the whole table in memory", path, lambda store: store.records)


def _check(path: Path) -> Cost:
    return _cost("subjects on two sides, copies", path, lambda store: leaks([store]))


def _find_copies(path: Path) -> Cost:
    return _cost("search for copies", path, lambda store: duplicates.find([store]))


def _training_data(path: Path) -> Cost:
    recipe = load_recipe("quickstart", [f"data.sampling_rate={many_records.RATE:g}"])
    graph = ontology.cardiac()
    return _cost("PretrainingData, no text", path, lambda _: PretrainingData([path], recipe, graph, None))


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(one) for one in text.split(","))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recordings", type=int, default=100)
    parser.add_argument("--records", type=_numbers, default=(20_000, 60_000))
    main(**vars(parser.parse_args()))
