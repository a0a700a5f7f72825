"""A store whose table of records says something else, as `store.json` knows."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from biosig.store.layout import INFO, RECORDS, record_columns


def rewritten(folder: Path, change: Callable[[dict[str, list[Any]]], None]) -> Path:
    """Change columns of a store in place, and the digests with them."""
    columns = pq.read_table(folder / RECORDS).to_pydict()
    change(columns)
    pq.write_table(pa.table(columns, schema=record_columns()), folder / RECORDS)
    content = (folder / RECORDS).read_bytes()
    info = json.loads((folder / INFO).read_text(encoding="utf-8"))
    info["files"][RECORDS] = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    info["records"] = len(columns["record"])
    (folder / INFO).write_text(json.dumps(info), encoding="utf-8")
    return folder
