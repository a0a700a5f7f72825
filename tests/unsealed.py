"""Documents as they were before they held digests: what else is wrong with them is found then."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def unsealed(path: Path, **changes: object) -> dict[str, Any]:
    """Write a document without its own digest and those of the files beside it, with some fields changed.

    A store is nothing without the digests of its files: there they stay.
    """
    document = json.loads(path.read_text(encoding="utf-8")) | changes
    document.pop("sha256", None)
    if path.name != "store.json":
        document.pop("files", None)
    path.write_text(json.dumps(document), encoding="utf-8")
    return dict(document)
