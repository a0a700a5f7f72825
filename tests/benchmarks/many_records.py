"""A store of any number of records, made in a moment: true tables, and shards of nothing that take no room on disk.

For measuring what tables cost; the samples are all zero.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from biosig.channels import LEADS_12
from biosig.preprocess import Preprocessing
from biosig.recording import Modality
from biosig.splits import Split
from biosig.store import Store
from biosig.store.layout import (
    EVENTS,
    INFO,
    RECORDS,
    Card,
    FileInfo,
    Layout,
    StoreInfo,
    digest,
    event_columns,
    record_columns,
    shard_name,
)

CHANNELS, SAMPLES, RATE = len(LEADS_12), 2500, 250.0
# As `prepare` writes them.
PER_SHARD, PER_GROUP = 256, 16384
_CODES = ("426783006", "164889003", "164873001", "426177001", "270492004", "713427006", "39732003", "59118001")
_FINDINGS = ("sinus rhythm", "atrial fibrillation", "left axis deviation", "first degree av block", "t wave changes")
_NOTHING = "0" * 64


def write(folder: Path, records: int, *, per_shard: int = PER_SHARD, reports: int = 10) -> Path:
    """A store of twelve-lead ECGs, 10 s at 250 Hz, two records a subject, one or two codes and a report each.

    Args:
        folder: To be made.
        records: How many.
        per_shard: How many share a file.
        reports: Records that say the same.
    """
    folder.mkdir(parents=True)
    files = {}
    for shard in range(-(-records // per_shard)):
        count = min(per_shard, records - shard * per_shard)
        size = 128 + 2 * CHANNELS * SAMPLES * count
        with (folder / shard_name(shard)).open("wb") as file:
            np.lib.format.write_array_header_1_0(
                file, {"descr": "<i2", "fortran_order": False, "shape": (CHANNELS * SAMPLES * count,)}
            )
            assert file.tell() == 128
            file.truncate(size)
        files[shard_name(shard)] = FileInfo(size=size, sha256=_NOTHING)
    with pq.ParquetWriter(folder / RECORDS, record_columns(), compression="zstd") as writer:
        for first in range(0, records, PER_GROUP):
            rows = np.arange(first, min(first + PER_GROUP, records))
            writer.write_table(_rows(rows, per_shard, max(records // reports, 1)))
    pq.write_table(event_columns().empty_table(), folder / EVENTS)
    tables = {name: folder / name for name in (RECORDS, EVENTS)}
    files |= {name: FileInfo(size=path.stat().st_size, sha256=digest(path)) for name, path in tables.items()}
    info = StoreInfo(
        corpus=Card(name="cinc2021", title="Made up", licence="none", citation="nobody", url="https://example.org"),
        split=Split(),
        preprocessing=Preprocessing(),
        statistics=False,
        records=records,
        events=0,
        layouts=(Layout(channels=LEADS_12, modality=(Modality.ECG,) * CHANNELS, records=records),),
        files=files,
        skipped=(),
        missing=0,
        regrouped=(),
        versions={},
    )
    (folder / INFO).write_text(info.to_json(), encoding="utf-8")
    return folder


def _rows(rows: np.ndarray, per_shard: int, reports: int) -> pa.Table:
    n = len(rows)
    rng = np.random.default_rng(int(rows[0]))
    subjects = rows // 2
    counts = 1 + rows % 2
    codes = [_CODES[(row + k) % len(_CODES)] for row, count in zip(rows, counts, strict=True) for k in range(count)]
    ends = np.concatenate([[0], np.cumsum(counts)])
    described = pa.StructArray.from_arrays(
        [pa.array(["snomed-ct"] * len(codes)), pa.array(codes), pa.nulls(len(codes), pa.float64())],
        fields=list(record_columns().field("codes").type.value_type),
    )
    every = np.arange(n + 1) * CHANNELS
    nothing, empty = pa.nulls(n, pa.float64()), pa.array([""] * n)
    columns = {
        "record": [f"JS{row:08d}" for row in rows],
        "subject": [f"patient-{subject:08d}" for subject in subjects],
        "session": empty,
        "corpus": ["cinc2021"] * n,
        "sub_corpus": ["chapman_shaoxing"] * n,
        "shard": pa.array(rows // per_shard, pa.int32()),
        "offset": rows % per_shard * CHANNELS * SAMPLES,
        "channels": pa.ListArray.from_arrays(every, list(LEADS_12) * n),
        "modality": pa.ListArray.from_arrays(every, ["ecg"] * (n * CHANNELS)),
        "samples": np.full(n, SAMPLES),
        "sampling_rate": np.full(n, RATE),
        "step": pa.ListArray.from_arrays(every, np.ones(n * CHANNELS, np.float32)),
        "codes": pa.ListArray.from_arrays(ends, described),
        "concepts": pa.ListArray.from_arrays(ends, codes),
        "report": [f"{_FINDINGS[row % 5]}, rate {row % reports} of {reports}, otherwise normal ecg" for row in rows],
        "fold": pa.array(1 + subjects % 10, pa.int32()),
        "age": rng.uniform(20, 90, n).round(),
        "sex": pa.array(["female" if row % 3 else "male" for row in rows]),
        **dict.fromkeys(("heart_rate", "mean_rr", "sdnn", "rmssd", "qrs_width"), nothing),
        "quality": pa.ListArray.from_arrays(np.zeros(n + 1, np.int32), pa.array([], pa.string())),
        "source": [f"JS{row // 1000:05d}/JS{row:08d}.hea" for row in rows],
        "source_sha256": [rng.bytes(32).hex() for _ in rows],
        "fingerprint": pa.array([rng.bytes(32) for _ in rows], pa.binary()),
        "meta": ['{"device": "GE MUSE", "height": null, "weight": null}'] * n,
    }
    return pa.table({name: columns[name] for name in record_columns().names}, schema=record_columns())


def warm() -> None:
    """Import and touch what the first store of a process would pay for."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(write(Path(folder) / "few", 32))
        store.column("record")
        store.records  # noqa: B018 -- loads pandas
