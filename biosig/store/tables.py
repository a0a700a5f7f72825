"""The tables of a store, read with suspicion: types, places within the shards, steps that are steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Float32, Float64, Int64

from biosig.errors import StoreError
from biosig.recording import Modality
from biosig.store.layout import INFO, StoreInfo, shard_name

Place = tuple[int, int, int, int]
"""Of a record: shard, first integer, channels, samples a channel."""
LayoutKey = tuple[tuple[str, ...], tuple[Modality, ...]]
"""Names and modalities of channels."""

_MAY_BE_UNKNOWN = frozenset(
    ("age", "sex", "heart_rate", "mean_rr", "sdnn", "rmssd", "qrs_width", "source_sha256", "fingerprint", "trial")
)


def read(path: Path, columns: pa.Schema, rows: int) -> pa.Table:
    """A Parquet file with the columns and the number of rows it should have.

    Raises:
        StoreError: If it is something else.
    """
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise StoreError(f"{path}: expected Parquet, found something else: {error}") from None
    for field in columns:
        found = table.schema.field(field.name).type if field.name in table.schema.names else "no such column"
        if found != field.type:
            raise StoreError(f"{path}: {field.name}: expected {field.type}, got {found}")
        if field.name not in _MAY_BE_UNKNOWN and table[field.name].null_count:
            raise StoreError(f"{path}: {field.name}: expected a value in every row, got none in some")
    if len(table) != rows:
        raise StoreError(f"{path}: rows: expected {rows}, got {len(table)}")
    return table.select(columns.names).combine_chunks()


def places(table: pa.Table, path: Path, info: StoreInfo) -> list[Place]:
    """Where each record is, as Python's integers: they index an array in half the time of numpy's.

    Raises:
        StoreError: If a record would lie outside its shard: a wrong number must not show another's heart.
    """
    columns = {name: table[name].to_numpy() for name in ("shard", "offset", "samples", "sampling_rate")}
    lengths = {name: pc.list_value_length(table[name]).to_numpy() for name in ("channels", "modality", "step")}
    shards, which = np.unique(columns["shard"], return_inverse=True)
    for shard in shards:
        if shard_name(int(shard)) not in info.files:
            raise StoreError(f"{path}: shard: expected one of the files in {INFO}, got {shard}")
    room = np.array([info.files[shard_name(int(shard))].size // 2 for shard in shards], dtype=np.int64)[which]
    channels, rate = lengths["channels"], columns["sampling_rate"]
    offset, samples = columns["offset"], columns["samples"]
    for field, good in (
        ("channels", (channels > 0) & (channels <= room)),
        ("samples", (samples > 0) & (samples <= room // np.maximum(channels, 1))),
        ("offset", (offset >= 0) & (offset <= room - channels * np.minimum(samples, room))),
        ("modality", lengths["modality"] == channels),
        ("step", lengths["step"] == channels),
        ("sampling_rate", np.isfinite(rate) & (rate > 0)),
    ):
        if not np.all(good):
            row = int(np.flatnonzero(~good)[0])
            raise StoreError(
                f"{path}: {field} of row {row}: expected what {shard_name(int(columns['shard'][row]))} of "
                f"{int(room[row])} integers has room for, got {table[field][row].as_py()}"
            )
    return list(zip(columns["shard"].tolist(), offset.tolist(), channels.tolist(), samples.tolist(), strict=True))


def layouts(table: pa.Table, path: Path) -> tuple[tuple[LayoutKey, ...], list[int]]:
    """The distinct sets of channels in order of appearance, and for each record the number of its set.

    Raises:
        StoreError: If a modality is none that is known.
    """
    known: dict[LayoutKey, int] = {}
    names, kinds = table["channels"].to_pylist(), table["modality"].to_pylist()
    try:
        of = [
            known.setdefault((tuple(name), tuple(map(Modality, kind))), len(known))
            for name, kind in zip(names, kinds, strict=True)
        ]
    except ValueError as error:
        raise StoreError(f"{path}: modality: expected one of {', '.join(Modality)}, got another: {error}") from None
    return tuple(known), of


def steps(table: pa.Table, path: Path) -> tuple[Float32[np.ndarray, " channel"], list[int]]:
    """The steps of all channels of all records, and where those of each record begin.

    Raises:
        StoreError: If one is not a power of two.
    """
    step = table["step"].combine_chunks().flatten().to_numpy(zero_copy_only=False)
    bad = np.flatnonzero(~(np.isfinite(step) & (np.frexp(step)[0] == 0.5)))
    if len(bad):
        raise StoreError(f"{path}: step: expected powers of two, got {step[bad[0]]}")
    counts = pc.list_value_length(table["step"]).to_numpy()
    return step, (np.cumsum(counts) - counts).tolist()


def beats(
    table: pa.Table, path: Path, records: pa.Array
) -> tuple[Float64[np.ndarray, " beat"], Float64[np.ndarray, " beat"], Int64[np.ndarray, " bound"]]:
    """Peaks and QRS widths of all records, one after another, and the bounds of each record's.

    Raises:
        StoreError: If the rows are not those of the records, a beat has no width, or no time.
    """
    if not table["record"].equals(records):
        raise StoreError(f"{path}: record: expected the records of the store in their order, got others")
    counts = pc.list_value_length(table["peaks"]).to_numpy()
    if not np.array_equal(counts, pc.list_value_length(table["qrs_widths"]).to_numpy()):
        raise StoreError(f"{path}: qrs_widths: expected one for every peak, got another number")
    peaks, widths = (
        table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False) for name in ("peaks", "qrs_widths")
    )
    if not np.isfinite(peaks).all():
        raise StoreError(f"{path}: peaks: expected seconds, got something else in some")
    return peaks, widths, np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
