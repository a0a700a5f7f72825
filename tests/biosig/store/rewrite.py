"""A store whose table of records says something else, as its other files know."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from biosig.sealed import sealed
from biosig.store.layout import EVENTS, INFO, RECORDS, event_columns, record_columns


def rewritten(folder: Path, change: Callable[[dict[str, list[Any]]], None]) -> Path:
    """Change columns of a store in place, the names of its events' records and all digests with them."""
    columns, events = (pq.read_table(folder / name).to_pydict() for name in (RECORDS, EVENTS))
    before = list(columns["record"])
    change(columns)
    renamed = dict(zip(before, columns["record"], strict=True))
    events["record"] = [renamed[name] for name in events["record"]]
    info = json.loads((folder / INFO).read_text(encoding="utf-8"))
    for name, content, schema in ((RECORDS, columns, record_columns()), (EVENTS, events, event_columns())):
        pq.write_table(pa.table(content, schema=schema), folder / name)
        written = (folder / name).read_bytes()
        info["files"][name] = {"size": len(written), "sha256": hashlib.sha256(written).hexdigest()}
    (folder / INFO).write_text(json.dumps(sealed(info)), encoding="utf-8")
    return folder
