"""The tables of a store, read with suspicion: columns and types as they should be, values where there must be one."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from jaxtyping import Float64, Int64

from biosig.errors import StoreError
from biosig.store.layout import FileInfo

# Rows that are looked at together.
_BATCH = 1 << 16
_BLOCK = 1 << 20
_MAY_BE_UNKNOWN = frozenset(
    (
        *("age", "sex", "heart_rate", "mean_rr", "sdnn", "rmssd", "qrs_width", "source_sha256", "fingerprint"),
        *("trial", "qrs_widths", "likelihood"),
    )
)


class Table:
    """A Parquet file that is as `store.json` says, with the columns and the number of rows it should have.

    A damaged Parquet file may end the process that parses it; so the digest is compared first. What was forged together
    with its digest is met by a parser that may refuse it in any way, and by a check of every value's form.

    Args:
        path: The file.
        columns: That it must have; a column is read when it is asked for.
        rows: How many there must be.
        file: What `store.json` says of the file.

    Raises:
        StoreError: If it is something else. What only reading tells is found when a column is read.
    """

    def __init__(self, path: Path, columns: pa.Schema, rows: int, file: FileInfo) -> None:
        self.path, self.columns, self.rows = path, columns, rows
        with _parsing(path):
            # Held open: a store that is replaced meanwhile stays what it was for who has opened it.
            self._file = pq.ParquetFile(_verified(path, file.sha256))
            found, n_rows = self._file.schema_arrow, self._file.metadata.num_rows
            kinds = {name: found.field(name).type for name in columns.names if found.get_field_index(name) >= 0}
        for field in columns:
            kind = kinds.get(field.name, "no such column")
            if kind != field.type:
                raise StoreError(f"{path}: {field.name}: expected {field.type}, got {kind}")
        self._expect_rows(n_rows)

    def read(self, names: Sequence[str]) -> pa.Table:
        """Some columns, whole."""
        with _parsing(self.path):
            table = self._file.read(columns=list(names)).select(names).combine_chunks()
            # Text that is text, lists that lie within their values.
            table.validate(full=True)
        self._expect_rows(len(table))
        for name in names:
            _expect_values(self.path, name, table[name])
        return table

    def batches(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Some columns, a part of the rows at a time."""
        seen = 0
        with _parsing(self.path):
            for batch in self._file.iter_batches(_BATCH, columns=list(names)):
                batch.validate(full=True)
                for name in names:
                    _expect_values(self.path, name, batch[name])
                seen += len(batch)
                yield batch
        self._expect_rows(seen)

    def _expect_rows(self, found: int) -> None:
        """The file's own counts may differ from each other."""
        if found != self.rows:
            raise StoreError(f"{self.path}: rows: expected {self.rows}, got {found}")


@contextmanager
def _parsing(path: Path) -> Iterator[None]:
    try:
        yield
    except StoreError:
        raise
    # Parsers of binary formats trip over a forged file in every way there is.
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise StoreError(f"{path}: expected Parquet, found something else: {reason}") from error


def _verified(path: Path, sha256: str) -> pa.NativeFile:
    """The file, open, if it has the digest it should have: what is parsed is what was compared."""
    file, found = pa.OSFile(str(path)), hashlib.sha256()
    while block := file.read(_BLOCK):
        found.update(block)
    if found.hexdigest() != sha256:
        raise StoreError(
            f"{path}: damaged: sha256: expected {sha256}, got {found.hexdigest()}; "
            "copy the store again, or prepare it again"
        )
    file.seek(0)
    return file


def _expect_values(path: Path, name: str, values: pa.Array | pa.ChunkedArray) -> None:
    """A value in every row, and in every list."""
    while True:
        if name not in _MAY_BE_UNKNOWN and values.null_count:
            raise StoreError(f"{path}: {name}: expected a value in every row, got none in some")
        if not pa.types.is_list(values.type):
            break
        values = pc.list_flatten(values)
    if pa.types.is_struct(values.type):
        for field in values.type:
            _expect_values(path, field.name, pc.struct_field(values, field.name))


def read(path: Path, columns: pa.Schema, rows: int, file: FileInfo) -> pa.Table:
    """All columns of a table.

    Raises:
        StoreError: See `Table`.
    """
    return Table(path, columns, rows, file).read(columns.names)


def beats(
    table: pa.Table, path: Path, records: pa.Array, seconds: Float64[np.ndarray, " row"]
) -> tuple[Float64[np.ndarray, " beat"], Float64[np.ndarray, " beat"], Int64[np.ndarray, " bound"]]:
    """Peaks and QRS widths of all records, one after another, and the bounds of each record's.

    Raises:
        StoreError: If the rows are not those of the records, a beat has no width, or no time within its record.
    """
    if not table["record"].equals(records):
        raise StoreError(f"{path}: record: expected the records of the store in their order, got others")
    counts = pc.list_value_length(table["peaks"]).to_numpy()
    if not np.array_equal(counts, pc.list_value_length(table["qrs_widths"]).to_numpy()):
        raise StoreError(f"{path}: qrs_widths: expected one for every peak, got another number")
    peaks, widths = (
        table[name].combine_chunks().flatten().to_numpy(zero_copy_only=False) for name in ("peaks", "qrs_widths")
    )
    bad = np.flatnonzero(~((peaks >= 0) & (peaks <= np.repeat(seconds, counts))))
    if len(bad):
        raise StoreError(f"{path}: peaks: expected seconds within their record, got {peaks[bad[0]]}")
    return peaks, widths, np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def happened(table: pa.Table, path: Path, records: pa.Array) -> list[tuple[int, int]]:
    """For each record, where its events begin and how many there are: they stand together.

    Raises:
        StoreError: If events of a record stand apart, belong to no record, or have no time.
    """
    for name in ("onset", "duration"):
        if not np.isfinite(table[name].to_numpy()).all():
            raise StoreError(f"{path}: {name}: expected seconds, got something else in some")
    found = table["record"].combine_chunks().dictionary_encode()
    codes = found.indices.to_numpy()
    begin = np.flatnonzero(np.diff(codes, prepend=-1))
    count = np.diff(begin, append=len(codes))
    place = {found.dictionary[codes[b]].as_py(): (int(b), int(n)) for b, n in zip(begin, count, strict=True)}
    if len(place) != len(begin):
        raise StoreError(f"{path}: record: expected the events of a record together, got some apart")
    names = records.to_pylist()
    if stray := place.keys() - set(names):
        raise StoreError(f"{path}: record: expected records of the store, got {min(stray)!r}")
    return [place.get(record, (0, 0)) for record in names]
