"""Where each record of a store is, and what its channels are: a few numbers a record, whatever else the table holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from jaxtyping import Bool, Float32, Float64, Int64

from biosig.errors import StoreError
from biosig.recording import Modality
from biosig.store.layout import INFO, StoreInfo, record_columns, shard_name

LayoutKey = tuple[tuple[str, ...], tuple[Modality, ...]]
"""Names and modalities of channels."""

#: The columns that say it.
COLUMNS = ("shard", "offset", "samples", "sampling_rate", "channels", "modality", "step")
_LISTS = ("channels", "modality", "step")


@dataclass(frozen=True)
class Places:
    """Of each record.

    Attributes:
        shard: Number of its file. A `memoryview`, as all that is looked up record by record: one integer of it costs
            half the time of numpy's.
        offset: Its first integer there.
        channels: How many.
        samples: Samples of each channel.
        rate: Hz.
        step: Microvolts of one integer, of all channels of all records.
        first_step: Where those of each record begin, and where the last ends.
        layouts: The distinct sets of channels, in order of appearance.
        layout_of: The number of its set.
        needed: Integers that each file must hold, by its number.
    """

    shard: memoryview
    offset: memoryview
    channels: memoryview
    samples: memoryview
    rate: Float64[np.ndarray, " row"]
    step: Float32[np.ndarray, " channel"]
    first_step: memoryview
    layouts: tuple[LayoutKey, ...]
    layout_of: memoryview
    needed: dict[int, int]

    @classmethod
    def of(cls, batches: Iterator[pa.RecordBatch], path: Path, info: StoreInfo) -> Places:
        """From the rows with `COLUMNS`, in parts: the lists of a large table are never in memory together.

        Raises:
            StoreError: If a record would lie outside its shard (a wrong number must not show another's heart), a step
                is no power of two, or nobody knows a modality.
        """
        known: dict[LayoutKey, int] = {}
        none = pa.RecordBatch.from_pylist([], pa.schema([record_columns().field(name) for name in COLUMNS]))
        parts: list[dict[str, np.ndarray]] = []
        rows = 0
        for batch in chain([none], batches):
            parts.append(_part(batch, rows, path, info, known))
            rows += len(batch)
        columns = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        ends = columns["offset"] + columns["channels"] * columns["samples"]
        shards, which = np.unique(columns["shard"], return_inverse=True)
        most = np.zeros(len(shards), np.int64)
        np.maximum.at(most, which, ends)
        return cls(
            shard=columns["shard"].data,
            offset=columns["offset"].data,
            channels=columns["channels"].data,
            samples=columns["samples"].data,
            rate=columns["sampling_rate"],
            step=columns["step"],
            first_step=np.concatenate([[0], np.cumsum(columns["channels"], dtype=np.int64)]).data,
            layouts=tuple(known),
            layout_of=columns["layout"].data,
            needed=dict(zip(shards.tolist(), most.tolist(), strict=True)),
        )


def _part(
    batch: pa.RecordBatch, first: int, path: Path, info: StoreInfo, known: dict[LayoutKey, int]
) -> dict[str, np.ndarray]:
    lengths = {name: pc.list_value_length(batch[name]).to_numpy().astype(np.int64) for name in _LISTS}
    found = {name: batch[name].to_numpy() for name in COLUMNS if name not in _LISTS}
    _check(found, lengths, first, path, info)
    step = batch["step"].flatten().to_numpy(zero_copy_only=False)
    bad = np.flatnonzero(~(np.isfinite(step) & (np.frexp(step)[0] == 0.5)))
    if len(bad):
        raise StoreError(f"{path}: step: expected powers of two, got {step[bad[0]]}")
    layout = _layouts(batch, lengths["channels"], known, path)
    return {**found, "step": step, "channels": lengths["channels"], "layout": layout}


def _check(
    found: dict[str, np.ndarray], lengths: dict[str, np.ndarray], first: int, path: Path, info: StoreInfo
) -> None:
    shards, which = np.unique(found["shard"], return_inverse=True)
    for shard in shards:
        if shard_name(int(shard)) not in info.files:
            raise StoreError(f"{path}: shard: expected one of the files in {INFO}, got {shard}")
    room = np.array([info.files[shard_name(int(shard))].size // 2 for shard in shards], dtype=np.int64)[which]
    channels, rate, offset, samples = lengths["channels"], found["sampling_rate"], found["offset"], found["samples"]
    good: dict[str, Bool[np.ndarray, " row"]] = {
        "channels": (channels > 0) & (channels <= room),
        "samples": (samples > 0) & (samples <= room // np.maximum(channels, 1)),
        "offset": (offset >= 0) & (offset <= room - channels * np.minimum(samples, room)),
        "modality": lengths["modality"] == channels,
        "step": lengths["step"] == channels,
        "sampling_rate": np.isfinite(rate) & (rate > 0),
    }
    for field, fits in good.items():
        if not np.all(fits):
            row = int(np.flatnonzero(~fits)[0])
            shard = shard_name(int(found["shard"][row]))
            shown = f"{lengths[field][row]} of them" if field in lengths else found[field][row]
            raise StoreError(
                f"{path}: {field} of row {first + row}: expected what {shard} of {int(room[row])} integers has room "
                f"for, got {shown}"
            )


def _layouts(
    batch: pa.RecordBatch, counts: Int64[np.ndarray, " row"], known: dict[LayoutKey, int], path: Path
) -> Int64[np.ndarray, " row"]:
    """The number of each record's set of channels; new ones are added to those known."""
    if not len(counts):
        return np.zeros(0, np.int64)
    names, kinds = (batch[name].flatten().dictionary_encode() for name in ("channels", "modality"))
    codes = np.full((len(counts), int(counts.max())), -1, np.int64)
    codes[np.arange(codes.shape[1]) < counts[:, None]] = (
        names.indices.to_numpy().astype(np.int64) * len(kinds.dictionary) + kinds.indices.to_numpy()
    )
    # Most rows are as the one before.
    new = np.concatenate([[True], (codes[1:] != codes[:-1]).any(axis=1)])
    seen: dict[bytes, int] = {}
    numbers = []
    for row in np.flatnonzero(new).tolist():
        print_ = codes[row].tobytes()
        if print_ not in seen:
            try:
                key = (tuple(batch["channels"][row].as_py()), tuple(map(Modality, batch["modality"][row].as_py())))
            except ValueError as error:
                raise StoreError(
                    f"{path}: modality: expected one of {', '.join(Modality)}, got another: {error}"
                ) from None
            seen[print_] = known.setdefault(key, len(known))
        numbers.append(seen[print_])
    return np.array(numbers, np.int64)[np.cumsum(new) - 1]
