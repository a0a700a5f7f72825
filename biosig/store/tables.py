"""The tables of a store, read with suspicion: columns and types as they should be, values where there must be one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64

from biosig.errors import StoreError

# Rows that are looked at together.
_BATCH = 1 << 16
_MAY_BE_UNKNOWN = frozenset(
    ("age", "sex", "heart_rate", "mean_rr", "sdnn", "rmssd", "qrs_width", "source_sha256", "fingerprint", "trial")
)


class Table:
    """A Parquet file with the columns and the number of rows it should have; a column is read when it is asked for.

    Raises:
        StoreError: If it is something else. What only reading tells is found when a column is read.
    """

    def __init__(self, path: Path, columns: pa.Schema, rows: int) -> None:
        self.path, self.columns = path, columns
        try:
            # Held open: a store that is replaced meanwhile stays what it was for who has opened it.
            self._file = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise self._no_parquet(error) from None
        for field in columns:
            found = self._file.schema_arrow
            kind = found.field(field.name).type if field.name in found.names else "no such column"
            if kind != field.type:
                raise StoreError(f"{path}: {field.name}: expected {field.type}, got {kind}")
        if self._file.metadata.num_rows != rows:
            raise StoreError(f"{path}: rows: expected {rows}, got {self._file.metadata.num_rows}")
        self._expect_values()

    def read(self, names: Sequence[str]) -> pa.Table:
        """Some columns, whole."""
        try:
            table = self._file.read(columns=list(names))
        except (pa.ArrowException, OSError) as error:
            raise self._no_parquet(error) from None
        for name in names:
            if name not in _MAY_BE_UNKNOWN and table[name].null_count:
                raise self._unknown(name)
        return table.select(names).combine_chunks()

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Some columns, a part of the rows at a time; whether there is a value in each is for the caller to see."""
        try:
            yield from self._file.iter_batches(_BATCH, columns=list(names))
        except (pa.ArrowException, OSError) as error:
            raise self._no_parquet(error) from None

    def _expect_values(self) -> None:
        """As far as the file's own statistics tell, which is for columns that are not lists."""
        metadata = self._file.metadata
        flat = {
            place: name
            for place in range(metadata.num_columns)
            if "." not in (name := self._file.schema.column(place).path)
        }
        wanted = {name for name in self.columns.names if name not in _MAY_BE_UNKNOWN}
        for group in range(metadata.num_row_groups):
            found = metadata.row_group(group)
            for place, name in flat.items():
                statistics = found.column(place).statistics if name in wanted else None
                if statistics is not None and statistics.null_count:
                    raise self._unknown(name)

    def _unknown(self, name: str) -> StoreError:
        return StoreError(f"{self.path}: {name}: expected a value in every row, got none in some")

    def _no_parquet(self, error: Exception) -> StoreError:
        return StoreError(f"{self.path}: expected Parquet, found something else: {' '.join(str(error).split())}")


def read(path: Path, columns: pa.Schema, rows: int) -> pa.Table:
    """All columns of a table.

    Raises:
        StoreError: See `Table`.
    """
    return Table(path, columns, rows).read(columns.names)


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
