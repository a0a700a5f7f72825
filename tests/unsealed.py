"""Documents as they were before they held digests: what else is wrong with them is found then."""

from __future__ import annotations

import json
from pathlib import Path


def unsealed(path: Path, **changes: object) -> dict[str, object]:
    """Write a document without its own digest and those of the files beside it, with some fields changed."""
    document = json.loads(path.read_text(encoding="utf-8")) | changes
    if "sha256" in document:
        document = {name: value for name, value in document.items() if name not in ("sha256", "files")}
    path.write_text(json.dumps(document), encoding="utf-8")
    return document
